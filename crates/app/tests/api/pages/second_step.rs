//! `/account/signin/factor`: the second step of a sign-in, after a password, a code by mail or a recovery.

use super::*;
use crate::{
    pages::browser::hidden,
    support::{ORIGIN, TotpApp},
};
use revolve_testkit::authenticator::VirtualAuthenticator;
use serde_json::Value;

/// Ann, who has an authenticator app, and her recovery codes.
async fn with_app(service: &Mailing) -> (Actor, TotpApp, Vec<String>) {
    let ann = service.sign_up("ann").await;
    let (phone, codes) = ann.set_up_totp().await;
    (ann, phone, codes)
}

/// The page that a password leads to.
async fn first_step(browser: &Browser) -> Answer {
    let form = [
        ("email", ANN),
        ("password", PASSWORD),
        ("return_to", "/account/devices"),
    ];
    let page = browser.post("/account/signin", &form).await.expect(200);
    assert_page(&page);
    assert!(
        browser.cookies("revolve-refresh-").is_empty(),
        "there is no session yet"
    );
    page
}

/// Sends the form of the page with something typed.
async fn shows(browser: &Browser, page: &Answer, typed: &[(&str, &str)]) -> Answer {
    let names = ["challenge", "factors", "options", "return_to"];
    let kept: Vec<_> = names
        .iter()
        .filter_map(|name| Some((*name, hidden(page, name)?)))
        .collect();
    let mut form: Vec<_> = kept.iter().map(|(name, value)| (*name, &**value)).collect();
    form.extend(typed);
    browser.post("/account/signin/factor", &form).await
}

