//! Pages for addresses: of a sign-up, to verify, to change, to take back, of another person's account.

use super::{ANN, NEW, mail, signs_in};
use crate::{
    pages::browser::{Browser, asks, assert_page},
    support::{Actor, Mailing, PASSWORD, on_both_stores_with_mail},
};
use serde_json::{Value, json};

const OTHER: &str = "ann@example.net";

async fn user(actor: &Actor) -> Value {
    actor.get("/me").await.expect(200).json()["user"].clone()
}

on_both_stores_with_mail! {
    async fn a_sign_up_is_confirmed_in_its_browser_by_the_link_alone(service: Mailing, "accounts.verification = 'required'") {
        let browser = Browser::new(&service);
        browser.post_json("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(202);
        let (link, _) = mail(&service, ANN, 1).await;
        assert_eq!(link.path, "/account/signup/confirm");
        let robot = Browser::new(&service);
        let refused = robot.submit(&link, &[]).await.expect(422);
        assert_page(&refused);
        assert!(asks(&refused, "code") && asks(&refused, "password"), "{refused:#?}");
        assert!(!signs_in(&service, ANN, PASSWORD).await, "a link alone makes no account");
        let page = browser.open(&link.target()).await.expect(200);
        assert_page(&page);
        assert!(!asks(&page, "code") && !asks(&page, "password"), "one click: {page:#?}");
        let answer = browser.submit(&link, &[]).await;
        let done = browser.done(answer).await;
        assert!(done.text.contains("You are signed in"), "{done:#?}");
        let home = browser.open("/account").await.expect(200);
        assert!(home.text.contains(ANN) && home.text.contains("Address confirmed"), "{home:#?}");
        let mut ann = service.anon();
        ann.sign_in(ANN, PASSWORD).await.expect(200);
        let sessions = ann.get("/sessions").await.expect(200).json();
        assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(2), "here and in the browser: {sessions}");
        assert_eq!(user(&ann).await["emailVerified"], true);
    }

    async fn a_sign_up_is_confirmed_elsewhere_by_code_and_password(service: Mailing, "accounts.verification = 'required'") {
        service.anon().post("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(202);
        let (link, code) = mail(&service, ANN, 1).await;
        let phone = Browser::new(&service);
        let refused = phone.submit(&link, &[("code", &code)]).await.expect(422);
        assert!(refused.text.contains("Enter the password") && refused.text.contains(&code), "{refused:#?}");
        let refused = phone.submit(&link, &[("code", &code), ("password", NEW)]).await.expect(403);
        assert_page(&refused);
        assert!(refused.text.contains("The password is wrong"), "{refused:#?}");
        phone.done(phone.submit(&link, &[("code", &code), ("password", PASSWORD)]).await).await;
        assert!(signs_in(&service, ANN, PASSWORD).await);
    }

    async fn an_address_is_verified_where_it_was_signed_up_and_elsewhere_by_code_and_password(service: Mailing, "accounts.verification = 'optional'") {
        let browser = Browser::new(&service);
        let begun = browser.post_json("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(201).json();
        let ann = browser.with_id_token(begun["tokens"]["idToken"].as_str().unwrap());
        let (link, code) = mail(&service, ANN, 1).await;
        assert_eq!(link.path, "/account/email/confirm");
        let page = browser.open(&link.target()).await.expect(200);
        assert!(!asks(&page, "code") && page.text.contains("This was not me"), "{page:#?}");

        let phone = Browser::new(&service);
        let refused = phone.submit(&link, &[]).await.expect(403);
        assert_page(&refused);
        assert!(asks(&refused, "code") && asks(&refused, "password"), "{refused:#?}");
        let refused = phone.submit(&link, &[("code", &code), ("password", NEW)]).await.expect(403);
        assert!(refused.text.contains("The password is wrong"), "{refused:#?}");
        assert_eq!(user(&ann).await["emailVerified"], false);

        browser.done(browser.submit(&link, &[]).await).await;
        assert_eq!(user(&ann).await["emailVerified"], true);

        service.anon().sign_up("bob@example.org").await.expect(201);
        let (link, code) = mail(&service, "bob@example.org", 1).await;
        let done = phone.done(phone.submit(&link, &[("code", &code), ("password", PASSWORD)]).await).await;
        assert!(done.text.contains("Your address is confirmed"), "{done:#?}");
        phone.submit(&link, &[("code", &code), ("password", PASSWORD)]).await.expect(410);
    }

    async fn who_reads_the_mailbox_disowns_an_account_by_the_code(service: Mailing, "accounts.verification = 'optional'") {
        let mut stranger = service.anon();
        stranger.sign_up(ANN).await.expect(201);
        let (link, code) = mail(&service, ANN, 1).await;
        let browser = Browser::new(&service);
        let page = browser.open(&link.target()).await.expect(200);
        let target = format!("/account/email/disown?proof={}", link.proof);
        assert!(page.text.contains(&format!("href=\"{target}\"")), "{page:#?}");
        let page = browser.open(&target).await.expect(200);
        assert_page(&page);
        assert!(asks(&page, "code"), "{page:#?}");
        for clicked in [&[("proof", &*link.proof)][..], &[("proof", &*link.proof), ("secret", &*link.secret)]] {
            for _ in 0..6 {
                let refused = browser.post("/account/email/disown", clicked).await.expect(422);
                assert!(refused.text.contains("aria-invalid=\"true\""), "{refused:#?}");
            }
        }
        stranger.refresh().await.expect(200);
        let typed = [("proof", &*link.proof), ("code", &*code)];
        browser.done(browser.post("/account/email/disown", &typed).await).await;
        stranger.refresh().await.expect_problem(401, "session_revoked");
        assert!(!signs_in(&service, ANN, PASSWORD).await);
    }

    async fn an_address_is_changed_by_the_password_and_taken_back_by_the_code(service: Mailing, "accounts.verification = 'optional'") {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let phone = Browser::new(&service);
        let (link, code) = mail(&service, ANN, 1).await;
        phone.done(phone.submit(&link, &[("code", &code), ("password", PASSWORD)]).await).await;

        ann.put("/details", json!({ "email": OTHER, "currentPassword": PASSWORD })).await.expect(202);
        let (link, code) = mail(&service, OTHER, 1).await;
        assert_eq!(link.path, "/account/email/change");
        let page = phone.open(&link.target()).await.expect(200);
        assert!(!asks(&page, "password") && !asks(&page, "code"), "it may be signed in: {page:#?}");
        let refused = phone.submit(&link, &[]).await.expect(403);
        assert_page(&refused);
        assert!(asks(&refused, "password") && asks(&refused, "code"), "it is not: {refused:#?}");
        let refused = phone.submit(&link, &[("password", PASSWORD)]).await.expect(422);
        assert!(refused.text.contains("This is not the browser"), "the link alone does not do: {refused:#?}");
        assert_eq!(user(&ann).await["email"], ANN);
        phone.done(phone.submit(&link, &[("code", &code), ("password", PASSWORD)]).await).await;
        assert_eq!(user(&ann).await["email"], OTHER);

        let (link, code) = mail(&service, ANN, 2).await;
        assert_eq!(link.path, "/account/email/undo");
        let page = phone.open(&link.target()).await.expect(200);
        assert_page(&page);
        let refused = phone.submit(&link, &[("newPassword", NEW)]).await.expect(422);
        assert!(asks(&refused, "code"), "{refused:#?}");
        assert!(refused.text.contains("The address was not changed in this browser"), "nobody asked for the mail: {refused:#?}");
        phone.done(phone.submit(&link, &[("code", &code), ("newPassword", NEW)]).await).await;
        ann.refresh().await.expect_problem(401, "session_revoked");
        assert!(!signs_in(&service, OTHER, NEW).await);
        assert!(signs_in(&service, ANN, NEW).await);
    }
}
