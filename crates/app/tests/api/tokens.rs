//! `POST /api/account/tokens`

use crate::support::{Actor, App, PASSWORD, on_both_stores, path, wait_until_gone};
use futures_util::future::join_all;
use reqwest::{Method, header::HeaderValue};
use serde_json::json;
use std::collections::BTreeSet;

on_both_stores! {
    async fn gives_the_next_pair(app: App) {
        let mut ann = app.sign_up("ann").await;
        let (old, session) = (ann.refresh_token.clone(), ann.session.clone());
        let answer = ann.refresh().await.expect(200);
        assert_eq!(answer.json().get("device"), None, "a refresh never hands out a credential");
        assert_eq!(ann.session, session);
        let (before, after) = (Actor::claims(&old), Actor::claims(&ann.refresh_token));
        assert_eq!((&after["gen"], &after["sid"], &after["uid"]), (&json!(2), &before["sid"], &before["uid"]));
        assert_ne!(before["jti"], after["jti"]);
        ann.get("/me").await.expect(200);
    }

    async fn gives_a_retry_the_same_successor(app: App, "tokens.algorithm = 'RS256'") {
        let mut ann = app.sign_up("ann").await;
        let parent = ann.refresh_token.clone();
        ann.refresh().await.expect(200);
        let again = ann.refresh_with(&parent).await.expect(200).json();
        assert_eq!(again["tokens"]["refreshToken"], json!(ann.refresh_token));
        assert_eq!(again["tokens"]["idToken"], json!(ann.id_token), "RS256 and the same times: the same bytes");
    }

    async fn a_hundred_at_once_get_one_successor(app: App) {
        let mut ann = app.sign_up("ann").await;
        let answers = join_all((0..100).map(|_| ann.refresh_with(&ann.refresh_token))).await;
        let successors: BTreeSet<String> =
            answers.into_iter().map(|answer| answer.expect(200).json()["tokens"]["refreshToken"].as_str().unwrap().to_owned()).collect();
        assert_eq!(successors.len(), 1);
        ann.refresh_token = successors.into_iter().next().unwrap();
        ann.refresh().await.expect(200);
        assert_eq!(Actor::claims(&ann.refresh_token)["gen"], 3);
    }

    async fn a_grandparent_is_stale_at_first_and_then_reuse(app: App, "sessions.retry_free = '3s'") {
        let mut ann = app.sign_up("ann").await;
        let grandparent = ann.refresh_token.clone();
        ann.refresh().await.expect(200);
        ann.refresh().await.expect(200);
        ann.refresh_with(&grandparent).await.expect_problem(401, "token_stale");
        ann.refresh().await.expect(200);
        // The answer is "stale" until the free window is over.
        let last = loop {
            let answer = ann.refresh_with(&grandparent).await.expect(401);
            if answer.json()["code"] != "token_stale" {
                break answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        last.expect_problem(401, "token_reused");
        ann.refresh().await.expect_problem(401, "token_reused");
        ann.get("/me").await.expect_problem(401, "token_reused");
    }

    async fn with_the_policy_reject_reuse_is_refused_and_the_session_goes_on(
        app: App, "sessions.retry_free = '0s'\nsessions.retry_window = '0s'\nsessions.reuse_policy = 'reject'"
    ) {
        let mut ann = app.sign_up("ann").await;
        let parent = ann.refresh_token.clone();
        ann.refresh().await.expect(200);
        ann.refresh_with(&parent).await.expect_problem(401, "token_reused");
        ann.refresh().await.expect(200);
        ann.get("/me").await.expect(200);
    }

    async fn a_late_retry_is_counted_and_seen_by_operators(
        app: App, "sessions.retry_free = '0s'\nsessions.late_retries = 1\nhttp.metrics_listen = '127.0.0.1:0'"
    ) {
        let mut ann = app.sign_up("ann").await;
        for expected in [200, 401] {
            let parent = ann.refresh_token.clone();
            ann.refresh().await.expect(200);
            ann.refresh_with(&parent).await.expect(expected);
        }
        let metrics = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        for outcome in ["late", "reused"] {
            let line = format!("revolve_retry_gap_seconds_count{{outcome=\"{outcome}\"}} 1");
            assert!(metrics.contains(&line), "{line} in {metrics}");
        }
    }

    async fn of_another_issuer_is_refused(app: App) {
        let mut ann = app.sign_up("ann").await;
        // Signed with the same keys, in the name of somebody else: the closest that a stranger's token could come.
        let config = app.backing.config("tokens.issuer = 'http://elsewhere.example.org'");
        let elsewhere = revolve::Application::build(revolve::config::Config::from_toml(&config).unwrap()).await.unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let url = format!("http://{}/api/account/tokens", elsewhere.address());
        let running = actix_web::rt::spawn(elsewhere.run(async move { drop(stopped.await) }));
        let answer = ann.send(reqwest::Client::new().post(url).json(&json!({ "refreshToken": ann.refresh_token }))).await;
        answer.expect_problem(401, "token_invalid");
        drop(stop);
        running.await.unwrap().unwrap();
        ann.refresh().await.expect(200);
    }

    async fn expires(app: App, "tokens.refresh_lifetime = '1s'") {
        let mut ann = app.sign_up("ann").await;
        wait_until_gone(&Actor::claims(&ann.refresh_token)).await;
        ann.refresh().await.expect_problem(401, "token_expired");
    }

    async fn is_the_same_with_white_space_around_it(app: App) {
        let mut ann = app.sign_up("ann").await;
        for (before, after) in [("", "\n"), ("", "\r\n"), (" \t", " "), ("\u{a0}", "\u{a0}\n\n")] {
            let answer = ann.refresh_with(&format!("{before}{}{after}", ann.refresh_token)).await.expect(200).json();
            answer["tokens"]["refreshToken"].as_str().unwrap().clone_into(&mut ann.refresh_token);
            answer["tokens"]["idToken"].as_str().unwrap().clone_into(&mut ann.id_token);
        }
        for authorization in ["Bearer {}", "bearer   {} ", "Bearer\t{}\t"] {
            let me = ann.request(Method::GET, &path("/me")).header("Authorization", authorization.replace("{}", &ann.id_token));
            ann.send(me).await.expect(200);
        }
    }

    async fn a_bound_browser_is_known_whatever_its_other_cookies_say(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let answer = anon.send(anon.request(Method::POST, &path("/signup")).header("Sec-Fetch-Site", "same-origin").json(&body)).await.expect(201);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = answer.json()["tokens"]["refreshToken"].clone();
        for others in ["theme=light", "theme=grün", "a=%FF; =; b"] {
            let cookies = HeaderValue::from_bytes(format!("{others}; {cookie}").as_bytes()).unwrap();
            let refresh = anon.request(Method::POST, &path("/tokens")).header("Cookie", cookies).json(&json!({ "refreshToken": token }));
            anon.send(refresh).await.expect(200);
        }
        anon.post("/tokens", json!({ "refreshToken": token })).await.expect_problem(401, "device_mismatch");
    }

    async fn refuses_what_is_not_a_refresh_token_of_ours(app: App) {
        let mut ann = app.sign_up("ann").await;
        let token = ann.refresh_token.clone();
        let (head, rest) = token.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        let other = app.sign_up("bob").await;
        let (_, others) = other.refresh_token.split_once('.').unwrap();
        let forged = [
            ann.id_token.clone(),
            String::new(),
            "a.b.c".to_owned(),
            "ü".repeat(50),
            format!("{} {}", &token[..20], &token[20..]),
            format!("{token}="),
            format!("{token}.{signature}"),
            format!("{head}.{payload}."),
            format!("{head}.{payload}.{}", &signature[1..]),
            format!("{head}.{}.{signature}", others.split_once('.').unwrap().0),
            format!("eyJhbGciOiJub25lIn0.{payload}."),
            "x".repeat(10_000),
        ];
        for bad in forged {
            ann.refresh_with(&bad).await.expect_problem(401, "token_invalid");
        }
        ann.post("/tokens", json!({})).await.expect_problem(422, "invalid_fields");
        ann.post("/tokens", json!({ "refreshToken": 1 })).await.expect_problem(422, "invalid_fields");
        ann.refresh().await.expect(200);
    }
}
