//! `/account/security…`: authenticator apps and recovery codes, by forms alone, and a reset that is stopped.

use super::*;
use crate::{pages::browser::hidden, support::TotpApp};
use serde_json::json;

/// Shows the password, and goes back there.
async fn reauthenticates(browser: &Browser, back: &str) -> Answer {
    let form = [
        ("way", "currentPassword"),
        ("currentPassword", PASSWORD),
        ("return_to", back),
    ];
    browser.sent("/account/reauthenticate", &form).await
}

/// Sets up an app; answers it with the page of the recovery codes.
async fn sets_up(browser: &Browser) -> (TotpApp, Answer) {
    reauthenticates(browser, "/account/security/app").await;
    let page = browser.post("/account/security/app", &[]).await.expect(200);
    assert_page(&page);
    let mut app = app_of(&page);
    let code = app.code();
    let codes = confirms(browser, &page, &code).await.expect(200);
    assert_page(&codes);
    (app, codes)
}

fn app_of(page: &Answer) -> TotpApp {
    let secret = hidden(page, "secret").expect("the form has it");
    let uri = page
        .text
        .split("href=\"otpauth://")
        .nth(1)
        .and_then(|link| link.split('"').next());
    let uri = format!("otpauth://{}", uri.expect("there is a link")).replace("&#38;", "&");
    TotpApp::new(&json!({ "secret": secret, "uri": uri }))
}

async fn confirms(browser: &Browser, page: &Answer, code: &str) -> Answer {
    let secret = hidden(page, "secret").expect("the form has it");
    let form = [("secret", &*secret), ("totp", code)];
    browser.post("/account/security/app", &form).await
}

/// The recovery codes of a page.
fn codes(page: &Answer) -> Vec<String> {
    let items = page.text.split("<li><code>").skip(1);
    items
        .map(|item| item.split('<').next().unwrap().to_owned())
        .collect()
}

