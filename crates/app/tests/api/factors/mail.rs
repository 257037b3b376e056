//! What mail proves is no factor.

use super::ANN;
use crate::support::{Actor, Mailing, PASSWORD, on_both_stores_with_mail};
use reqwest::Method;
use serde_json::{Value, json};

const NEW: &str = "a password that ann remembers";

/// Somebody with a verified address and an authenticator app; two mails at least.
async fn with_app(service: &Mailing) -> (Actor, crate::support::TotpApp) {
    let mut ann = service.anon();
    ann.sign_up(ANN).await.expect(201);
    let asked = ann.call(Method::POST, "/email/verify", None).await;
    let proof = asked.expect(202).json()["proof"]["id"].clone();
    let body = json!({ "proof": proof, "code": service.code(ANN, 1).await });
    ann.call(Method::POST, "/email/confirm", Some(body))
        .await
        .expect(204);
    let (app, _) = ann.set_up_totp().await;
    (ann, app)
}

/// Asks for a mail, and answers its proof with the code.
async fn asked(service: &Mailing, actor: &Actor, operation: &str, subject: &str) -> Value {
    let answer = actor.post(operation, json!({ "email": ANN })).await;
    let proof = answer.expect(202).json()["proof"]["id"].clone();
    let mail = service.mail_saying(ANN, subject).await;
    json!({ "proof": proof, "code": mail.code().expect("it has a code") })
}

on_both_stores_with_mail! {
    async fn a_recovery_leads_to_the_second_step(service: Mailing) {
        let (mut ann, mut phone) = with_app(&service).await;
        let mut other = service.anon();
        let mut body = asked(&service, &other, "/recovery", "new password").await;
        body["newPassword"] = NEW.into();
        let answer = other.post("/recovery/confirm", body.clone()).await;
        let step = other.challenged(answer);
        assert_eq!((&step["factors"], step.get("tokens")), (&json!(["totp", "recovery_code"]), None));
        // The password is set, and everybody is out.
        ann.refresh().await.expect_problem(401, "session_revoked");
        other.post("/recovery/confirm", body).await.expect_problem(410, "proof_gone");
        service.anon().sign_in(ANN, PASSWORD).await.expect_problem(401, "invalid_credentials");
        let mut third = service.anon();
        third.challenge(ANN, NEW).await;

        let factor = json!({ "challenge": step["challenge"], "totp": phone.code() });
        other.second_step(factor).await.expect(200);
        assert_eq!(Actor::claims(&other.id_token)["amr"], json!(["mfa", "otp"]));
        other.get("/me").await.expect(200);
    }

    async fn a_mailed_code_leads_to_the_second_step(service: Mailing, "accounts.sign_in_code = true") {
        let (_, mut phone) = with_app(&service).await;
        let mut other = service.anon();
        let body = asked(&service, &other, "/signin/code", "to sign in").await;
        let answer = other.post("/signin/code/confirm", body.clone()).await;
        let step = other.challenged(answer);
        other.post("/signin/code/confirm", body).await.expect_problem(410, "proof_gone");
        let factor = json!({ "challenge": step["challenge"], "totp": phone.code() });
        other.second_step(factor).await.expect(200);
    }

    async fn a_recovery_takes_the_factors_of_a_stranger_who_signed_up_with_the_address(service: Mailing, "accounts.verification = 'off'") {
        let mut stranger = service.sign_up("ann").await;
        stranger.set_up_totp().await;
        let mut ann = service.anon();
        let mut body = asked(&service, &ann, "/recovery", "new password").await;
        body["newPassword"] = NEW.into();
        let answer = ann.post("/recovery/confirm", body).await;
        ann.keep_begun(answer).expect(200);
        stranger.refresh().await.expect_problem(401, "session_revoked");
        let factors = ann.get("/factors").await.expect(200).json();
        assert_eq!((&factors["totp"], &factors["recoveryCodes"]), (&Value::Null, &Value::Null));
        service.anon().sign_in(ANN, NEW).await.expect(200);
    }

    async fn an_operators_recovery_link_leads_to_the_second_step(service: Mailing) {
        with_app(&service).await;
        let said = service.revolve(&["user", "recovery-link", ANN, "--json"]).await.expect(0).json();
        let link = said["link"].as_str().unwrap();
        let (_, query) = link.split_once("proof=").unwrap();
        let (proof, secret) = query.split_once("&secret=").unwrap();
        let body = json!({ "proof": proof, "secret": secret, "newPassword": NEW });
        let mut anon = service.anon();
        let answer = anon.post("/recovery/confirm", body).await;
        anon.challenged(answer);
    }
}
