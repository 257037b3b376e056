//! Sessions that begin with a proof of the mailbox.

use super::*;
use crate::support::{Mailing, on_both_stores_with_mail};

const ANN: &str = "ann@example.org";
const NEW: &str = "a password that ann remembers";

/// Asks for a mail, and answers the proof with its code, where so many mails are there then.
async fn asked(
    service: &Mailing,
    browser: &mut Browser,
    operation: &str,
    body: Value,
    mails: usize,
) -> Value {
    let anon = service.anon();
    let answer = browser.call(&anon, OWN, operation, Some(body)).await;
    let json = answer.expect(202).json();
    json!({ "proof": json["proof"]["id"], "code": service.code(ANN, mails).await })
}

/// Confirms it; the session's token is in the cookie then.
async fn confirm(
    service: &Mailing,
    browser: &mut Browser,
    operation: &str,
    body: Value,
    status: u16,
) -> String {
    let anon = service.anon();
    let before = browser.token(OWN).cloned();
    let answer = browser.call(&anon, OWN, operation, Some(body)).await;
    let id = id_token(&answer.expect(status));
    assert_ne!(browser.token(OWN).cloned(), before, "{operation}");
    assert_eq!(browser.claims(OWN)["sid"], Actor::claims(&id)["sid"]);
    assert_eq!(email_of(&anon, &id, browser).await, ANN);
    browser.refresh(&anon, OWN).await.expect(200);
    id
}

on_both_stores_with_mail! {
    async fn a_sign_up_that_was_proved(service: Mailing, "accounts.verification = 'required'") {
        let mut browser = Browser::default();
        let proof = asked(&service, &mut browser, "/signup", who("ann"), 1).await;
        assert_eq!(browser.token(OWN), None, "there is no account yet");
        confirm(&service, &mut browser, "/signup/confirm", proof, 201).await;
    }

    async fn a_sign_in_by_code(service: Mailing, "accounts.verification = 'required'\naccounts.sign_in_code = true") {
        let mut browser = Browser::default();
        let proof = asked(&service, &mut browser, "/signup", who("ann"), 1).await;
        confirm(&service, &mut browser, "/signup/confirm", proof, 201).await;
        let proof = asked(&service, &mut browser, "/signin/code", json!({ "email": ANN }), 2).await;
        confirm(&service, &mut browser, "/signin/code/confirm", proof, 200).await;
    }

    async fn a_recovery(service: Mailing) {
        let (anon, mut browser) = (service.anon(), Browser::default());
        browser.sign_up(&anon, OWN, "ann").await;
        let old = browser.token(OWN).unwrap().clone();
        let mut proof = asked(&service, &mut browser, "/recovery", json!({ "email": ANN }), 1).await;
        proof["newPassword"] = NEW.into();
        confirm(&service, &mut browser, "/recovery/confirm", proof, 200).await;
        anon.refresh_with(&old).await.expect_problem(401, "session_revoked");
    }

    async fn a_change_of_address_that_was_undone(
        service: Mailing, "accounts.verification = 'off'\nmail.links.undo = 'https://app.example.org/undo?proof={proof}&secret={secret}'"
    ) {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let by_code = |asked: &Answer, code: &str| Some(json!({ "proof": asked.json()["proof"]["id"], "code": code }));
        let asked = ann.call(Method::POST, "/email/verify", None).await.expect(202);
        let body = by_code(&asked, &service.code(ANN, 1).await);
        ann.call(Method::POST, "/email/confirm", body).await.expect(204);
        let change = json!({ "email": "other@example.org", "currentPassword": PASSWORD });
        let asked = ann.put("/details", change).await.expect(202);
        let body = by_code(&asked, &service.code("other@example.org", 1).await);
        ann.call(Method::POST, "/email/confirm", body).await.expect(204);

        let told = service.mails_to(ANN, 2).await.remove(1);
        let link = told.link().unwrap();
        let proof = link.split_once("proof=").unwrap().1.split('&').next().unwrap().to_owned();
        let undo = json!({ "proof": proof, "code": told.code().unwrap(), "newPassword": NEW });
        confirm(&service, &mut Browser::default(), "/email/undo/confirm", undo, 200).await;
    }
}
