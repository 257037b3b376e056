//! `POST /api/account/recovery` and `/recovery/confirm`.

use crate::support::{Actor, Mailing, PASSWORD, field_errors, on_both_stores_with_mail, path};
use reqwest::Method;
use serde_json::{Value, json};

const ANN: &str = "ann@example.org";
const NEW: &str = "a password that ann remembers";

async fn ask(actor: &Actor, email: &str) -> (Value, String) {
    let answer = actor
        .post("/recovery", json!({ "email": email }))
        .await
        .expect(202);
    let cookie = answer.header("set-cookie").to_owned();
    let (pair, attributes) = cookie.split_once(';').expect("the browser is told");
    assert_eq!(
        attributes, " HttpOnly; SameSite=Lax; Path=/; Max-Age=86400",
        "{cookie}"
    );
    assert!(pair.starts_with("revolve-proof-"), "{cookie}");
    (answer.json()["proof"].clone(), pair.to_owned())
}

fn confirmation(proof: &Value, code: &str) -> Value {
    json!({ "proof": proof["id"], "code": code, "newPassword": NEW })
}

/// Another code.
fn wrong(code: &str) -> String {
    let number: u32 = code.parse().expect("digits");
    format!("{:06}", (number + 1) % 1_000_000)
}

/// Ann, who has signed up.
async fn with_ann(service: &Mailing) -> Actor {
    let mut ann = service.anon();
    ann.sign_up(ANN).await.expect(201);
    ann
}

