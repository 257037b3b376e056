//! `accounts.require_factor = "always"`.

use super::ANN;
use crate::support::{App, PASSWORD, TotpApp, on_both_stores, path};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn a_new_account_can_do_nothing_but_set_up_a_factor(app: App, "accounts.require_factor = 'always'") {
        let mut ann = app.anon();
        let answer = ann.sign_up(ANN).await.expect(201).json();
        assert_eq!(answer["tokens"]["mustSetUpFactor"], true);
        let keys = ann.send(ann.request(Method::GET, "/.well-known/jwks.json")).await.expect(200).json();
        let header = crate::support::Actor::header(&ann.id_token);
        assert!(keys["keys"].as_array().unwrap().iter().all(|key| key["kid"] != header["kid"]), "no other service can verify it");
        for (method, operation, body) in [
            (Method::GET, "/sessions", None),
            (Method::GET, "/activity", None),
            (Method::GET, "/export", None),
            (Method::DELETE, "/me", None),
            (Method::PUT, "/details", Some(json!({ "name": "Ann" }))),
            (Method::PUT, "/password", Some(json!({ "currentPassword": PASSWORD, "newPassword": "a password that ann remembers" }))),
        ] {
            ann.call(method, operation, body).await.expect_problem(403, "factor_setup_required");
        }
        assert_eq!(ann.refresh().await.expect(200).json()["tokens"]["mustSetUpFactor"], true);
        let userinfo = ann.request(Method::GET, "/userinfo").bearer_auth(&ann.id_token);
        ann.send(userinfo).await.expect_problem(401, "token_invalid");

        let reauthentication = ann.reauthenticate().await;
        let post = |operation, body| ann.call_with(Method::POST, operation, body, &reauthentication);
        let mut phone = TotpApp::new(&post("/factors/totp", None).await.expect(200).json());
        post("/factors/totp/confirm", Some(json!({ "code": phone.code() }))).await.expect(200);
        let answer = ann.refresh().await.expect(200).json();
        assert_eq!(answer["tokens"].get("mustSetUpFactor"), None);
        ann.get("/sessions").await.expect(200);
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        other.second_step(json!({ "challenge": step["challenge"], "totp": phone.code() })).await.expect(200);

        let reauthentication = ann.reauthenticate().await;
        let refused = ann.call_with(Method::DELETE, "/factors/totp", None, &reauthentication).await;
        refused.expect_problem(409, "last_factor");
        ann.send(ann.request(Method::GET, &path("/me")).bearer_auth(&ann.id_token)).await.expect(200);
    }

    async fn such_a_session_can_be_signed_out(app: App, "accounts.require_factor = 'always'") {
        let ann = app.sign_up("ann").await;
        ann.sign_out("this").await.expect(204);
        ann.get("/factors").await.expect_problem(401, "session_revoked");
    }
}
