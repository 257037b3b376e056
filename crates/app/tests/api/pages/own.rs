//! The pages of an account that show something, and those that end sessions, export it and delete it.

use super::{ANN, NEW, mail, signs_in};
use crate::{
    pages::browser::{Browser, asks, assert_page},
    support::{Answer, Mailing, PASSWORD, on_both_stores_with_mail},
};
use serde_json::{Value, json};

/// The sessions that a page lists.
fn listed(page: &Answer) -> Vec<String> {
    let items = page.text.split("name=\"session\" value=\"").skip(1);
    let ids = items.map(|item| item.split('"').next().unwrap().to_owned());
    ids.collect()
}

/// Somebody who is signed in on the page of one browser, with two other devices.
async fn with_devices(
    service: &Mailing,
) -> (Browser, crate::support::Actor, crate::support::Actor) {
    let browser = Browser::new(service);
    browser.signs_up(ANN).await;
    let mut others = [service.anon(), service.anon()];
    for other in &mut others {
        other.sign_in(ANN, PASSWORD).await.expect(200);
    }
    let [phone, tablet] = others;
    (browser, phone, tablet)
}

on_both_stores_with_mail! {
    async fn a_device_is_signed_out_and_the_others_stay(service: Mailing) {
        let (browser, mut phone, mut tablet) = with_devices(&service).await;
        let page = browser.open("/account/devices").await.expect(200);
        assert_page(&page);
        let sessions = listed(&page);
        assert_eq!((sessions.len(), page.text.matches("This device").count()), (3, 1), "{page:#?}");
        assert!(sessions.contains(&phone.session));
        // The second time it is signed out already.
        for _ in 0..2 {
            let page = browser.sent("/account/devices", &[("session", &phone.session)]).await;
            assert!(page.text.contains("The device is signed out.") && listed(&page).len() == 2, "{page:#?}");
        }
        phone.refresh().await.expect_problem(401, "session_revoked");
        tablet.refresh().await.expect(200);
        let unknown = [("session", "b1c493d0-a8e7-4655-b29d-5d22019a7c0e")];
        browser.sent("/account/devices", &unknown).await;
        assert_page(&browser.post("/account/devices", &[("session", "x")]).await.expect(422));
        assert_page(&browser.post("/account/devices", &[("scope", "x")]).await.expect(422));

        browser.sent("/account/devices", &[("scope", "others")]).await;
        tablet.refresh().await.expect_problem(401, "session_revoked");
        let page = browser.open("/account/devices").await.expect(200);
        let [own] = &listed(&page)[..] else {
            panic!("this one alone: {page:#?}");
        };
        let out = browser.sent("/account/devices", &[("session", own)]).await;
        assert!(out.text.contains("You are signed out."), "{out:#?}");
        browser.open("/account").await.expect(303);
    }

    async fn everywhere_is_here_too(service: Mailing) {
        let (browser, mut phone, _) = with_devices(&service).await;
        let out = browser.sent("/account/devices", &[("scope", "everywhere")]).await;
        assert!(out.text.contains("You are signed out."), "{out:#?}");
        assert!(browser.cookies("revolve-refresh-").is_empty());
        phone.refresh().await.expect_problem(401, "session_revoked");
        browser.signs_in(ANN, PASSWORD).await;
    }

    async fn what_happened_is_told_page_by_page(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        for number in 0..21 {
            let name = format!("Ann {number}");
            browser.sent("/account/profile", &[("name", &name)]).await;
        }
        let first = browser.open("/account/activity").await.expect(200);
        assert_page(&first);
        assert_eq!(first.text.matches("Profile changed: name").count(), 20, "{first:#?}");
        assert!(!first.text.contains("Account created") && !first.text.contains(">Newest<"), "{first:#?}");
        let older = first.text.split("class=\"older\" href=\"").nth(1).expect("there is more");
        let older = older.split('"').next().unwrap();
        let second = browser.open(older).await.expect(200);
        assert_page(&second);
        assert!(second.text.contains("Account created") && second.text.contains("127.0.0.1"), "{second:#?}");
        assert!(second.text.contains(">Newest<") && !second.text.contains(">Older<"), "{second:#?}");
        assert_page(&browser.open("/account/activity?after=x").await.expect(422));
        let german = Browser::german(&service);
        german.signs_up("bob@example.org").await;
        german.sent("/account/profile", &[("name", "Bob"), ("locale", "de-AT")]).await;
        let page = german.open("/account/activity").await.expect(200);
        assert!(page.text.contains("Konto angelegt") && page.text.contains("Profil geändert: Name<"), "{page:#?}");
    }

    async fn an_export_needs_the_password_and_is_a_file(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let page = browser.open("/account/export").await.expect(200);
        assert_page(&page);
        assert!(asks(&page, "currentPassword"), "{page:#?}");
        for (typed, status, said) in [(&[][..], 422, "Enter the password"), (&[("currentPassword", NEW)][..], 403, "The password is wrong")] {
            let refused = browser.post("/account/export", typed).await.expect(status);
            assert_page(&refused);
            assert!(refused.text.contains(said) && refused.text.contains("aria-invalid"), "{refused:#?}");
        }
        for _ in 0..2 {
            let file = browser.post("/account/export", &[("currentPassword", PASSWORD)]).await.expect(200);
            assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.json\"");
            assert_eq!((file.header("content-type"), file.header("cache-control")), ("application/json", "no-store"));
            let document: Value = file.json();
            assert_eq!(document["account"]["email"], ANN);
        }
    }

    async fn a_deletion_needs_the_password_and_leaves_nothing(service: Mailing) {
        let (browser, mut phone, _) = with_devices(&service).await;
        let page = browser.open("/account/delete").await.expect(200);
        assert_page(&page);
        for (typed, status) in [(&[][..], 422), (&[("currentPassword", NEW)][..], 403)] {
            let refused = browser.post("/account/delete", typed).await.expect(status);
            assert_page(&refused);
            assert!(asks(&refused, "currentPassword"), "{refused:#?}");
        }
        phone.refresh().await.expect(200);
        let gone = browser.sent("/account/delete", &[("currentPassword", PASSWORD)]).await;
        assert!(gone.text.contains("Your account is deleted"), "{gone:#?}");
        assert!(browser.cookies("revolve-refresh-").is_empty() && browser.cookies("revolve-id-").is_empty());
        phone.refresh().await.expect(401);
        assert!(!signs_in(&service, ANN, PASSWORD).await);
        let again = browser.post("/account/delete", &[("currentPassword", PASSWORD)]).await.expect(303);
        assert_eq!(again.header("location"), "/account/signin?return_to=%2Faccount%2Fdelete", "nobody is signed in");
    }

    async fn a_deletion_that_is_sent_twice_is_one_and_no_page_asks_to_sign_in_to_it(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let (cookies, typed) = (browser.cookies("revolve-"), [("currentPassword", PASSWORD)]);
        browser.post("/account/delete", &typed).await.expect(303);
        for (path, is_form) in [("/account/delete", true), ("/account/profile", true), ("/account/devices", false)] {
            // The browser has missed the first answer.
            for (name, value) in &cookies {
                browser.keep(name, value);
            }
            let away = if is_form { browser.post(path, &typed).await } else { browser.open(path).await };
            assert_eq!(away.expect(303).header("location"), "/account/delete?done", "{path}");
            assert!(browser.cookies("revolve-refresh-").is_empty() && browser.cookies("revolve-id-").is_empty());
        }
        assert!(browser.open("/account/delete?done").await.text.contains("Your account is deleted"));
    }

    async fn signing_out_everywhere_twice_does_not_say_that_nothing_was_changed(service: Mailing) {
        let (browser, _, _) = with_devices(&service).await;
        let cookies = browser.cookies("revolve-");
        for location in ["/account/signin?why=signed-out", "/account/signin?why=ended-by-form&return_to=%2Faccount%2Fdevices"] {
            for (name, value) in &cookies {
                browser.keep(name, value);
            }
            let away = browser.post("/account/devices", &[("scope", "everywhere")]).await.expect(303);
            assert_eq!(away.header("location"), location);
        }
        let page = browser.open("/account/signin?why=ended-by-form").await.expect(200);
        assert!(page.text.contains("by this form or before") && !page.text.contains("nothing was changed"), "{page:#?}");
    }

    async fn an_account_is_read_in_its_own_language(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let english = browser.open("/account").await.expect(200);
        assert!(english.text.contains("<html lang=\"en\" dir=\"ltr\">"), "{english:#?}");
        browser.sent("/account/profile", &[("locale", "de")]).await;
        for (path, said) in [("/account", "Ihr Konto"), ("/account/devices", "Dieses Gerät"), ("/account/password", "Jetziges Passwort"), ("/account/signout", "Abmelden")] {
            let page = browser.open(path).await.expect(200);
            assert!(page.text.contains("<html lang=\"de\" dir=\"ltr\">") && page.text.contains(said), "{path}: {page:#?}");
        }
        let away = Browser::new(&service).open("/account/signin").await.expect(200);
        assert!(away.text.contains("<html lang=\"en\""), "the browser's, where nobody is signed in");
    }

    async fn the_first_page_sends_the_mail_that_confirms_the_address(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let asked = browser.post("/account", &[]).await.expect(303);
        let (link, code) = mail(&service, ANN, 1).await;
        assert_eq!(asked.header("location"), format!("/account/email/confirm?proof={}", link.proof));
        let page = browser.open(asked.header("location")).await.expect(200);
        assert!(asks(&page, "code"), "{page:#?}");
        let done = browser.sent("/account/email/confirm", &[("proof", &link.proof), ("code", &code)]).await;
        assert!(done.text.contains("Your address is confirmed"), "{done:#?}");
        let home = browser.open("/account").await.expect(200);
        assert!(home.text.contains("Address confirmed") && !home.text.contains("Send me a mail"), "{home:#?}");
        let again = browser.post("/account", &[]).await.expect(409);
        assert_page(&again);
        assert!(again.text.contains("confirmed already"), "{again:#?}");
        let mut phone = service.anon();
        phone.sign_in(ANN, PASSWORD).await.expect(200);
        assert_eq!(phone.get("/me").await.json()["user"]["emailVerified"], json!(true));
    }
}
