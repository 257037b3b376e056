//! Devices: how a session is bound, replaced, evicted.

use crate::support::{Actor, App, PASSWORD, on_both_stores, path, wait_until_past};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn a_session_is_bound_once_its_client_shows_the_credential(app: App) {
        let mut ann = app.sign_up("ann").await;
        let plain = ann.refresh_token.clone();
        ann.refresh_bound().await.expect(200);
        let device = Actor::claims(&ann.refresh_token)["did"].clone();
        assert!(device.is_string());
        // From now on nothing goes without it, whatever the token says.
        let thief = app.anon();
        thief.refresh_with(&ann.refresh_token).await.expect_problem(401, "device_mismatch");
        thief.refresh_with(&plain).await.expect_problem(401, "device_mismatch");
        let bob = app.sign_up("bob").await;
        let forged = [bob.credential.clone().unwrap(), "forged".to_owned(), format!("{}A", ann.credential.as_ref().unwrap())];
        for credential in forged {
            let request = thief.request(Method::POST, &path("/tokens")).header("Revolve-Device", credential);
            thief.send(request.json(&json!({ "refreshToken": ann.refresh_token }))).await.expect_problem(401, "device_mismatch");
        }
        ann.refresh_bound().await.expect(200);
        assert_eq!(Actor::claims(&ann.refresh_token)["did"], device);
    }

    async fn a_browser_is_bound_by_its_cookie(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let answer = anon.send(anon.request(Method::POST, &path("/signup")).header("Sec-Fetch-Site", "same-origin").json(&body)).await;
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = answer.json()["tokens"]["refreshToken"].clone();
        let refresh = anon.request(Method::POST, &path("/tokens")).header("Cookie", &cookie).json(&json!({ "refreshToken": token }));
        let token = anon.send(refresh).await.expect(200).json()["tokens"]["refreshToken"].as_str().unwrap().to_owned();
        assert!(Actor::claims(&token)["did"].is_string());
        anon.refresh_with(&token).await.expect_problem(401, "device_mismatch");
    }

    async fn a_cookie_that_only_decodes_to_the_protected_name_is_no_credential(app: App, "tokens.issuer = 'https://accounts.example.org'") {
        let (mut ann, mallory) = (app.sign_up("ann").await, app.sign_up("mallory").await);
        ann.refresh_bound().await.expect(200);
        let planted = format!("%5F%5FHost-revolve-device={}", mallory.credential.unwrap());
        let own = format!("__Host-revolve-device={}", ann.credential.clone().unwrap());
        let refresh = ann.request(Method::POST, &path("/tokens")).header("Cookie", format!("{planted}; other; {own}"));
        ann.send(refresh.json(&json!({ "refreshToken": ann.refresh_token }))).await.expect(200);
    }

    async fn a_sign_in_on_a_known_device_replaces_its_session(app: App) {
        let mut ann = app.sign_up("ann").await;
        let mut before = ann.clone();
        ann.sign_in_again("ann@example.org").await.expect(200);
        assert_ne!(ann.session, before.session);
        assert!(Actor::claims(&ann.refresh_token)["did"].is_string(), "bound from the start");
        before.refresh().await.expect_problem(401, "session_replaced");
        before.get("/me").await.expect_problem(401, "session_replaced");
        ann.refresh_bound().await.expect(200);
        assert_eq!(ann.get("/sessions").await.json()["sessions"].as_array().unwrap().len(), 1);
    }

    async fn a_forged_credential_is_ignored_at_sign_in(app: App) {
        let mut ann = app.sign_up("ann").await;
        let mut other = app.anon();
        other.credential = Some("forged".to_owned());
        other.sign_in_again("ann@example.org").await.expect(200);
        ann.refresh().await.expect(200);
        assert_eq!(Actor::claims(&other.refresh_token).get("did"), None);
        assert_ne!(other.credential.as_deref(), Some("forged"));
    }

    async fn the_least_recently_refreshed_session_is_evicted_and_named(app: App, "sessions.max_per_user = 3") {
        let mut one = app.sign_up("ann").await;
        let (mut two, mut three) = (app.sign_in("ann").await, app.sign_in("ann").await);
        one.refresh().await.expect(200);
        let mut four = app.anon();
        let answer = four.sign_in("ann@example.org", PASSWORD).await.expect(200).json();
        assert_eq!(answer["session"]["evicted"], json!([two.session]));
        two.refresh().await.expect_problem(401, "session_evicted");
        two.get("/me").await.expect_problem(401, "session_evicted");
        for device in [&mut one, &mut three, &mut four] {
            device.refresh().await.expect(200);
        }
    }

    async fn the_absolute_end_is_the_end(app: App, "sessions.lifetime = '2s'\n") {
        let mut ann = app.sign_up("ann").await;
        assert_eq!(Actor::claims(&ann.refresh_token)["exp"], Actor::claims(&ann.id_token)["iat"].as_i64().unwrap() + 2);
        wait_until_past(&Actor::claims(&ann.refresh_token)).await;
        ann.refresh().await.expect_problem(401, "session_expired");
    }
}
