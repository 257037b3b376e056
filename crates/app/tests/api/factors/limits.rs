//! Limits of factors slow strangers, and never the owner's own device.

use super::ANN;
use crate::support::{App, PASSWORD, on_both_stores, path};
use reqwest::Method;
use serde_json::json;

on_both_stores! {
    async fn a_guesser_with_the_password_does_not_lock_the_owner_out(app: App, "limits.factors_per_account = '7/1d'\nlimits.factors_per_device = '5/1h'") {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let mut guesses = 0;
        let limited = loop {
            let mut thief = app.anon();
            let step = thief.challenge(ANN, PASSWORD).await;
            let answer = thief.second_step(json!({ "challenge": step["challenge"], "totp": phone.wrong() })).await;
            if answer.status == 429 {
                break answer;
            }
            answer.expect_problem(422, "code_wrong");
            guesses += 1;
            assert!(guesses < 20, "it ends");
        };
        assert_eq!(guesses, 7);
        let limited = limited.expect_problem(429, "rate_limited");
        assert!(limited.header("ratelimit").contains("factors_per_account"), "{limited:?}");

        // The owner's device has a budget of its own.
        let mut own = ann.clone();
        let request = own.request(Method::POST, &path("/signin")).json(&json!({ "email": ANN, "password": PASSWORD }));
        let answer = own.send(own.showing(request)).await;
        let step = own.challenged(answer);
        own.second_step(json!({ "challenge": step["challenge"], "totp": phone.wrong() })).await.expect_problem(422, "code_wrong");
        own.second_step(json!({ "challenge": step["challenge"], "totp": phone.code() })).await.expect(200);
    }

    async fn codes_in_a_session_are_counted_for_it(app: App, "limits.factors_per_account = '2/1d'\nlimits.factors_per_device = '3/1h'") {
        let ann = app.sign_up("ann").await;
        let (mut phone, _) = ann.set_up_totp().await;
        let shown = |code: String| ann.call(Method::POST, "/reauthenticate", Some(json!({ "totp": code })));
        for _ in 0..3 {
            shown(phone.wrong()).await.expect_problem(422, "code_wrong");
        }
        shown(phone.code()).await.expect(200);
    }

    async fn challenges_for_nobody_are_limited(app: App, "limits.challenges_per_address = '2/1h'") {
        let anon = app.anon();
        for _ in 0..2 {
            anon.send(anon.request(Method::POST, &path("/signin/passkey/options"))).await.expect(200);
        }
        let refused = anon.send(anon.request(Method::POST, &path("/signin/passkey/options"))).await;
        refused.expect_problem(429, "rate_limited");
        anon.post("/signup/passkey/options", json!({ "email": ANN })).await.expect_problem(429, "rate_limited");
    }
}
