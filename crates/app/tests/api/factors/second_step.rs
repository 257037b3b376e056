//! `POST /signin/factor`.

use super::{ANN, events};
use crate::support::{Actor, App, PASSWORD, field_errors, on_both_stores};
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

const UNKNOWN: &str = "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51";

fn with_totp(step: &Value, code: &str) -> Value {
    json!({ "challenge": step["challenge"], "totp": code })
}

on_both_stores! {
    async fn a_password_is_a_first_step(app: App) {
        let mut ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        ann.refresh().await.expect(200);
        let mut laptop = app.anon();
        let refused = laptop.post("/signin", json!({ "email": ANN, "password": PASSWORD, "deviceName": "Ann's laptop" })).await;
        assert!(refused.header("set-cookie").contains("revolve-device"), "{refused:?}");
        let step = laptop.challenged(refused);
        assert_eq!(step["factors"], json!(["totp", "recovery_code"]));
        assert_eq!((step.get("publicKey"), step.get("tokens")), (None, None));
        assert_eq!(ann.get("/sessions").await.expect(200).json()["sessions"].as_array().unwrap().len(), 1, "no session yet");

        let answer = laptop.second_step(with_totp(&step, &phone.code())).await.expect(200).json();
        assert_eq!(answer["device"]["id"], step["device"]["id"]);
        for _ in 0..2 {
            assert_eq!(Actor::claims(&laptop.id_token)["amr"], json!(["mfa", "otp", "pwd"]));
            laptop.refresh_bound().await.expect(200);
        }
        laptop.second_step(with_totp(&step, &phone.code())).await.expect_problem(410, "challenge_gone");
        let page = laptop.get("/activity").await.expect(200).json();
        assert_eq!(events(&page)[..3], ["session.bound", "session.begun", "factor.requested"]);
        assert_eq!(page["entries"][1]["device"], "Ann's laptop");
        ann.get("/me").await.expect(200);
    }

    async fn a_known_device_is_kept_and_its_session_replaced(app: App) {
        let mut ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut again = ann.clone();
        let request = again.request(Method::POST, &crate::support::path("/signin")).json(&json!({ "email": ANN, "password": PASSWORD }));
        let answer = again.send(again.showing(request)).await;
        let step = again.challenged(answer);
        assert_eq!(again.credential, ann.credential);
        again.second_step(with_totp(&step, &phone.code())).await.expect(200);
        ann.refresh().await.expect_problem(401, "session_replaced");
    }

    async fn a_wrong_password_tells_nothing_of_factors(app: App) {
        let ann = app.sign_up("ann").await;
        ann.set_up_totp().await;
        let anon = app.anon();
        let mut answers = Vec::new();
        for email in [ANN, "nobody@example.org"] {
            let answer = anon.post("/signin", json!({ "email": email, "password": "a guess" })).await;
            answers.push(answer.expect_problem(401, "invalid_credentials").text);
        }
        assert_eq!(answers[0], answers[1]);
    }

    async fn five_codes_can_be_tried(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        for left in (0..5).rev() {
            let refused = other.second_step(with_totp(&step, &phone.wrong())).await;
            assert_eq!(refused.expect_problem(422, "code_wrong").json()["attemptsLeft"], left);
        }
        other.second_step(with_totp(&step, &phone.code())).await.expect_problem(410, "challenge_gone");
        let step = other.challenge(ANN, PASSWORD).await;
        other.second_step(with_totp(&step, &phone.code())).await.expect(200);
    }

    async fn the_device_of_the_first_step_is_needed(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let code = phone.code();
        let mut thief = app.anon();
        for credential in [None, Some("forged".to_owned()), ann.credential.clone()] {
            thief.credential = credential;
            thief.second_step(with_totp(&step, &code)).await.expect_problem(410, "challenge_gone");
        }
        other.second_step(with_totp(&step, &code)).await.expect(200);
    }

    async fn of_one_code_and_of_one_challenge_one_session_comes(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let replica = app.replica().await;
        let mut others = Vec::new();
        for turn in 0..8 {
            let mut other = if turn % 2 == 0 { app.anon() } else { replica.anon() };
            let step = other.challenge(ANN, PASSWORD).await;
            others.push((other, step));
        }
        let code = phone.code();
        let calls = others.iter_mut().map(|(other, step)| other.second_step(with_totp(step, &code)));
        let answers = join_all(calls).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        let used = answers.iter().filter(|answer| answer.status == 422).count();
        assert_eq!((done, used), (1, 7), "{answers:?}");

        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let code = phone.code();
        let calls = (0..8).map(|_| {
            let mut same = other.clone();
            let body = with_totp(&step, &code);
            async move { same.second_step(body).await }
        });
        let answers = join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
        assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 410 | 422)), "{answers:?}");
        replica.stop().await;
    }

    async fn a_change_of_the_password_in_the_middle_voids_the_challenge(app: App) {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut other = app.anon();
        let step = other.challenge(ANN, PASSWORD).await;
        let new = "a password that ann remembers";
        ann.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": new })).await.expect(204);
        other.second_step(with_totp(&step, &phone.code())).await.expect_problem(410, "challenge_gone");
        let step = other.challenge(ANN, new).await;
        ann.sign_out("everywhere").await.expect(204);
        other.second_step(with_totp(&step, &phone.code())).await.expect_problem(410, "challenge_gone");
    }

    async fn a_second_step_and_a_new_password_at_once_leave_no_session_of_the_old_one(app: App) {
        let replica = app.replica().await;
        let ann = app.sign_up("ann").await;
        let (_, codes) = ann.set_up_totp().await;
        let mut old = PASSWORD.to_owned();
        for (turn, code) in codes.iter().take(6).enumerate() {
            let mut other = replica.anon();
            let step = other.challenge(ANN, &old).await;
            let shown = json!({ "challenge": step["challenge"], "recoveryCode": code });
            let new = format!("a password that ann remembers for turn {turn}");
            let change = json!({ "currentPassword": old, "newPassword": new });
            let (answer, changed) = join(other.second_step(shown), ann.put("/password", change)).await;
            changed.expect(204);
            if answer.status == 200 {
                assert_eq!(other.refresh().await.status, 401, "turn {turn}");
            } else {
                assert!(matches!(answer.status, 401 | 409 | 410), "{answer:?}");
            }
            let listed = ann.get("/sessions").await.expect(200).json();
            assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "turn {turn}: {listed}");
            old = new;
        }
        replica.stop().await;
    }

    async fn what_is_malformed_is_named(app: App) {
        let anon = app.anon();
        for (body, expected) in [
            (json!({}), &["challenge: missing", "totp: missing"][..]),
            (json!({ "challenge": "x", "totp": "1" }), &["challenge: invalid_id", "totp: invalid_code"]),
            (json!({ "challenge": UNKNOWN, "recoveryCode": "0000" }), &["recoveryCode: invalid_code"]),
            (json!({ "challenge": UNKNOWN, "totp": "123456", "credential": {} }), &["credential: unknown_field"]),
            (json!({ "challenge": UNKNOWN, "credential": "x" }), &["credential: wrong_type"]),
            (json!({ "challenge": UNKNOWN, "totp": "123456", "password": PASSWORD }), &["password: unknown_field"]),
        ] {
            let refused = anon.post("/signin/factor", body.clone()).await.expect_problem(422, "invalid_fields");
            assert_eq!(field_errors(&refused), expected, "{body}");
        }
        let deep = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
        anon.post("/signin/factor", json!({ "challenge": UNKNOWN, "credential": deep })).await.expect_problem(400, "nested_too_deep");
        anon.post("/signin/factor", json!({ "challenge": UNKNOWN, "credential": { "id": "x".repeat(17 << 10) } })).await.expect_problem(413, "body_too_large");
        for factor in [json!({ "totp": "123456" }), json!({ "recoveryCode": "0000-0000-0000-0000" }), json!({ "credential": {} })] {
            let mut body = factor;
            body["challenge"] = UNKNOWN.into();
            anon.post("/signin/factor", body).await.expect_problem(410, "challenge_gone");
        }
    }

    async fn nothing_asks_for_a_factor_where_that_is_off(app: App, "accounts.require_factor = 'never'") {
        let ann = app.sign_up("ann").await;
        ann.set_up_totp().await;
        app.sign_in("ann").await;
    }
}
