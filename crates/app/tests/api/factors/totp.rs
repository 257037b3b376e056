//! `POST /factors/totp`, `POST /factors/totp/confirm`, `DELETE /factors/totp` and `GET /factors`.

use super::{ANN, events};
use crate::support::{Actor, App, PASSWORD, TotpApp, field_errors, on_both_stores, recovery_codes};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores! {
    async fn an_app_counts_after_its_first_code(app: App) {
        let ann = app.sign_up("ann").await;
        let nothing = json!({ "totp": null, "passkeys": [], "recoveryCodes": null, "reset": null });
        assert_eq!(ann.get("/factors").await.expect(200).json(), nothing);
        let reauthentication = ann.reauthenticate().await;
        let post = |operation, body| ann.call_with(Method::POST, operation, body, &reauthentication);
        let set_up = post("/factors/totp", None).await.expect(200);
        assert_eq!(set_up.header("cache-control"), "no-store");
        let set_up = set_up.json();
        let uri = set_up["uri"].as_str().unwrap();
        assert!(uri.starts_with("otpauth://totp/Revolve:ann%40example.org?"), "{uri}");
        let picture = set_up["qrCode"].as_str().unwrap();
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>") && !picture.contains("<script"), "{picture}");
        let waiting = ann.get("/factors").await.expect(200).json();
        assert!(waiting["totp"]["createdAt"].is_string() && waiting["totp"]["confirmedAt"].is_null(), "{waiting}");
        let mut other = app.sign_in("ann").await;

        let mut phone = TotpApp::new(&set_up);
        let confirm = |code: String| post("/factors/totp/confirm", Some(json!({ "code": code })));
        confirm(phone.wrong()).await.expect_problem(422, "code_wrong");
        let answer = confirm(phone.code()).await.expect(200);
        let codes = recovery_codes(&answer.json());
        other.refresh().await.expect_problem(401, "session_revoked");
        // The first factor ends all other sessions, and what was shown before counts no more.
        confirm(phone.again()).await.expect_problem(403, "reauthentication_required");
        let reauthentication = ann.reauthenticate().await;
        let post = |operation, body| ann.call_with(Method::POST, operation, body, &reauthentication);
        let late = post("/factors/totp/confirm", Some(json!({ "code": phone.code() }))).await;
        late.expect_problem(410, "challenge_gone");
        let factors = ann.get("/factors").await.expect(200);
        assert!(factors.json()["totp"]["confirmedAt"].is_string(), "{factors:?}");
        assert_eq!(factors.json()["recoveryCodes"]["left"], 10);
        let secret = set_up["secret"].as_str().unwrap();
        assert!(!factors.text.contains(secret) && !codes.iter().any(|code| factors.text.contains(code)), "{factors:?}");
        post("/factors/totp", None).await.expect_problem(409, "already_set_up");
        let page = ann.get("/activity").await.expect(200);
        let told = page.json();
        assert!(["factor.added", "totp.set_up"].iter().all(|event| events(&told).contains(event)), "{page:?}");
        assert!(!page.text.contains(secret), "{page:?}");
    }

    async fn the_code_of_the_set_up_counts_no_more(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let used = other.second_step(json!({ "challenge": step["challenge"], "totp": phone.again() })).await;
        assert_eq!(used.expect_problem(422, "code_used").json()["attemptsLeft"], 4);
        other.second_step(json!({ "challenge": step["challenge"], "totp": phone.code() })).await.expect(200);
    }

    async fn a_new_secret_takes_the_place_of_one_that_waits(app: App) {
        let ann = app.sign_up("ann").await;
        let reauthentication = ann.reauthenticate().await;
        let post = |operation, body| ann.call_with(Method::POST, operation, body, &reauthentication);
        let mut first = TotpApp::new(&post("/factors/totp", None).await.expect(200).json());
        let mut second = TotpApp::new(&post("/factors/totp", None).await.expect(200).json());
        let confirm = |code: String| post("/factors/totp/confirm", Some(json!({ "code": code })));
        confirm(first.code()).await.expect_problem(422, "code_wrong");
        confirm(second.code()).await.expect(200);
    }

    async fn changes_need_the_password_or_a_factor_a_moment_ago(app: App) {
        let mut ann = app.sign_up("ann").await;
        let (mut phone, codes) = ann.set_up_totp().await;
        let foreign = app.sign_up("bob").await.reauthenticate().await;
        for (method, operation, body) in [
            (Method::POST, "/factors/totp", None),
            (Method::POST, "/factors/totp/confirm", Some(json!({ "code": "123456" }))),
            (Method::DELETE, "/factors/totp", None),
            (Method::POST, "/factors/recovery-codes", None),
            (Method::POST, "/passkeys/options", None),
            (Method::DELETE, "/passkeys/00000000-0000-4000-8000-000000000000", None),
        ] {
            let bare = ann.call(method.clone(), operation, body.clone()).await;
            bare.expect_problem(403, "reauthentication_required");
            let other = ann.call_with(method, operation, body, &foreign).await;
            other.expect_problem(403, "reauthentication_required");
        }
        // A code does as well as the password, once.
        let by = |body: Value| ann.call(Method::POST, "/reauthenticate", Some(body));
        by(json!({ "totp": phone.wrong() })).await.expect_problem(422, "code_wrong");
        let code = phone.code();
        let shown = by(json!({ "totp": code })).await.expect(200).json();
        let claims = Actor::claims(shown["tokens"]["idToken"].as_str().unwrap());
        assert!(claims["amr"].as_array().unwrap().contains(&json!("otp")), "{claims}");
        by(json!({ "totp": code })).await.expect_problem(422, "code_used");
        by(json!({ "recoveryCode": codes[0] })).await.expect(200);
        by(json!({ "recoveryCode": codes[0] })).await.expect_problem(422, "code_wrong");
        by(json!({ "challenge": "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51", "credential": {} })).await.expect_problem(410, "challenge_gone");
        ann.call(Method::POST, "/reauthenticate/passkey/options", None).await.expect_problem(422, "credential_refused");
        let token = shown["reauthentication"].as_str().unwrap();
        ann.call_with(Method::DELETE, "/factors/totp", None, token).await.expect(204);
        ann.refresh().await.expect(200);
    }

    async fn the_recovery_codes_go_with_the_last_factor(app: App) {
        let ann = app.sign_up("ann").await;
        let (_, codes) = ann.set_up_totp().await;
        let mut waiting = app.anon();
        let step = waiting.challenge(ANN, PASSWORD).await;
        let reauthentication = ann.reauthenticate().await;
        ann.call_with(Method::DELETE, "/factors/totp", None, &reauthentication).await.expect(204);
        ann.call_with(Method::DELETE, "/factors/totp", None, &reauthentication).await.expect_problem(404, "not_found");
        assert_eq!(ann.get("/factors").await.expect(200).json()["recoveryCodes"], Value::Null);
        let body = json!({ "challenge": step["challenge"], "recoveryCode": codes[0] });
        let answer = waiting.second_step(body).await;
        assert!(matches!(answer.status, 410 | 422), "{answer:?}");
        app.sign_in("ann").await;
    }

    async fn what_is_malformed_is_named(app: App) {
        let ann = app.sign_up("ann").await;
        let reauthentication = ann.reauthenticate().await;
        for (body, expected) in [
            (json!({}), "code: missing"),
            (json!({ "code": 123_456 }), "code: wrong_type"),
            (json!({ "code": "12345" }), "code: invalid_code"),
            (json!({ "code": "12345a" }), "code: invalid_code"),
        ] {
            let answer = ann.call_with(Method::POST, "/factors/totp/confirm", Some(body), &reauthentication).await;
            assert_eq!(field_errors(&answer.expect_problem(422, "invalid_fields")), [expected]);
        }
        let shown = |body: Value| ann.call(Method::POST, "/reauthenticate", Some(body));
        for (body, expected) in [
            (json!({}), &["currentPassword: missing"][..]),
            (json!({ "totp": "x", "recoveryCode": "x" }), &["totp: invalid_code", "recoveryCode: invalid_code"]),
            (json!({ "totp": "123456", "recoveryCode": "0000-0000-0000-0000" }), &["recoveryCode: unknown_field"]),
            (json!({ "challenge": "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51" }), &["credential: missing"]),
            (json!({ "credential": {} }), &["challenge: missing"]),
            (json!({ "challenge": "x", "credential": [] }), &["credential: wrong_type", "challenge: invalid_id"]),
        ] {
            let answer = shown(body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&answer), expected, "{body}");
        }
    }
}
