//! `POST /oauth/token`

use super::{TOKEN, form, keep, refresh, refresh_bound, refresh_with, text};
use crate::support::{Actor, App, PASSWORD, on_both_stores, path};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use std::collections::BTreeSet;

on_both_stores! {
    async fn gives_the_next_pair(app: App) {
        let mut ann = app.sign_up("ann").await;
        let (old, session) = (ann.refresh_token.clone(), ann.session.clone());
        let answer = refresh(&mut ann).await.expect(200);
        let json = answer.json();
        assert_eq!(json["access_token"], json["id_token"]);
        assert_eq!(json["token_type"], "Bearer");
        let expires_in = json["expires_in"].as_u64().unwrap();
        assert!((880..=900).contains(&expires_in), "{expires_in}");
        assert_eq!(json.as_object().unwrap().len(), 5, "{json}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(answer.header("ratelimit").contains("refresh_per_session"), "{answer:#?}");
        let (before, after) = (Actor::claims(&old), Actor::claims(&ann.refresh_token));
        assert_eq!((&after["gen"], &after["sid"]), (&json!(2), &before["sid"]));
        assert_eq!(Actor::claims(&ann.id_token)["sid"], session);
        ann.get("/me").await.expect(200);
    }

    async fn is_the_same_chain_as_that_of_the_account_api(app: App) {
        let mut ann = app.sign_up("ann").await;
        let parent = ann.refresh_token.clone();
        refresh(&mut ann).await.expect(200);
        let again = ann.send(refresh_with(&ann, &parent)).await.expect(200);
        assert_eq!(text(&again.json()["refresh_token"]), ann.refresh_token, "a retry gets the same successor");
        let other = ann.refresh_with(&parent).await.expect(200).json();
        assert_eq!(text(&other["tokens"]["refreshToken"]), ann.refresh_token, "by whichever way it comes");
        ann.refresh().await.expect(200);
        refresh(&mut ann).await.expect(200);
        assert_eq!(Actor::claims(&ann.refresh_token)["gen"], 4);
    }

    async fn a_hundred_at_once_get_one_successor(app: App) {
        let mut ann = app.sign_up("ann").await;
        let answers = join_all((0..100).map(|_| ann.send(refresh_with(&ann, &ann.refresh_token)))).await;
        let successors: BTreeSet<String> =
            answers.into_iter().map(|answer| text(&answer.expect(200).json()["refresh_token"])).collect();
        assert_eq!(successors.len(), 1);
        ann.refresh_token = successors.into_iter().next().unwrap();
        refresh(&mut ann).await.expect(200);
        assert_eq!(Actor::claims(&ann.refresh_token)["gen"], 3);
    }

    // A signature of RSA is the same each time.
    async fn a_retry_says_how_long_its_id_token_still_lives(app: App, "tokens.algorithm = 'RS256'\ntokens.id_lifetime = '10s'") {
        let mut ann = app.sign_up("ann").await;
        let parent = ann.refresh_token.clone();
        let first = refresh(&mut ann).await.expect(200).json();
        // Until its second has passed, whatever is left of it.
        loop {
            let again = ann.send(refresh_with(&ann, &parent)).await.expect(200).json();
            assert_eq!(again["access_token"], first["access_token"]);
            if again["expires_in"].as_u64() < first["expires_in"].as_u64() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn a_slow_sibling_keeps_its_token_and_a_reused_one_is_worth_nothing(app: App, "sessions.retry_free = '3s'") {
        let mut ann = app.sign_up("ann").await;
        let grandparent = ann.refresh_token.clone();
        refresh(&mut ann).await.expect(200);
        refresh(&mut ann).await.expect(200);
        let stale = ann.send(refresh_with(&ann, &grandparent)).await;
        // Clients forget their tokens at `invalid_grant`, and their storage has the newest.
        stale.expect_oauth(400, "invalid_request", "token_stale");
        refresh(&mut ann).await.expect(200);
        let last = loop {
            let answer = ann.send(refresh_with(&ann, &grandparent)).await.expect(400);
            if answer.json()["code"] != "token_stale" {
                break answer;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        };
        last.expect_oauth(400, "invalid_grant", "token_reused");
        refresh(&mut ann).await.expect_oauth(400, "invalid_grant", "token_reused");
        ann.get("/me").await.expect_problem(401, "token_reused");
    }

    async fn a_session_is_bound_to_the_device_that_is_shown(app: App) {
        let (mut ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        refresh_bound(&mut ann).await.expect(200);
        assert!(Actor::claims(&ann.refresh_token)["did"].is_string());
        refresh(&mut ann).await.expect_oauth(400, "invalid_grant", "device_mismatch");
        let with_others = refresh_with(&ann, &ann.refresh_token).header("Revolve-Device", bob.credential.as_ref().unwrap());
        ann.send(with_others).await.expect_oauth(400, "invalid_grant", "device_mismatch");
        ann.refresh_with(&ann.refresh_token).await.expect_problem(401, "device_mismatch");
        refresh_bound(&mut ann).await.expect(200);
    }

    async fn a_browser_shows_its_device_by_its_cookie(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let sign_up = anon.request(Method::POST, &path("/signup")).header("Sec-Fetch-Site", "same-origin");
        let signed_up = anon.send(sign_up.json(&body)).await.expect(201);
        let cookie = signed_up.header("set-cookie").split(';').next().unwrap().to_owned();
        let token = text(&signed_up.json()["tokens"]["refreshToken"]);
        let refreshed = anon.send(refresh_with(&anon, &token).header("Cookie", &cookie)).await.expect(200);
        let token = text(&refreshed.json()["refresh_token"]);
        anon.send(refresh_with(&anon, &token)).await.expect_oauth(400, "invalid_grant", "device_mismatch");
        anon.send(refresh_with(&anon, &token).header("Cookie", &cookie)).await.expect(200);
    }

    async fn what_a_client_says_of_itself_is_not_looked_at(app: App) {
        let mut ann = app.sign_up("ann").await;
        for more in [
            &[("client_id", "revolve")][..],
            &[("client_id", "web"), ("client_secret", "s3cret"), ("resource", "https://api.example.org")],
            &[("scope", "openid profile email offline_access")],
            &[("scope", "")],
        ] {
            let token = ann.refresh_token.clone();
            let fields = [&[("grant_type", "refresh_token"), ("refresh_token", token.as_str())], more].concat();
            let request = form(&ann, TOKEN, &fields).basic_auth("web", Some("s3cret"));
            let answer = ann.send(request).await.expect(200);
            keep(&mut ann, &answer);
        }
        assert_eq!(Actor::claims(&ann.refresh_token)["gen"], 5);
    }

    async fn what_is_over_is_an_invalid_grant(app: App) {
        let (mut ann, other) = (app.sign_up("ann").await, app.sign_in("ann").await);
        let invalid = async |token: &str| ann.send(refresh_with(&ann, token)).await.expect_oauth(400, "invalid_grant", "token_invalid");
        for token in ["a.b.c", "x", &ann.id_token, &ann.refresh_token.replace('.', "-")] {
            invalid(token).await;
        }
        other.sign_out("this").await.expect(204);
        ann.send(refresh_with(&ann, &other.refresh_token)).await.expect_oauth(400, "invalid_grant", "session_revoked");
        refresh(&mut ann).await.expect(200);
    }

    async fn too_many_are_told_when_to_come_again(app: App, "limits.refresh_per_session = '2/1h'\nlimits.refresh_per_address = '2/1h'") {
        let mut ann = app.sign_up("ann").await;
        for _ in 0..2 {
            refresh(&mut ann).await.expect(200);
            ann.send(refresh_with(&ann, "x")).await.expect_oauth(400, "invalid_grant", "token_invalid");
        }
        for token in [ann.refresh_token.clone(), "x".to_owned()] {
            let answer = ann.send(refresh_with(&ann, &token)).await.expect_oauth(429, "temporarily_unavailable", "rate_limited");
            assert!(answer.header("ratelimit").contains(";r=0;"), "{answer:#?}");
        }
    }
}