on_both_stores_with_mail! {
    async fn a_code_of_the_app_signs_in_after_the_password(service: Mailing) {
        let (_, mut phone, _) = with_app(&service).await;
        let browser = Browser::new(&service);
        let page = first_step(&browser).await;
        assert!(asks(&page, "totp") && page.text.contains("autocomplete=\"one-time-code\""), "{page:#?}");
        assert!(!page.text.contains(PASSWORD), "{page:#?}");
        let guess = phone.wrong();
        let refused = shows(&browser, &page, &[("totp", &guess)]).await.expect(422);
        assert_page(&refused);
        assert!(refused.text.contains("try 4 more times") && refused.text.contains("aria-invalid"), "{refused:#?}");
        assert!(!refused.text.contains(&guess), "a code is not shown again: {refused:#?}");
        for (typed, said) in [("", "Enter the code."), ("12", "six digits")] {
            let refused = shows(&browser, &refused, &[("totp", typed)]).await.expect(422);
            assert!(refused.text.contains(said), "{typed}: {refused:#?}");
        }
        let code = phone.code();
        let answer = shows(&browser, &refused, &[("totp", &code)]).await.expect(303);
        assert_eq!(answer.header("location"), "/account/devices");
        browser.done(answer).await;
        let other = Browser::german(&service);
        let page = first_step(&other).await;
        let used = shows(&other, &page, &[("totp", &code)]).await.expect(422);
        assert!(used.text.contains("wurde schon benutzt"), "{used:#?}");
    }

    async fn a_recovery_code_signs_in_where_the_phone_is_lost(service: Mailing) {
        let (_, _, codes) = with_app(&service).await;
        let browser = Browser::new(&service);
        let page = first_step(&browser).await;
        let page = shows(&browser, &page, &[("by", "recoveryCode")]).await.expect(200);
        assert_page(&page);
        assert!(asks(&page, "recoveryCode") && !asks(&page, "totp"), "{page:#?}");
        let way = ("way", "recoveryCode");
        for (typed, said) in [("", "Enter the code."), ("x", "16 letters and digits"), ("0000-0000-0000-0000", "try 4 more times")] {
            let refused = shows(&browser, &page, &[way, ("recoveryCode", typed)]).await.expect(422);
            assert!(refused.text.contains(said) && asks(&refused, "recoveryCode"), "{typed}: {refused:#?}");
        }
        let answer = shows(&browser, &page, &[way, ("recoveryCode", &codes[0])]).await;
        browser.done(answer).await;
        let security = browser.open("/account/security").await.expect(200);
        assert!(security.text.contains("9 are left"), "{security:#?}");
    }

    async fn a_step_that_is_over_leads_to_the_sign_in_and_says_so(service: Mailing) {
        let (_, mut phone, _) = with_app(&service).await;
        let browser = Browser::new(&service);
        let page = first_step(&browser).await;
        let stranger = Browser::new(&service);
        let over = "/account/signin?why=step-over&return_to=%2Faccount%2Fdevices";
        let code = phone.code();
        let away = shows(&stranger, &page, &[("totp", &code)]).await.expect(303);
        assert_eq!(away.header("location"), over, "it is of another device");
        for _ in 0..4 {
            shows(&browser, &page, &[("totp", &phone.wrong())]).await.expect(422);
        }
        let away = shows(&browser, &page, &[("totp", &phone.wrong())]).await.expect(303);
        assert_eq!(away.header("location"), over);
        assert_eq!(shows(&browser, &page, &[("totp", &code)]).await.expect(303).header("location"), over);
        let page = browser.open(over).await.expect(200);
        assert!(page.text.contains("The second step took too long"), "{page:#?}");
        let lost = browser.open("/account/signin/factor").await.expect(303);
        assert_eq!(lost.header("location"), "/account/signin");
    }

    async fn a_recovery_and_a_code_by_mail_need_the_factor_too(service: Mailing, "accounts.sign_in_code = true\naccounts.verification = 'off'") {
        // A factor withstands a recovery once the address is verified.
        let ann = service.sign_up("ann").await;
        let asked = ann.call(Method::POST, "/email/verify", None).await;
        let proof = asked.expect(202).json()["proof"]["id"].clone();
        let body = json!({ "proof": proof, "code": service.code(ANN, 1).await });
        ann.call(Method::POST, "/email/confirm", Some(body)).await.expect(204);
        let (mut phone, codes) = ann.set_up_totp().await;
        let browser = Browser::new(&service);
        let sent = async |path: &str, said: &str| {
            browser.post(path, &[("email", ANN)]).await.expect(303);
            let mail = service.mail_saying(ANN, said).await;
            Link::of(&mail.link().expect("the mail has a link"))
        };
        let link = sent("/account/recovery", "/account/recovery").await;
        let page = browser.submit(&link, &[("newPassword", NEW)]).await.expect(200);
        assert_page(&page);
        let answer = shows(&browser, &page, &[("totp", &phone.code())]).await;
        let done = browser.done(answer).await;
        assert!(done.text.contains("Your password is changed"), "{done:#?}");
        browser.sent("/account/signout", &[]).await;
        let link = sent("/account/signin/code", "/account/signin/code").await;
        let page = browser.submit(&link, &[]).await.expect(200);
        let way = ("way", "recoveryCode");
        let answer = shows(&browser, &page, &[way, ("recoveryCode", &codes[1])]).await;
        browser.done(answer).await;
    }

    async fn a_passkey_is_a_second_step(service: Mailing) {
        let (ann, _, _) = with_app(&service).await;
        let mut key = VirtualAuthenticator::default();
        let token = ann.reauthenticate().await;
        let begun = ann.call_with(Method::POST, "/passkeys/options", None, &token).await.expect(200).json();
        let credential = key.create(&begun["publicKey"], ORIGIN);
        let body = json!({ "challenge": begun["challenge"], "credential": credential });
        ann.call_with(Method::POST, "/passkeys", Some(body), &token).await.expect(201);
        let browser = Browser::new(&service);
        let page = first_step(&browser).await;
        assert!(page.text.contains("Use a passkey") && asks(&page, "totp"), "{page:#?}");
        let options: Value = serde_json::from_str(&hidden(&page, "options").unwrap()).unwrap();
        assert_eq!(options["challenge"], hidden(&page, "challenge").unwrap());
        let unverified = VirtualAuthenticator::default();
        assert!(unverified.get(&options["publicKey"], ORIGIN).is_none());
        let credential = key.get(&options["publicKey"], "https://evil.example").unwrap().to_string();
        let refused = shows(&browser, &page, &[("credential", &credential)]).await.expect(422);
        assert_page(&refused);
        assert!(refused.text.contains("can&#39;t be used here") && hidden(&refused, "options").is_some(), "{refused:#?}");
        let credential = key.get(&options["publicKey"], ORIGIN).unwrap().to_string();
        let answer = shows(&browser, &page, &[("credential", &credential)]).await;
        browser.done(answer).await;
        assert_page(&shows(&browser, &page, &[("credential", "{")]).await.expect(400));
    }
}
