//! `POST /api/account/email/verify`, `/email/confirm` and `/email/undo/confirm`, and sign-ups that prove their mailbox.

use crate::support::{Actor, Mailing, PASSWORD, field_errors, on_both_stores_with_mail, path};
use reqwest::Method;
use serde_json::{Value, json};

const ANN: &str = "ann@example.org";
const OTHER: &str = "ann@example.net";
const NEW: &str = "a password that ann remembers";

fn by_code(proof: &Value, code: &str) -> Value {
    json!({ "proof": proof["id"], "code": code })
}

async fn user(actor: &Actor) -> Value {
    actor.get("/me").await.expect(200).json()["user"].clone()
}

on_both_stores_with_mail! {
    async fn a_sign_up_sends_a_mail_to_verify_the_address(service: Mailing, "accounts.verification = 'optional'") {
        let mut ann = service.anon();
        let answer = ann.sign_up(ANN).await.expect(201).json();
        assert_eq!(answer["proof"]["expiresIn"], 86400, "{answer}");
        let code = service.code(ANN, 1).await;
        assert_eq!(user(&ann).await["emailVerified"], false);
        let body = by_code(&answer["proof"], &code);
        ann.without_device().post("/email/confirm", body.clone()).await.expect_problem(403, "session_required");
        ann.call(Method::POST, "/email/confirm", Some(body.clone())).await.expect(204);
        assert_eq!(user(&ann).await["emailVerified"], true);
        ann.refresh().await.expect(200);
        assert_eq!(Actor::claims(&ann.id_token)["email_verified"], true);
        ann.call(Method::POST, "/email/confirm", Some(body)).await.expect_problem(410, "proof_gone");
        ann.call(Method::POST, "/email/verify", None).await.expect_problem(409, "email_verified");
    }

    async fn a_mail_to_verify_can_be_asked_for_again(service: Mailing, "accounts.verification = 'optional'") {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let first = service.code(ANN, 1).await;
        let again = ann.call(Method::POST, "/email/verify", None).await.expect(202);
        let cookie = again.header("set-cookie").split(';').next().unwrap().to_owned();
        let proof = again.json()["proof"].clone();
        let code = service.code(ANN, 2).await;
        if first != code {
            let wrong = ann.call(Method::POST, "/email/confirm", Some(by_code(&proof, &first))).await;
            wrong.expect_problem(422, "code_wrong");
        }
        // In the browser that asked, without a session.
        let own = ann.request(Method::POST, &path("/email/confirm")).header("Cookie", cookie).json(&by_code(&proof, &code));
        ann.send(own).await.expect(204);
        assert_eq!(user(&ann).await["emailVerified"], true);
    }

    async fn a_sign_up_that_must_be_proved_is_no_account_before(service: Mailing, "accounts.verification = 'required'") {
        let anon = service.anon();
        let sign_up = json!({ "email": ANN, "password": PASSWORD, "locale": "de" });
        let seeded = json!({ "email": ANN, "password": NEW });
        let stranger = anon.post("/signup", seeded).await.expect(202).json();
        let asked = anon.post("/signup", sign_up.clone()).await.expect(202).json();
        let codes = [service.code(ANN, 1).await, service.code(ANN, 2).await];
        anon.post("/signin", json!({ "email": ANN, "password": PASSWORD })).await.expect_problem(401, "invalid_credentials");
        // Not in the browser that signed up, whose cookie would do.
        let body = by_code(&asked["proof"], &codes[1]);
        let refused = anon.post("/signup/confirm", body.clone()).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&refused), ["password: missing"]);
        let with = |password: &str| {
            let mut body = body.clone();
            body["password"] = json!(password);
            body
        };
        anon.post("/signup/confirm", with(NEW)).await.expect_problem(403, "wrong_password");
        let confirmed = anon.post("/signup/confirm", with(PASSWORD)).await.expect(201).json();
        let ann = anon.with_id_token(confirmed["tokens"]["idToken"].as_str().unwrap());
        let user = user(&ann).await;
        assert_eq!((&user["emailVerified"], &user["locale"]), (&json!(true), &json!("de")));
        anon.post("/signup/confirm", by_code(&stranger["proof"], &codes[0])).await.expect_problem(410, "proof_gone");
        anon.post("/signin", json!({ "email": ANN, "password": NEW })).await.expect_problem(401, "invalid_credentials");
        anon.post("/signin", json!({ "email": ANN, "password": PASSWORD })).await.expect(200);
        let taken = anon.post("/signup", sign_up).await.expect(202);
        assert_eq!(taken.json()["proof"]["expiresIn"], asked["proof"]["expiresIn"]);
        let told = service.mails_to(ANN, 3).await;
        assert!(told[2].code().is_none(), "an account exists: {told:?}");
    }

    async fn an_address_changes_once_the_new_one_is_proved_and_the_old_one_can_undo_it(service: Mailing, "accounts.verification = 'off'\nmail.links.undo = 'https://app.example.org/undo?proof={proof}&secret={secret}'") {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let verification = ann.call(Method::POST, "/email/verify", None).await.expect(202).json();
        let code = service.code(ANN, 1).await;
        ann.call(Method::POST, "/email/confirm", Some(by_code(&verification["proof"], &code))).await.expect(204);
        let change = json!({ "email": OTHER, "name": "Ann", "currentPassword": PASSWORD });
        let asked = ann.put("/details", change).await.expect(202).json();
        let before = user(&ann).await;
        assert_eq!((&before["email"], &before["name"]), (&json!(ANN), &json!("Ann")), "the rest is changed");
        let code = service.code(OTHER, 1).await;
        ann.without_device().post("/email/confirm", by_code(&asked["proof"], &code)).await.expect_problem(403, "session_required");
        ann.call(Method::POST, "/email/confirm", Some(by_code(&asked["proof"], &code))).await.expect(204);
        let after = user(&ann).await;
        assert_eq!((&after["email"], &after["emailVerified"]), (&json!(OTHER), &json!(true)));
        service.anon().sign_up(ANN).await.expect_problem(409, "email_taken");

        let told = service.mails_to(ANN, 2).await.remove(1);
        let link = told.link().unwrap();
        let proof = link.split_once("proof=").unwrap().1.split('&').next().unwrap().to_owned();
        let secret = link.split_once("secret=").unwrap().1.to_owned();
        let undo = json!({ "proof": proof, "secret": secret, "newPassword": NEW });
        ann.post("/email/undo/confirm", undo).await.expect_problem(422, "code_required");
        let undo = json!({ "proof": proof, "code": told.code().unwrap(), "newPassword": NEW });
        ann.post("/recovery/confirm", undo.clone()).await.expect_problem(410, "proof_gone");
        let restored = ann.post("/email/undo/confirm", undo).await.expect(200).json();
        ann.refresh().await.expect_problem(401, "session_revoked");
        let owner = ann.with_id_token(restored["tokens"]["idToken"].as_str().unwrap());
        assert_eq!(user(&owner).await["email"], ANN);
        let mut again = service.anon();
        again.sign_in(OTHER, PASSWORD).await.expect_problem(401, "invalid_credentials");
        again.sign_in(ANN, NEW).await.expect(200);
    }

    async fn the_browser_that_signed_up_needs_the_code_only(service: Mailing, "accounts.verification = 'required'") {
        let anon = service.anon();
        let asked = anon.post("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(202);
        let cookie = asked.header("set-cookie").split(';').next().unwrap().to_owned();
        let code = service.code(ANN, 1).await;
        let body = by_code(&asked.json()["proof"], &code);
        let own = anon.request(Method::POST, &path("/signup/confirm")).header("Cookie", cookie).json(&body);
        anon.send(own).await.expect(201);
    }

    async fn a_change_does_not_tell_whether_the_address_is_taken(service: Mailing, "accounts.verification = 'off'") {
        let (mut ann, mut bob) = (service.anon(), service.anon());
        ann.sign_up(ANN).await.expect(201);
        bob.sign_up("bob@example.org").await.expect(201);
        let change = json!({ "email": "bob@example.org", "currentPassword": PASSWORD });
        let asked = ann.put("/details", change).await.expect(202).json();
        let code = service.code("bob@example.org", 1).await;
        let taken = ann.call(Method::POST, "/email/confirm", Some(by_code(&asked["proof"], &code))).await;
        taken.expect_problem(409, "email_taken");
        assert_eq!(user(&bob).await["email"], "bob@example.org");
    }

    async fn the_language_of_mails_is_the_accounts(service: Mailing, "accounts.verification = 'off'") {
        let anon = service.anon();
        let german = anon.request(Method::POST, &path("/signup")).header("Accept-Language", "fr;q=0.3, de-CH, en;q=0.5")
            .json(&json!({ "email": ANN, "password": PASSWORD }));
        let signed_up = anon.send(german).await.expect(201).json();
        let ann = anon.with_id_token(signed_up["tokens"]["idToken"].as_str().unwrap());
        assert_eq!(user(&ann).await["locale"], "de-CH");
        anon.post("/recovery", json!({ "email": ANN })).await.expect(202);
        let german = service.mails_to(ANN, 1).await[0].subject();
        ann.put("/details", json!({ "locale": "en" })).await.expect(200);
        anon.post("/recovery", json!({ "email": ANN })).await.expect(202);
        let english = service.mails_to(ANN, 2).await[1].subject();
        assert_ne!(german, english);
        let refused = ann.put("/details", json!({ "locale": "deutsch!" })).await;
        refused.expect_problem(422, "invalid_fields");
        ann.put("/details", json!({ "locale": null })).await.expect(200);
        assert_eq!(user(&ann).await["locale"], json!(null));
    }
}
