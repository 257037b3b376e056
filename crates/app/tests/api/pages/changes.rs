//! Changes of an account on its pages: its profile, its address, its password.

use super::{ANN, NEW, mail, signs_in};
use crate::{
    pages::browser::{Browser, asks, assert_page},
    support::{Actor, Mailing, PASSWORD, on_both_stores_with_mail},
};
use serde_json::Value;

const OTHER: &str = "ann@example.net";

/// What the API says of an account.
async fn user(service: &Mailing, email: &str) -> Value {
    let mut actor = service.anon();
    actor.sign_in(email, PASSWORD).await.expect(200);
    actor.get("/me").await.expect(200).json()["user"].clone()
}

on_both_stores_with_mail! {
    async fn a_profile_is_saved_as_it_was_typed(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let page = browser.open("/account/profile").await.expect(200);
        assert_page(&page);
        for autocomplete in ["name", "url", "photo", "language", "email", "current-password"] {
            assert!(page.text.contains(&format!("autocomplete=\"{autocomplete}\"")), "{autocomplete}: {page:#?}");
        }
        let typed = [("name", "Ann <b>"), ("website", "https://example.org/"), ("imageUrl", "https://example.org/ann.png"), ("locale", "de")];
        for _ in 0..2 {
            let saved = browser.sent("/account/profile", &typed).await;
            assert!(saved.text.contains("Ihr Profil ist gespeichert.") && saved.text.contains("value=\"Ann &#60;b&#62;\""), "{saved:#?}");
            assert!(saved.text.contains("<option value=\"de\" selected>"), "{saved:#?}");
        }
        let stored = user(&service, ANN).await;
        assert_eq!((&stored["name"], &stored["website"], &stored["locale"]), (&"Ann <b>".into(), &"https://example.org/".into(), &"de".into()));
        let activity = browser.open("/account/activity").await.expect(200);
        assert_eq!(activity.text.matches("Profil geändert").count(), 1, "the second time nothing differed: {activity:#?}");

        let wrong = [("name", "Ann B."), ("website", "example"), ("imageUrl", "https://127.0.0.1/a.png")];
        let refused = browser.post("/account/profile", &wrong).await.expect(422);
        assert_page(&refused);
        assert_eq!(refused.text.matches("aria-invalid").count(), 2, "{refused:#?}");
        for (_, kept) in wrong {
            assert!(refused.text.contains(&format!("value=\"{kept}\"")), "{kept}: {refused:#?}");
        }
        browser.sent("/account/profile", &[("name", " ")]).await;
        let stored = user(&service, ANN).await;
        assert_eq!((&stored["name"], &stored["imageUrl"]), (&Value::Null, &Value::Null), "what is empty is cleared");
    }

    async fn an_address_changes_by_the_password_and_the_code(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        assert_eq!(browser.open("/account/profile/email").await.expect(303).header("location"), "/account/profile");
        for (password, status) in [("", 422), (NEW, 403)] {
            let refused = browser.post("/account/profile/email", &[("email", OTHER), ("currentPassword", password)]).await.expect(status);
            assert_page(&refused);
            assert!(refused.text.contains(&format!("value=\"{OTHER}\"")), "what was typed stays: {refused:#?}");
            assert!(!refused.text.contains(NEW), "but for the password: {refused:#?}");
            assert_eq!(refused.text.matches("aria-invalid").count(), 1, "{refused:#?}");
        }
        let answer = browser.post("/account/profile/email", &[("email", OTHER), ("currentPassword", PASSWORD)]).await.expect(303);
        let (link, code) = mail(&service, OTHER, 1).await;
        assert_eq!(answer.header("location"), format!("/account/email/change?proof={}", link.proof));
        let page = browser.open(answer.header("location")).await.expect(200);
        assert!(asks(&page, "code") && !asks(&page, "password"), "it is signed in: {page:#?}");
        let done = browser.sent("/account/email/change", &[("proof", &link.proof), ("code", &code)]).await;
        assert!(done.text.contains("Your address is changed"), "{done:#?}");
        assert!(browser.open("/account").await.expect(200).text.contains(OTHER));
        assert!(signs_in(&service, OTHER, PASSWORD).await);
    }

    async fn the_link_to_a_new_address_needs_one_click_where_its_user_is_signed_in(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        browser.post("/account/profile/email", &[("email", OTHER), ("currentPassword", PASSWORD)]).await.expect(303);
        let (link, _) = mail(&service, OTHER, 1).await;
        let page = browser.open(&link.target()).await.expect(200);
        assert!(!asks(&page, "password") && !asks(&page, "code"), "{page:#?}");
        let eve = Browser::new(&service);
        eve.signs_up("eve@example.org").await;
        let refused = eve.submit(&link, &[]).await.expect(403);
        assert!(asks(&refused, "password"), "another's session is none of the account's: {refused:#?}");
        browser.done(browser.submit(&link, &[]).await).await;
        assert!(browser.open("/account").await.expect(200).text.contains(OTHER));
    }

    async fn a_password_is_changed_and_other_devices_are_signed_out(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let mut phone: Actor = service.anon();
        phone.sign_in(ANN, PASSWORD).await.expect(200);
        let page = browser.open("/account/password").await.expect(200);
        assert_page(&page);
        assert!(page.text.contains(&format!("autocomplete=\"username\" value=\"{ANN}\" hidden")), "for password managers: {page:#?}");
        for (current, new, status, said) in [
            ("", NEW, 422, "Enter the password."),
            (PASSWORD, "", 422, "Choose a password."),
            (PASSWORD, "short", 422, "at least 8 characters"),
            (PASSWORD, "password1", 422, "easy to guess"),
            ("another one", NEW, 403, "The password is wrong."),
        ] {
            let refused = browser.post("/account/password", &[("currentPassword", current), ("newPassword", new)]).await.expect(status);
            assert_page(&refused);
            assert!(refused.text.contains(said) && refused.text.contains("aria-invalid"), "{current} {new}: {refused:#?}");
            assert!(!refused.text.contains(PASSWORD) && !refused.text.contains(NEW), "{refused:#?}");
        }
        phone.refresh().await.expect(200);
        // The second one of a double click finds it changed.
        for _ in 0..2 {
            let done = browser.sent("/account/password", &[("currentPassword", PASSWORD), ("newPassword", NEW)]).await;
            assert!(done.text.contains("Your password is changed"), "{done:#?}");
        }
        phone.refresh().await.expect_problem(401, "session_revoked");
        assert!(signs_in(&service, ANN, NEW).await && !signs_in(&service, ANN, PASSWORD).await);
    }
}
