//! Sessions that begin with a factor.

use super::*;
use crate::support::{App, ORIGIN, on_both_stores, recovery_codes};
use revolve_testkit::authenticator::VirtualAuthenticator;

const ANN: &str = "ann@example.org";

on_both_stores! {
    async fn the_second_step_sets_the_cookie_and_the_first_sets_the_device(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let (anon, mut browser) = (app.anon(), Browser::default());
        let answer = browser.call(&anon, OWN, "/signin", Some(who("ann"))).await;
        let step = answer.expect_problem(403, "factor_required").json();
        assert_eq!(step["device"].get("credential"), None, "{step}");
        assert_eq!(browser.token(OWN), None, "no session has begun");
        assert!(browser.cookies.keys().any(|name| name.starts_with("revolve-device")), "{:?}", browser.cookies);
        let body = json!({ "challenge": step["challenge"], "totp": phone.code() });
        // The cookie tells the browser from others.
        let stranger = anon.post("/signin/factor", body.clone()).await;
        stranger.expect_problem(410, "challenge_gone");
        let answer = browser.call(&anon, OWN, "/signin/factor", Some(body)).await;
        let id = id_token(&answer.expect(200));
        assert_eq!(browser.claims(OWN)["sid"], Actor::claims(&id)["sid"]);
        assert_eq!(email_of(&anon, &id, &browser).await, ANN);
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn passkeys_sign_up_and_in(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let mut authenticator = VirtualAuthenticator::default();
        let begun = anon.post("/signup/passkey/options", json!({ "email": ANN })).await.expect(200).json();
        let credential = authenticator.create(&begun["publicKey"], ORIGIN);
        let body = json!({ "email": ANN, "passkey": { "challenge": begun["challenge"], "credential": credential } });
        let answer = browser.call(&anon, OWN, "/signup", Some(body)).await.expect(201);
        recovery_codes(&answer.json());
        let id = id_token(&answer);
        assert_eq!(email_of(&anon, &id, &browser).await, ANN);
        let mut other = Browser::default();
        let begun = other.call(&anon, OWN, "/signin/passkey/options", None).await.expect(200).json();
        let credential = authenticator.get(&begun["publicKey"], ORIGIN).expect("it has one");
        let body = json!({ "challenge": begun["challenge"], "credential": credential });
        let id = id_token(&other.call(&anon, OWN, "/signin/passkey", Some(body)).await.expect(200));
        assert_eq!(email_of(&anon, &id, &other).await, ANN);
        other.refresh(&anon, OWN).await.expect(200);
    }
}
