//! Signing up, in and out, and where a browser goes from there.

use super::{ANN, NEW, mail, signs_in, wrong};
use crate::{
    pages::browser::{Browser, ORIGIN, WITH_PASSKEYS, asks, assert_page},
    support::{Mailing, PASSWORD, on_both_stores_with_mail},
};
use reqwest::Method;
use serde_json::json;

const APP: &str = "https://app.example.org/start?a=b";

on_both_stores_with_mail! {
    async fn somebody_signs_up_and_is_signed_in(service: Mailing) {
        let browser = Browser::new(&service);
        let away = browser.open("/account").await.expect(303);
        assert_eq!(away.header("location"), "/account/signin");
        let page = browser.open("/account/signin").await.expect(200);
        assert_page(&page);
        for link in ["/account/recovery", "/account/signup"] {
            assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}: {page:#?}");
        }
        assert!(!page.text.contains("/account/signin/code"), "no code signs in here: {page:#?}");
        let page = browser.open("/account/signup").await.expect(200);
        assert_page(&page);
        assert!(page.text.contains("autocomplete=\"username\"") && page.text.contains("autocomplete=\"new-password\""), "{page:#?}");
        let answer = browser.post("/account/signup", &[("email", ANN), ("password", PASSWORD)]).await.expect(303);
        assert_eq!(answer.header("location"), "/account");
        let set: Vec<_> = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
        for name in ["revolve-device-", "revolve-refresh-", "revolve-id-"] {
            let cookie = set.iter().find(|cookie| cookie.starts_with(name)).unwrap_or_else(|| panic!("{name}: {set:?}"));
            for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
                assert!(cookie.contains(attribute), "{attribute}: {cookie}");
            }
        }
        let home = browser.done(answer).await;
        assert!(home.text.contains(ANN) && home.text.contains("Address not confirmed"), "{home:#?}");
        let again = browser.open("/account/signin?return_to=/account/devices").await.expect(303);
        assert_eq!(again.header("location"), "/account/devices", "it is signed in");
    }

    async fn a_wrong_password_is_told_and_only_the_address_stays(service: Mailing) {
        service.anon().sign_up(ANN).await.expect(201);
        let browser = Browser::german(&service);
        let refused = browser.post("/account/signin", &[("email", ANN), ("password", NEW)]).await.expect(401);
        assert_page(&refused);
        assert!(refused.text.contains("role=\"alert\">Die E-Mail-Adresse oder das Passwort ist falsch."), "{refused:#?}");
        assert!(refused.text.contains(&format!("value=\"{ANN}\"")) && !refused.text.contains(NEW), "{refused:#?}");
        assert!(refused.text.contains("<title>Fehler: Anmelden"), "{refused:#?}");
        assert!(browser.cookies("revolve-").is_empty());
        for (field, said) in [("email", "Geben Sie Ihre E-Mail-Adresse ein."), ("password", "Geben Sie das Passwort ein.")] {
            let typed = [("email", ANN), ("password", PASSWORD)].into_iter().filter(|(name, _)| *name != field).collect::<Vec<_>>();
            let refused = browser.post("/account/signin", &typed).await.expect(422);
            assert!(refused.text.contains(said) && refused.text.contains("autofocus"), "{refused:#?}");
        }
        browser.signs_in(ANN, PASSWORD).await;
    }

    async fn a_sign_up_that_is_sent_twice_is_one(service: Mailing) {
        let browser = Browser::new(&service);
        let form = [("email", ANN), ("password", PASSWORD)];
        let first = browser.post("/account/signup", &form).await.expect(303);
        let second = browser.post("/account/signup", &form).await.expect(303);
        assert_eq!(first.header("location"), second.header("location"));
        assert!(browser.done(second).await.text.contains(ANN));
        let stranger = Browser::new(&service);
        let taken = stranger.post("/account/signup", &[("email", ANN), ("password", NEW)]).await.expect(409);
        assert_page(&taken);
        assert!(taken.text.contains("There is an account with this address already") && taken.text.contains("aria-invalid"), "{taken:#?}");
        assert!(stranger.cookies("revolve-").is_empty());
        for (password, said) in [("short", "at least 8 characters"), ("password1", "easy to guess"), ("bob@example.org", "what others know")] {
            let refused = stranger.post("/account/signup", &[("email", "bob@example.org"), ("password", password)]).await.expect(422);
            assert!(refused.text.contains(said) && refused.text.contains("value=\"bob@example.org\""), "{password}: {refused:#?}");
        }
    }

    async fn a_sign_up_that_has_to_be_proved_goes_on_with_the_code(service: Mailing, "accounts.verification = 'required'\nhttp.return_to = ['https://app.example.org']") {
        let browser = Browser::new(&service);
        let form = [("email", ANN), ("password", PASSWORD), ("return_to", APP)];
        let asked = browser.post("/account/signup", &form).await.expect(303);
        let to = asked.header("location").to_owned();
        assert!(to.starts_with("/account/signup/confirm?proof="), "{to}");
        assert_eq!(browser.cookies("revolve-").len(), 1, "what tells this browser from others");
        let (link, code) = mail(&service, ANN, 1).await;
        let page = browser.open(&to).await.expect(200);
        assert!(asks(&page, "code") && !asks(&page, "password") && page.text.contains(&link.proof), "{page:#?}");
        assert!(page.text.contains("value=\"https://app.example.org/start?a=b\""), "{page:#?}");
        let typed = [("proof", &*link.proof), ("return_to", APP)];
        let guess = wrong(&code);
        let wrong = [&typed[..], &[("code", &*guess)]].concat();
        let refused = browser.post("/account/signup/confirm", &wrong).await.expect(422);
        assert!(refused.text.contains("try 4 more times"), "{refused:#?}");
        let right = [&typed[..], &[("code", &*code)]].concat();
        let answer = browser.post("/account/signup/confirm", &right).await.expect(303);
        let done = browser.open(answer.header("location")).await.expect(200);
        assert!(done.text.contains("Your account is ready"), "{done:#?}");
        assert!(done.text.contains("<a class=\"button\" href=\"https://app.example.org/start?a=b\">"), "{done:#?}");
        assert!(browser.open("/account").await.expect(200).text.contains(ANN));
    }

    async fn a_code_by_mail_signs_in(service: Mailing, "accounts.verification = 'required'\naccounts.sign_in_code = true") {
        service.anon().post("/signup", json!({ "email": ANN, "password": PASSWORD })).await.expect(202);
        let (link, code) = mail(&service, ANN, 1).await;
        let first = Browser::new(&service);
        first.done(first.submit(&link, &[("code", &code), ("password", PASSWORD)]).await).await;

        let browser = Browser::new(&service);
        let page = browser.open("/account/signin").await.expect(200);
        assert!(page.text.contains("href=\"/account/signin/code\""), "{page:#?}");
        assert_page(&browser.open("/account/signin/code").await.expect(200));
        for (address, count) in [("nobody@example.org", 0), (ANN, 2)] {
            let asked = browser.post("/account/signin/code", &[("email", address)]).await.expect(303);
            let to = asked.header("location").to_owned();
            let page = browser.open(&to).await.expect(200);
            assert_page(&page);
            assert!(asks(&page, "code") && page.text.contains("If there is an account with this address"), "{page:#?}");
            if count > 0 {
                let (link, code) = mail(&service, address, count).await;
                assert_eq!((&*link.path, to.contains(&link.proof)), ("/account/signin/code", true));
                let landing = browser.open(&link.target()).await.expect(200);
                assert!(!asks(&landing, "code"), "one click: {landing:#?}");
                let robot = Browser::new(&service);
                robot.submit(&link, &[]).await.expect(422);
                assert!(robot.cookies("revolve-").is_empty());
                let answer = browser.submit(&link, &[]).await;
                assert_eq!(answer.header("location"), "/account", "{answer:#?}");
                assert!(browser.done(answer).await.text.contains(ANN));
                let phone = Browser::new(&service);
                phone.submit(&link, &[("code", &code)]).await.expect(410);
            }
        }
    }

    async fn a_page_of_an_origin_that_is_listed_is_gone_back_to(service: Mailing, "http.return_to = ['https://app.example.org']") {
        service.anon().sign_up(ANN).await.expect(201);
        let browser = Browser::new(&service);
        let target = "/account/signin?return_to=https%3A%2F%2Fapp.example.org%2Fstart%3Fa%3Db";
        let page = browser.open(target).await.expect(200);
        let policy = WITH_PASSKEYS.replace("form-action 'self'", "form-action 'self' https://app.example.org");
        assert_eq!(page.header("content-security-policy"), policy, "its form leads there");
        assert!(page.text.contains("href=\"/account/signup?return_to=https%3A%2F%2Fapp.example.org%2Fstart%3Fa%3Db\""), "{page:#?}");
        let form = |password| [("email", ANN), ("password", password), ("return_to", APP)];
        let refused = browser.post("/account/signin", &form(NEW)).await.expect(401);
        assert!(refused.text.contains("name=\"return_to\"") && refused.header("content-security-policy") == policy, "{refused:#?}");
        let answer = browser.post("/account/signin", &form(PASSWORD)).await.expect(303);
        assert_eq!(answer.header("location"), APP);
        let signed_in = browser.open(target).await.expect(303);
        assert_eq!(signed_in.header("location"), APP);
        let bob = Browser::new(&service);
        let answer = bob.post("/account/signup", &[("email", "bob@example.org"), ("password", PASSWORD), ("return_to", APP)]).await.expect(303);
        assert_eq!(answer.header("location"), APP);
    }

    async fn nobody_is_led_anywhere_else(service: Mailing, "http.return_to = ['https://app.example.org']") {
        service.anon().sign_up(ANN).await.expect(201);
        for hostile in [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "https://app.example.org@evil.example/",
            "https://app.example.org.evil.example/",
            "http://app.example.org/",
            "https://ann@app.example.org/",
            "javascript:alert(1)",
            "/docs",
            "/account/../api",
            "https:/\n/evil.example",
        ] {
            let browser = Browser::new(&service);
            let encoded: String = url::form_urlencoded::byte_serialize(hostile.as_bytes()).collect();
            let page = browser.open(&format!("/account/signin?return_to={encoded}")).await.expect(200);
            assert_page(&page);
            assert!(!page.text.contains("return_to") && !page.text.contains("evil"), "{hostile}: {page:#?}");
            let answer = browser.post("/account/signin", &[("email", ANN), ("password", PASSWORD), ("return_to", hostile)]).await.expect(303);
            assert_eq!(answer.header("location"), "/account", "{hostile}");
        }
    }

    async fn signing_out_is_final_and_can_be_sent_twice(service: Mailing) {
        let browser = Browser::new(&service);
        browser.signs_up(ANN).await;
        let (name, token) = browser.cookie("revolve-refresh-");
        let page = browser.open("/account/signout").await.expect(200);
        assert_page(&page);
        assert!(browser.open("/account").await.expect(200).text.contains(ANN), "a page signs nobody out");
        for _ in 0..2 {
            let out = browser.sent("/account/signout", &[]).await;
            assert!(out.text.contains("You are signed out."), "{out:#?}");
            assert!(browser.cookies("revolve-refresh-").is_empty() && browser.cookies("revolve-id-").is_empty());
        }
        service.anon().refresh_with(&token).await.expect_problem(401, "session_revoked");
        browser.keep(&name, &token);
        let away = browser.open("/account/password").await.expect(303);
        assert_eq!(away.header("location"), "/account/signin?why=ended&return_to=%2Faccount%2Fpassword");
        assert!(browser.cookies("revolve-refresh-").is_empty(), "it is worth nothing");
        assert_eq!(browser.cookies("revolve-device-").len(), 1, "the device stays known");
    }

    async fn a_form_of_another_site_signs_nobody_in_or_out(service: Mailing) {
        service.anon().sign_up(ANN).await.expect(201);
        let browser = Browser::new(&service);
        let foreign: [&[(&str, &str)]; 6] = [
            &[],
            &[("Origin", "https://evil.example")],
            &[("Origin", "null")],
            &[("Origin", "null"), ("Sec-Fetch-Site", "cross-site")],
            &[("Origin", "http://localhost:8081"), ("Sec-Fetch-Site", "same-site")],
            &[("Sec-Fetch-Site", "none")],
        ];
        let credentials = [("email", ANN), ("password", PASSWORD)];
        let refused = async |path: &str, form: &[(&str, &str)]| {
            for headers in foreign {
                let mut request = browser.form(path, form);
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let answer = browser.load(request).await.expect(403);
                assert_page(&answer);
                assert!(answer.text.contains("not sent from this page"), "{headers:?}: {answer:#?}");
            }
        };
        refused("/account/signin", &credentials).await;
        refused("/account/signup", &[("email", "bob@example.org"), ("password", PASSWORD)]).await;
        refused("/account/recovery", &[("email", ANN)]).await;
        refused("/account/signin/factor", &[("totp", "204816")]).await;
        assert!(browser.cookies("revolve-").is_empty());
        assert!(!signs_in(&service, "bob@example.org", PASSWORD).await);
        let own = browser.form("/account/signin", &credentials).header("Origin", ORIGIN);
        browser.done(browser.load(own).await).await;
        for path in ["/account", "/account/signout", "/account/profile", "/account/profile/email", "/account/password", "/account/devices", "/account/export", "/account/delete", "/account/reauthenticate", "/account/reauthenticate/options", "/account/security", "/account/security/app", "/account/security/passkey", "/account/security/passkey/options", "/account/security/codes", "/account/security/rename", "/account/security/remove"] {
            refused(path, &[("scope", "everywhere"), ("currentPassword", PASSWORD), ("newPassword", NEW)]).await;
        }
        assert!(browser.open("/account").await.expect(200).text.contains(ANN));
        assert!(signs_in(&service, ANN, PASSWORD).await);
    }

    async fn a_forgotten_password_is_set_anew_from_the_first_page_to_the_last(service: Mailing) {
        let mut ann = service.anon();
        ann.sign_up(ANN).await.expect(201);
        let browser = Browser::new(&service);
        assert_page(&browser.open("/account/recovery").await.expect(200));
        let refused = browser.post("/account/recovery", &[("email", "ann")]).await;
        assert!(matches!(refused.status, 303 | 422), "{refused:#?}");
        let mut pages = Vec::new();
        for address in ["nobody@example.org", ANN] {
            let asked = browser.post("/account/recovery", &[("email", address)]).await.expect(303);
            let page = browser.open(asked.header("location")).await.expect(200);
            assert!(asks(&page, "code") && asks(&page, "newPassword"), "{page:#?}");
            assert!(page.text.contains("No mail yet? <a href=\"/account/recovery\">"), "{page:#?}");
            let proof = asked.header("location").split("proof=").nth(1).unwrap().to_owned();
            pages.push(page.text.replace(&proof, ""));
        }
        assert_eq!(pages[0], pages[1], "whoever has an account");
        let (link, code) = mail(&service, ANN, 1).await;
        let typed = [("proof", &*link.proof), ("code", &*code), ("newPassword", NEW)];
        let done = browser.sent("/account/recovery", &typed).await;
        assert!(done.text.contains("you are signed in here"), "{done:#?}");
        assert!(browser.open("/account/devices").await.expect(200).text.contains("This device"));
        ann.refresh().await.expect_problem(401, "session_revoked");
        let late = browser.post("/account/recovery", &typed).await.expect(410);
        assert_page(&late);
    }

    async fn what_password_managers_look_for_leads_to_the_form(service: Mailing) {
        let browser = Browser::new(&service);
        let answer = browser.open("/.well-known/change-password").await.expect(303);
        assert_eq!(answer.header("location"), "/account/password");
        let put = browser.load(browser.request(Method::POST, "/.well-known/change-password")).await;
        put.expect_problem(405, "method_not_allowed");
    }
}
