//! Which keys are let in.

use super::guarded;
use crate::support::{App, on_both_stores};
use futures_util::future::join_all;
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

on_both_stores! {
    async fn without_a_good_key_nothing_is_answered(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program_with("users:read").await;
        let (kept, last) = program.key.split_at(program.key.len() - 1);
        // The checksum is wrong; then it is right, and the secret is another's.
        let damaged = format!("{kept}{}", if last == "0" { "1" } else { "0" });
        let other = app.program_with("users:read").await;
        for (method, path, _) in guarded() {
            let bare = || program.bare(method.clone(), &path);
            program.send(bare()).await.expect_problem(401, "key_missing");
            program.send(bare().basic_auth("ann", Some("rvk"))).await.expect_problem(401, "key_missing");
            let answer = program.send(bare().bearer_auth(&damaged)).await.expect_problem(401, "key_invalid");
            assert!(answer.header("www-authenticate").contains("invalid_token"), "{answer:#?}");
        }
        for key in ["rvk_", "x", &program.key[..40], &other.key.replace("rvk_", "rvk-")] {
            program.showing(key).get("/users").await.expect_problem(401, "key_invalid");
        }
        program.get("/users").await.expect(200);
    }

    async fn each_operation_needs_its_scope_and_no_other(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let stranger = app.program_with("tokens:introspect").await;
        let mut programs = BTreeMap::new();
        for (method, path, scope) in guarded() {
            let answer = stranger.send(stranger.bare(method.clone(), &path).bearer_auth(&stranger.key)).await;
            let answer = answer.expect_problem(403, "scope_missing");
            assert_eq!(answer.json()["scope"], scope, "{method} {path}");
            let challenge = answer.header("www-authenticate");
            assert!(challenge.contains("insufficient_scope") && challenge.contains(scope), "{challenge}");
            if !programs.contains_key(scope) {
                programs.insert(scope, app.program_with(scope).await);
            }
            let program = &programs[scope];
            let answer = program.send(program.bare(method.clone(), &path).bearer_auth(&program.key)).await;
            assert!(![401, 403].contains(&answer.status), "{method} {path}: {answer:#?}");
        }
    }

    async fn a_revoked_key_counts_no_more(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, other) = (app.program_with("users:read").await, app.program_with("users:read").await);
        program.get("/users").await.expect(200);
        let used = app.revolve(&["api-keys", "list", "--json"]).await.expect(0).json();
        assert!(used[0]["usedAt"].as_str().is_some_and(|at| at.ends_with(":00:00Z")), "to the hour: {used}");
        assert_eq!(used[1]["usedAt"], json!(null));
        app.revolve(&["api-keys", "revoke", &program.id]).await.expect(0);
        program.get("/users").await.expect_problem(401, "key_revoked");
        other.get("/users").await.expect(200);
    }

    async fn a_key_expires(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_address = 'off'") {
        let arguments = ["api-keys", "create", "--name", "for a moment", "--scopes", "users:read", "--expires", "1s", "--json"];
        let made = app.revolve(&arguments).await.expect(0).json();
        let program = app.program_with("users:read").await.showing(made["key"].as_str().unwrap());
        loop {
            let answer = program.get("/users").await;
            if answer.status != 200 {
                answer.expect_problem(401, "key_expired");
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn guesses_from_one_address_are_limited_and_good_keys_are_not(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_address = '2/1h'") {
        let program = app.program_with("users:read").await;
        for _ in 0..5 {
            program.get("/users").await.expect(200);
        }
        let guess = program.showing("rvk_guess");
        for _ in 0..2 {
            guess.get("/users").await.expect_problem(401, "key_invalid");
        }
        let answer = guess.get("/users").await.expect_problem(429, "rate_limited");
        assert!(answer.header("ratelimit").contains("admin_per_address"), "{answer:#?}");
    }

    async fn a_good_key_may_ask_for_much_at_once(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program_with("users:read").await;
        for answer in join_all((0..100).map(|_| program.get("/users"))).await {
            answer.expect(200);
        }
    }

    async fn the_requests_of_one_key_are_limited(app: App, "http.admin_listen = '127.0.0.1:0'\nlimits.admin_per_key = '3/1h'") {
        let (program, other) = (app.program_with("users:read").await, app.program_with("users:read").await);
        for _ in 0..3 {
            program.get("/users").await.expect(200);
        }
        program.get("/users").await.expect_problem(429, "rate_limited");
        other.get("/users").await.expect(200);
    }
}
