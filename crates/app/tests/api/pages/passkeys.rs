//! Passkeys in the pages: what the module sends.

use super::*;
use crate::support::{ORIGIN, path};
use revolve_testkit::authenticator::VirtualAuthenticator;
use serde_json::Value;

/// Asks for a challenge as the module does.
async fn begun(browser: &Browser, target: &str, body: Value) -> Value {
    let request = browser
        .request(Method::POST, target)
        .header("Origin", ORIGIN)
        .json(&body);
    browser.load(request).await.expect(200).json()
}

/// The form of a page with a passkey in it.
async fn posts(
    browser: &Browser,
    page: &str,
    begun: &Value,
    credential: &Value,
    typed: &[(&str, &str)],
) -> Answer {
    let (challenge, credential) = (begun["challenge"].as_str().unwrap(), credential.to_string());
    let passkey = [("challenge", challenge), ("credential", &*credential)];
    browser.post(page, &[&passkey[..], typed].concat()).await
}

/// A sign-up with a passkey, up to the answer of the form.
async fn signs_up(browser: &Browser, key: &mut VirtualAuthenticator) -> Answer {
    let begun = begun(
        browser,
        &path("/signup/passkey/options"),
        json!({ "email": ANN }),
    )
    .await;
    let credential = key.create(&begun["publicKey"], ORIGIN);
    posts(
        browser,
        "/account/signup",
        &begun,
        &credential,
        &[("email", ANN)],
    )
    .await
}

async fn reauthenticates(browser: &Browser, key: &VirtualAuthenticator, back: &str) -> Answer {
    let begun = begun(browser, "/account/reauthenticate/options", json!({})).await;
    let credential = key
        .get(&begun["publicKey"], ORIGIN)
        .expect("it has a passkey");
    posts(
        browser,
        "/account/reauthenticate",
        &begun,
        &credential,
        &[("return_to", back)],
    )
    .await
}