on_both_stores_with_mail! {
    async fn a_forgotten_password_is_set_by_the_code_of_the_mail(service: Mailing) {
        let mut ann = with_ann(&service).await;
        let anon = service.anon();
        let (proof, _) = ask(&anon, "Ann@Example.ORG").await;
        assert_eq!(proof["expiresIn"], 900);
        let code = service.code(ANN, 1).await;
        let answer = anon.post("/recovery/confirm", confirmation(&proof, &code)).await.expect(200);
        assert!(answer.header("set-cookie").contains("revolve-device"), "{answer:?}");
        let json = answer.json();
        let token = json["tokens"]["idToken"].as_str().unwrap();
        let me = ann.with_id_token(token).without_device().get("/me").await.expect(200).json();
        assert_eq!((&me["user"]["email"], &me["user"]["emailVerified"]), (&json!(ANN), &json!(true)));
        assert_eq!(Actor::claims(token)["email_verified"], json!(true));
        ann.refresh().await.expect_problem(401, "session_revoked");
        let mut again = service.anon();
        again.sign_in(ANN, PASSWORD).await.expect_problem(401, "invalid_credentials");
        again.sign_in(ANN, NEW).await.expect(200);
        anon.post("/recovery/confirm", confirmation(&proof, &code)).await.expect_problem(410, "proof_gone");
        let told = service.mails_to(ANN, 2).await;
        assert!(told[1].code().is_none(), "a notice: {told:?}");
    }

    async fn the_link_counts_where_it_was_asked_for_and_nowhere_else(service: Mailing, "accounts.verification = 'off'\nmail.links.recovery = 'https://app.example.org/reset?proof={proof}&secret={secret}'") {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let (proof, cookie) = ask(&ann, ANN).await;
        let link = service.mails_to(ANN, 1).await.remove(0).link().unwrap();
        let secret = link.split_once("secret=").unwrap().1.to_owned();
        assert!(link.contains(proof["id"].as_str().unwrap()), "{link}");
        let body = json!({ "proof": proof["id"], "secret": secret, "newPassword": NEW });
        for _ in 0..10 {
            ann.post("/recovery/confirm", body.clone()).await.expect_problem(422, "code_required");
        }
        let with = |cookie: &str| ann.request(Method::POST, &path("/recovery/confirm")).header("Cookie", cookie).json(&body);
        ann.send(with(&cookie.replace(&cookie[cookie.len() - 4..], "0000"))).await.expect_problem(422, "code_required");
        ann.send(with(&cookie)).await.expect(200);
    }

    async fn known_and_unknown_and_disabled_accounts_get_the_same_answer(service: Mailing) {
        let ann = with_ann(&service).await;
        let mut eve = service.anon();
        eve.sign_up("eve@example.org").await.expect(201);
        service.revolve(&["user", "disable", "eve@example.org", "--yes"]).await.expect(0);
        let mut answers = Vec::new();
        for email in [ANN, "nobody@example.org", "eve@example.org"] {
            let answer = ann.post("/recovery", json!({ "email": email })).await.expect(202);
            let proof = answer.json()["proof"].clone();
            let guess = confirmation(&proof, "000000");
            let refused = ann.post("/recovery/confirm", guess).await;
            // One in a million.
            let refused = refused.expect_problem(422, "code_wrong").json();
            let names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
            answers.push((proof["expiresIn"].clone(), names, refused["attemptsLeft"].clone()));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        // A newer one would void it before it is sent.
        service.mails_to(ANN, 1).await;
        ask(&ann, ANN).await;
        service.mails_to(ANN, 2).await;
        // Eve hears that she was disabled.
        let others = service.sink.received().iter().filter(|mail| mail.to != [ANN] && mail.to != ["eve@example.org"]).count();
        assert_eq!(others, 0, "nobody else gets a mail");
    }

    async fn five_codes_can_be_tried(service: Mailing) {
        let ann = with_ann(&service).await;
        let (proof, _) = ask(&ann, ANN).await;
        let code = service.code(ANN, 1).await;
        for left in (0..5).rev() {
            let refused = ann.post("/recovery/confirm", confirmation(&proof, &wrong(&code))).await;
            assert_eq!(refused.expect_problem(422, "code_wrong").json()["attemptsLeft"], left);
        }
        ann.post("/recovery/confirm", confirmation(&proof, &code)).await.expect_problem(410, "proof_gone");
        ann.get("/me").await.expect(200);
    }

    async fn a_hundred_confirmations_at_once_set_one_password(service: Mailing) {
        let ann = with_ann(&service).await;
        let (proof, cookie) = ask(&ann, ANN).await;
        let secret = {
            let code = service.code(ANN, 1).await;
            confirmation(&proof, &code)
        };
        // Five of them are counted as attempts at most; the others find it gone, or are too many from one address.
        let calls = (0..100).map(|_| {
            let request = ann.request(Method::POST, &path("/recovery/confirm")).header("Cookie", &cookie).json(&secret);
            ann.send(request)
        });
        let answers = futures_util::future::join_all(calls).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        let gone = answers.iter().filter(|answer| matches!(answer.status, 410 | 429 | 503)).count();
        assert_eq!((done, done + gone), (1, 100), "{answers:?}");
    }

    async fn what_is_malformed_is_named(service: Mailing) {
        let anon = service.anon();
        let refused = anon.post("/recovery", json!({ "email": "nobody" })).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&refused), ["email: invalid_email"]);
        let proof = "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51";
        for (body, expected) in [
            (json!({}), &["proof: missing", "code: missing", "newPassword: missing"][..]),
            (json!({ "proof": "x", "code": "12345", "newPassword": "short" }), &["proof: invalid_id", "code: invalid_code", "newPassword: too_short"]),
            (json!({ "proof": proof, "code": "１２３４５６", "newPassword": NEW }), &["code: invalid_code"]),
            (json!({ "proof": proof, "code": 123_456, "newPassword": NEW }), &["code: wrong_type"]),
            (json!({ "proof": proof, "code": "123456", "secret": "x", "newPassword": NEW }), &["code: unknown_field"]),
            (json!({ "proof": proof, "secret": "x".repeat(129), "newPassword": NEW }), &["secret: too_long"]),
        ] {
            let refused = anon.post("/recovery/confirm", body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), expected, "{body}");
        }
        let invented = json!({ "proof": proof, "code": "123 456", "newPassword": NEW });
        anon.post("/recovery/confirm", invented).await.expect_problem(410, "proof_gone");
    }

    async fn a_weak_password_uses_up_no_attempt(service: Mailing) {
        let ann = with_ann(&service).await;
        let (proof, _) = ask(&ann, ANN).await;
        let code = service.code(ANN, 1).await;
        for _ in 0..6 {
            let weak = json!({ "proof": proof["id"], "code": code, "newPassword": "password1" });
            let refused = ann.post("/recovery/confirm", weak).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), ["newPassword: too_common"]);
        }
        ann.post("/recovery/confirm", confirmation(&proof, &code)).await.expect(200);
    }

    async fn mails_are_limited(service: Mailing, "limits.proofs_per_account = '2/1h'") {
        let ann = with_ann(&service).await;
        for _ in 0..2 {
            ask(&ann, ANN).await;
        }
        let refused = ann.post("/recovery", json!({ "email": ANN })).await.expect_problem(429, "rate_limited");
        assert!(refused.header("ratelimit").contains("proofs_per_account"), "{refused:?}");
        ask(&ann, "another@example.org").await;
    }

    async fn proofs_that_come_to_nothing_are_limited(service: Mailing, "limits.confirmations_per_address = '3/1h'") {
        let ann = with_ann(&service).await;
        let (proof, cookie) = ask(&ann, ANN).await;
        let code = service.code(ANN, 1).await;
        let invented = json!({ "id": "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51" });
        for _ in 0..3 {
            ann.post("/recovery/confirm", confirmation(&invented, &code)).await.expect_problem(410, "proof_gone");
        }
        let refused = ann.post("/recovery/confirm", confirmation(&proof, &code)).await.expect_problem(429, "rate_limited");
        assert!(refused.header("ratelimit").contains("confirmations_per_address"), "{refused:?}");
        let own = ann.request(Method::POST, &path("/recovery/confirm")).header("Cookie", cookie).json(&confirmation(&proof, &code));
        ann.send(own).await.expect(200);
    }

    async fn a_newer_mail_voids_the_older_and_its_own_browser_keeps_the_proof(service: Mailing) {
        let ann = with_ann(&service).await;
        let (first, cookie) = ask(&ann, ANN).await;
        let old = service.code(ANN, 1).await;
        let again = ann.request(Method::POST, &path("/recovery")).header("Cookie", &cookie).json(&json!({ "email": ANN }));
        let again = ann.send(again).await.expect(202).json();
        assert_eq!(again["proof"]["id"], first["id"]);
        let new = service.code(ANN, 2).await;
        if old != new {
            ann.post("/recovery/confirm", confirmation(&first, &old)).await.expect_problem(422, "code_wrong");
        }
        let (other, _) = ask(&ann, ANN).await;
        assert_ne!(other["id"], first["id"]);
        let newest = service.code(ANN, 3).await;
        ann.post("/recovery/confirm", confirmation(&first, &new)).await.expect_problem(410, "proof_gone");
        ann.post("/recovery/confirm", confirmation(&other, &newest)).await.expect(200);
    }
}

#[test]
fn a_service_without_mail_says_so() {
    crate::support::with_config(crate::support::Store::Server, "", async |app| {
        let mut ann = app.anon();
        ann.sign_up(ANN).await.expect(201);
        ann.post("/recovery", json!({ "email": ANN }))
            .await
            .expect_problem(409, "mail_not_configured");
        ann.call(Method::POST, "/email/verify", None)
            .await
            .expect_problem(409, "mail_not_configured");
    });
}