on_both_stores_with_mail! {
    async fn an_app_is_set_up_used_and_removed(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let list = browser.open("/account/security").await.expect(200);
        assert_page(&list);
        assert!(list.text.contains("href=\"/account/security/app\"") && !list.text.contains("/security/codes"), "{list:#?}");
        for page in ["app", "codes", "remove"] {
            let first = browser.open(&format!("/account/security/{page}")).await.expect(303);
            let back = format!("/account/reauthenticate?return_to=%2Faccount%2Fsecurity%2F{page}");
            assert_eq!(first.header("location"), back);
            assert_eq!(browser.post(&format!("/account/security/{page}"), &[]).await.expect(303).header("location"), back);
        }
        for (typed, status, said) in [("", 422, "Enter the password."), (NEW, 403, "The password is wrong.")] {
            let form = [("way", "currentPassword"), ("currentPassword", typed)];
            let refused = browser.post("/account/reauthenticate", &form).await.expect(status);
            assert_page(&refused);
            assert!(refused.text.contains(said) && !refused.text.contains(NEW), "{refused:#?}");
        }
        let page = reauthenticates(&browser, "/account/security/app").await;
        assert!(page.text.contains("Show the QR code"), "{page:#?}");
        assert_eq!(browser.cookies("revolve-reauthentication-").len(), 1);
        let page = browser.post("/account/security/app", &[]).await.expect(200);
        assert_page(&page);
        assert!(page.text.contains("<svg xmlns") && page.text.contains("href=\"otpauth://totp/"), "{page:#?}");
        let mut app = app_of(&page);
        let refused = confirms(&browser, &page, &app.wrong()).await.expect(422);
        assert_page(&refused);
        assert!(refused.text.contains("The code is wrong.") && hidden(&refused, "secret") == hidden(&page, "secret"), "{refused:#?}");
        assert!(refused.text.contains("<svg xmlns"), "the QR code is there once more: {refused:#?}");
        let code = app.code();
        let shown = confirms(&browser, &refused, &code).await.expect(200);
        assert_page(&shown);
        assert_eq!(codes(&shown).len(), 10, "{shown:#?}");
        // The first factor ends what was shown before.
        let first = browser.open("/account/security/codes").await.expect(303);
        assert_eq!(first.header("location"), "/account/reauthenticate?return_to=%2Faccount%2Fsecurity%2Fcodes");
        let reloaded = confirms(&browser, &page, &code).await.expect(303);
        assert_eq!(reloaded.header("location"), "/account/security", "the answer with the codes is reloaded");
        let before = reauthenticates(&browser, "/account/security/codes").await;
        assert_eq!(confirms(&browser, &page, &code).await.expect(303).header("location"), "/account/security", "it is done");
        let list = browser.open("/account/security").await.expect(200);
        assert!(list.text.contains("10 are left") && !list.text.contains("/security/app\""), "{list:#?}");
        assert!(list.text.contains("Confirm your e-mail address, too"), "a recovery would take it: {list:#?}");
        assert!(codes(&shown).iter().all(|code| !list.text.contains(code)), "{list:#?}");

        let form = [("replaces", &*hidden(&before, "replaces").unwrap())];
        let new = browser.post("/account/security/codes", &form).await.expect(200);
        assert_page(&new);
        assert!(codes(&new).len() == 10 && codes(&new) != codes(&shown), "{new:#?}");
        let reloaded = browser.post("/account/security/codes", &form).await.expect(200);
        assert!(reloaded.text.contains("Meanwhile other codes were made") && codes(&reloaded).is_empty(), "{reloaded:#?}");
        browser.forget("revolve-reauthentication-");
        let page = browser.open("/account/reauthenticate").await.expect(200);
        assert!(asks(&page, "currentPassword") && page.text.contains("value=\"recoveryCode\""), "{page:#?}");
        let page = browser.post("/account/reauthenticate", &[("by", "totp")]).await.expect(200);
        assert!(asks(&page, "totp"), "{page:#?}");
        let used = browser.post("/account/reauthenticate", &[("way", "totp"), ("totp", &code)]).await.expect(422);
        assert!(used.text.contains("used before"), "{used:#?}");
        let form = [("way", "recoveryCode"), ("recoveryCode", &*codes(&new)[3]), ("return_to", "/account/security/remove")];
        let page = browser.sent("/account/reauthenticate", &form).await;
        assert!(page.text.contains("class=\"grave\""), "{page:#?}");
        let list = browser.sent("/account/security/remove", &[]).await;
        assert!(list.text.contains("Below is what your account has now.") && list.text.contains("href=\"/account/security/app\""), "{list:#?}");
        let activity = browser.open("/account/activity").await.expect(200);
        for told in ["New way to sign in", "Way to sign in removed", "Recovery code used", "Recovery codes made"] {
            assert!(activity.text.contains(told), "{told}: {activity:#?}");
        }
    }

    async fn who_must_have_a_factor_is_led_to_set_one_up(service: Mailing, "accounts.require_factor = 'always'") {
        let browser = Browser::new(&service);
        let form = [("email", ANN), ("password", PASSWORD)];
        browser.post("/account/signup", &form).await.expect(303);
        for page in ["", "/profile", "/devices", "/password", "/delete"] {
            let away = browser.open(&format!("/account{page}")).await.expect(303);
            assert_eq!(away.header("location"), "/account/security", "{page}");
        }
        let list = browser.open("/account/security").await.expect(200);
        assert!(list.text.contains("Set one up to go on."), "{list:#?}");
        sets_up(&browser).await;
        assert!(browser.open("/account").await.expect(200).text.contains(ANN));
        let list = browser.open("/account/security").await.expect(200);
        assert!(!list.text.contains("Set one up to go on."), "{list:#?}");
        reauthenticates(&browser, "/account/security/remove").await;
        let last = browser.post("/account/security/remove", &[]).await.expect(409);
        assert_page(&last);
        assert!(last.text.contains("Your account needs it"), "{last:#?}");
    }

    async fn nobody_is_shown_the_app_of_another_session(service: Mailing) {
        let [browser, thief] = [Browser::new(&service), Browser::new(&service)];
        browser.signs_up(ANN).await;
        thief.signs_in(ANN, PASSWORD).await;
        let begins = async |browser: &Browser| {
            reauthenticates(browser, "/account/security/app").await;
            browser.post("/account/security/app", &[]).await.expect(200)
        };
        reauthenticates(&thief, "/account/security/app").await;
        let page = begins(&browser).await;
        for (secret, totp) in [("x", "x"), ("x", "000000")] {
            let form = [("secret", secret), ("totp", totp)];
            let led = thief.post("/account/security/app", &form).await.expect(303);
            assert_eq!(led.header("location"), "/account/security");
        }
        // Who has scanned one code is not shown another as if it were the same.
        begins(&thief).await;
        let own = app_of(&page).code();
        let led = confirms(&browser, &page, &own).await.expect(303);
        assert_eq!(led.header("location"), "/account/security");
        let list = browser.open("/account/security").await.expect(200);
        assert!(list.text.contains("href=\"/account/security/app\""), "{list:#?}");
    }

    async fn a_reset_that_an_operator_has_ordered_is_shown_and_stopped(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        sets_up(&browser).await;
        service.revolve(&["user", "factors", ANN, "--reset", "--yes"]).await.expect(0);
        let list = browser.open("/account/security").await.expect(200);
        assert_page(&list);
        assert!(list.text.contains("All of this is to be removed"), "{list:#?}");
        for _ in 0..2 {
            let list = browser.sent("/account/security", &[]).await;
            assert!(!list.text.contains("All of this is to be removed") && list.text.contains("10 are left"), "{list:#?}");
        }
    }
}