on_both_stores_with_mail! {
    async fn a_passkey_signs_up_and_in_and_shows_who_deletes_the_account(service: Mailing) {
        let (browser, mut key) = (Browser::new(&service), VirtualAuthenticator::default());
        let page = browser.open("/account/signup").await.expect(200);
        assert!(page.text.contains("data-from=\"/api/account/signup/passkey/options\""), "{page:#?}");
        let codes = signs_up(&browser, &mut key).await.expect(200);
        assert_page(&codes);
        assert_eq!(codes.text.matches("<li><code>").count(), 10, "{codes:#?}");
        assert!(browser.open("/account").await.expect(200).text.contains(ANN));
        let taken = signs_up(&Browser::new(&service), &mut key).await.expect(409);
        assert!(taken.text.contains("There is an account with this address already"), "{taken:#?}");

        browser.sent("/account/signout", &[]).await;
        let page = browser.open("/account/signin").await.expect(200);
        assert!(page.text.contains("autocomplete=\"username webauthn\""), "{page:#?}");
        assert!(page.text.contains("data-autofill") && page.text.contains(" hidden>"), "{page:#?}");
        let begun = begun(&browser, &path("/signin/passkey/options"), json!({})).await;
        let credential = key.get(&begun["publicKey"], ORIGIN).unwrap();
        let foreign = key.get(&begun["publicKey"], "https://evil.example").unwrap();
        let refused = posts(&browser, "/account/signin", &begun, &foreign, &[]).await.expect(422);
        assert_page(&refused);
        assert!(refused.text.contains("can&#39;t be used here"), "{refused:#?}");
        let typed = [("email", ANN), ("return_to", "/account/delete")];
        let answer = posts(&browser, "/account/signin", &begun, &credential, &typed).await.expect(303);
        assert_eq!(answer.header("location"), "/account/delete");
        let late = posts(&Browser::new(&service), "/account/signin", &begun, &credential, &[]).await.expect(410);
        assert!(late.text.contains("That took too long"), "{late:#?}");

        for page in ["delete", "password", "export"] {
            let first = browser.open(&format!("/account/{page}")).await.expect(303);
            assert_eq!(first.header("location"), format!("/account/reauthenticate?return_to=%2Faccount%2F{page}"));
        }
        let page = browser.open("/account/reauthenticate?return_to=/account/delete").await.expect(200);
        assert_page(&page);
        assert!(!asks(&page, "currentPassword") && asks(&page, "recoveryCode"), "there is no password: {page:#?}");
        let answer = reauthenticates(&browser, &key, "/account/delete").await.expect(303);
        assert_eq!(answer.header("location"), "/account/delete");
        let page = browser.open("/account/delete").await.expect(200);
        assert!(!asks(&page, "currentPassword"), "{page:#?}");
        let gone = browser.sent("/account/delete", &[]).await;
        assert!(gone.text.contains("Your account is deleted"), "{gone:#?}");
        assert!(browser.cookies("revolve-reauthentication-").is_empty());
    }

    async fn an_account_without_a_password_chooses_one_and_another_address(service: Mailing) {
        let (browser, mut key) = (Browser::new(&service), VirtualAuthenticator::default());
        signs_up(&browser, &mut key).await.expect(200);
        let profile = browser.open("/account/profile").await.expect(200);
        assert!(profile.text.contains("Use a passkey or a code instead"), "{profile:#?}");
        reauthenticates(&browser, &key, "/account/profile").await.expect(303);
        let profile = browser.open("/account/profile").await.expect(200);
        assert!(!asks(&profile, "currentPassword"), "{profile:#?}");
        browser.post("/account/profile/email", &[("email", "ann-new@example.org")]).await.expect(303);
        let done = browser.sent("/account/password", &[("newPassword", NEW)]).await;
        assert!(done.text.contains("Your password is changed") && asks(&done, "currentPassword"), "{done:#?}");
        let step = browser.post_json("/signin", json!({ "email": ANN, "password": NEW })).await;
        step.expect_problem(403, "factor_required");
    }

    async fn a_sign_up_with_a_passkey_is_proved_where_it_began(service: Mailing, "accounts.verification = 'required'") {
        let (browser, mut key) = (Browser::new(&service), VirtualAuthenticator::default());
        let asked = signs_up(&browser, &mut key).await.expect(303);
        assert!(asked.header("location").starts_with("/account/signup/confirm?proof="), "{asked:#?}");
        let (link, code) = mail(&service, ANN, 1).await;
        let typed = [("proof", &*link.proof), ("code", &*code)];
        let elsewhere = Browser::new(&service).post("/account/signup/confirm", &typed).await.expect(403);
        assert_page(&elsewhere);
        assert!(elsewhere.text.contains("only in the browser in which"), "{elsewhere:#?}");
        let codes = browser.post("/account/signup/confirm", &typed).await.expect(200);
        assert_eq!(codes.text.matches("<li><code>").count(), 10, "{codes:#?}");
        assert!(codes.text.contains("href=\"/account/signup/confirm?done\""), "{codes:#?}");
        assert!(browser.open("/account").await.expect(200).text.contains(ANN));
    }

    async fn passkeys_are_added_renamed_and_removed(service: Mailing) {
        let (browser, mut key) = (Browser::new(&service), VirtualAuthenticator::default());
        browser.signs_up(ANN).await;
        let first = browser.open("/account/security/passkey").await.expect(303);
        assert_eq!(first.header("location"), "/account/reauthenticate?return_to=%2Faccount%2Fsecurity%2Fpasskey");
        let shown = [("currentPassword", PASSWORD), ("way", "currentPassword"), ("return_to", "/account/security/passkey")];
        let page = browser.sent("/account/reauthenticate", &shown).await;
        assert!(page.text.contains("data-passkey=\"create\"") && page.text.contains("<noscript>"), "{page:#?}");
        for (name, status) in [("Phone", 200), ("Key", 303)] {
            // Once more after the first factor, which ends what was shown before.
            browser.sent("/account/reauthenticate", &shown).await;
            let begun = begun(&browser, "/account/security/passkey/options", json!({})).await;
            let credential = key.create(&begun["publicKey"], ORIGIN);
            let added = posts(&browser, "/account/security/passkey", &begun, &credential, &[("name", name)]).await;
            assert_eq!(added.expect(status).text.matches("<li><code>").count(), if status == 200 { 10 } else { 0 });
        }
        let list = browser.open("/account/security").await.expect(200);
        assert_page(&list);
        assert!(list.text.contains("Phone") && list.text.contains("Key") && list.text.contains("Not used yet"), "{list:#?}");
        let links: Vec<_> = list.text.split("href=\"").filter_map(|rest| rest.split('"').next()).collect();
        let [rename, remove] = ["rename", "remove"].map(|page| {
            let page = format!("/account/security/{page}?passkey=");
            links.iter().find(|link| link.starts_with(&page)).expect("it is listed").to_string()
        });
        let id = rename.split_once('=').unwrap().1;
        let page = browser.open(&rename).await.expect(200);
        assert!(page.text.contains("value=\"Phone\""), "{page:#?}");
        let long = "x".repeat(200);
        for (name, status) in [("", 422), (&*long, 422), ("Ann's phone", 303)] {
            browser.post("/account/security/rename", &[("passkey", id), ("name", name)]).await.expect(status);
        }
        assert_page(&browser.open("/account/security/rename?passkey=b1c493d0-a8e7-4655-b29d-5d22019a7c0e").await.expect(404));
        assert_page(&browser.open(&remove).await.expect(200));
        for _ in 0..2 {
            let list = browser.sent("/account/security/remove", &[("passkey", id)]).await;
            assert!(!list.text.contains("Ann&#39;s phone") && list.text.contains("Key"), "{list:#?}");
        }
        // Without a reauthentication nothing is removed or begun.
        browser.forget("revolve-reauthentication-");
        let away = browser.post("/account/security/remove", &[("passkey", id)]).await.expect(303);
        assert_eq!(away.header("location"), format!("/account/reauthenticate?return_to=%2Faccount%2Fsecurity%2Fremove%3Fpasskey%3D{id}"));
        browser.post("/account/security/passkey/options", &[]).await.expect(403);
    }
}
