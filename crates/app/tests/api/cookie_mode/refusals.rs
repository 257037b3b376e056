//! What is refused, and what that does to the cookie.

use super::*;
use crate::support::{
    App, field_errors, on_both_stores, wait_until_gone, wait_until_past, with_one_redis,
};
use std::time::{Duration, Instant};

/// Somebody who is signed in, and whose session is bound to the browser.
async fn signed_in(app: &App) -> (Actor, Browser, String) {
    let (anon, mut browser) = (app.anon(), Browser::default());
    browser.sign_up(&anon, OWN, "ann").await;
    let answer = browser.refresh(&anon, OWN).await.expect(200);
    let id = id_token(&answer);
    (anon, browser, id)
}

on_both_stores! {
    async fn other_values_of_the_header_are_refused(app: App) {
        let (anon, mut browser, _) = signed_in(&app).await;
        for operation in ["/tokens", "/signout", "/signin", "/signup", "/signup/confirm", "/signin/code/confirm", "/recovery/confirm"] {
            for values in [&["body"][..], &["Cookie"], &["cookies"], &[""], &["cookie, cookie"], &["cookie", "cookie"], &["cookie", "body"]] {
                let request = browser.with_cookies(anon.request(Method::POST, &path(operation))).header("Origin", OWN);
                let request = values.iter().fold(request, |request, value| request.header("Revolve-Tokens", *value));
                let answer = anon.send(request.json(&who("ann"))).await.expect_problem(400, "invalid_tokens_mode");
                assert_eq!(answer.headers.get("set-cookie"), None, "{operation} {values:?}");
            }
        }
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn a_token_in_the_body_beside_the_cookie_is_refused(app: App) {
        let (anon, mut browser, _) = signed_in(&app).await;
        let token = browser.token(OWN).unwrap().clone();
        for body in [json!({ "refreshToken": token }), json!({ "refreshToken": "x" }), json!({ "refreshToken": null })] {
            for has_cookie in [true, false] {
                let mut one = if has_cookie { browser.clone() } else { Browser::default() };
                let request = one.request(&anon, OWN, "/tokens").json(&body);
                let answer = one.send(&anon, OWN, request).await.expect_problem(422, "invalid_fields");
                assert_eq!(field_errors(&answer), ["refreshToken: unknown_field"]);
            }
        }
        let other = browser.call(&anon, OWN, "/tokens", Some(json!({ "other": 1 }))).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&other), ["other: unknown_field"]);
        let malformed = browser.request(&anon, OWN, "/tokens").header("Content-Type", "application/json").body("{");
        browser.send(&anon, OWN, malformed).await.expect_problem(400, "malformed_json");
        assert_eq!(browser.token(OWN), Some(&token));
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn without_the_header_all_is_as_without_the_cookie(app: App) {
        let (anon, mut browser, _) = signed_in(&app).await;
        let plain = |body: Option<Value>| {
            let request = browser.with_cookies(anon.request(Method::POST, &path("/tokens"))).header("Origin", OWN).header("Sec-Fetch-Site", "same-origin");
            anon.send(match body {
                Some(body) => request.json(&body),
                None => request,
            })
        };
        let answer = plain(Some(json!({}))).await.expect_problem(422, "invalid_fields");
        assert_eq!(field_errors(&answer), ["refreshToken: missing"]);
        plain(None).await.expect_problem(400, "malformed_json");
        plain(Some(json!({ "refreshToken": "a.b.c" }))).await.expect_problem(401, "token_invalid");
        let sign_out = browser.with_cookies(anon.request(Method::POST, &path("/signout"))).header("Origin", OWN);
        anon.send(sign_out).await.expect_problem(401, "unauthenticated");
        let sign_in = browser.with_cookies(anon.request(Method::POST, &path("/signin"))).header("Origin", "https://elsewhere.example.org");
        let answer = anon.send(sign_in.json(&who("ann"))).await.expect(200);
        assert!(answer.json()["tokens"]["refreshToken"].is_string());
        let cookies = answer.headers.get_all("set-cookie").iter();
        assert_eq!(cookies.filter(|cookie| cookie.to_str().unwrap().contains(REFRESH)).count(), 0);
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn a_browser_without_the_cookie_is_told_to_sign_in(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        for operation in ["/tokens", "/signout"] {
            let answer = browser.call(&anon, OWN, operation, None).await.expect_problem(401, "cookie_missing");
            assert_eq!(answer.headers.get("set-cookie"), None);
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"revolve\"");
        }
    }

    async fn a_refused_sign_in_sets_no_cookie(app: App) {
        let (anon, mut browser, _) = signed_in(&app).await;
        let before = browser.clone();
        let wrong = json!({ "email": "ann@example.org", "password": "not this horse" });
        browser.call(&anon, OWN, "/signin", Some(wrong)).await.expect_problem(401, "invalid_credentials");
        browser.call(&anon, OWN, "/signup", Some(who("ann"))).await.expect_problem(409, "email_taken");
        assert_eq!(browser.cookies, before.cookies);
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn a_token_of_no_use_is_taken_away(app: App) {
        let (anon, mut browser, id) = signed_in(&app).await;
        let token = browser.token(OWN).unwrap().clone();
        let signature = token.rsplit('.').next().unwrap();
        for bad in ["x".to_owned(), id.clone(), format!("{token}="), token.replace(signature, &signature[1..])] {
            for operation in ["/tokens", "/signout"] {
                browser.plant(OWN, &bad);
                browser.call(&anon, OWN, operation, None).await.expect_problem(401, "token_invalid");
                assert_eq!(browser.token(OWN), None);
            }
        }
        browser.plant(OWN, &token);
        browser.refresh(&anon, OWN).await.expect(200);
        // Ended on another device.
        let mut elsewhere = app.anon();
        elsewhere.sign_in("ann@example.org", PASSWORD).await.expect(200);
        elsewhere.sign_out("others").await.expect(204);
        let mut other_tab = browser.clone();
        browser.refresh(&anon, OWN).await.expect_problem(401, "session_revoked");
        other_tab.call(&anon, OWN, "/signout", None).await.expect_problem(401, "session_revoked");
        assert_eq!((browser.token(OWN), other_tab.token(OWN)), (None, None));
    }

    async fn a_token_that_has_expired_is_taken_away(app: App, "tokens.refresh_lifetime = '2s'") {
        let anon = app.anon();
        let request = |operation: &str| anon.request(Method::POST, &path(operation)).header("Origin", OWN).header("Revolve-Tokens", "cookie");
        let begun = anon.send(request("/signup").json(&who("ann"))).await.expect(201);
        let cookies: Vec<&str> = begun.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect();
        let cookie = cookies.iter().find(|cookie| cookie.starts_with(REFRESH)).unwrap();
        assert!(cookie.ends_with("Max-Age=2"), "{cookie}");
        let pair = cookie.split(';').next().unwrap();
        wait_until_gone(&Actor::claims(pair.split_once('=').unwrap().1)).await;
        for operation in ["/tokens", "/signout"] {
            let answer = anon.send(request(operation).header("Cookie", pair)).await.expect_problem(401, "token_expired");
            let name = pair.split('=').next().unwrap();
            assert_eq!(answer.header("set-cookie"), format!("{name}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"));
        }
    }

    async fn a_token_that_was_reused_is_taken_away_and_one_that_is_stale_is_not(app: App, "sessions.retry_free = '3s'") {
        let (anon, mut browser, _) = signed_in(&app).await;
        let mut slow = browser.clone();
        browser.refresh(&anon, OWN).await.expect(200);
        browser.refresh(&anon, OWN).await.expect(200);
        // The answer of a slow tab leaves the cookie that a faster one has got.
        slow.refresh(&anon, OWN).await.expect_problem(401, "token_stale");
        assert!(slow.token(OWN).is_some());
        browser.refresh(&anon, OWN).await.expect(200);
        let last = loop {
            let answer = slow.refresh(&anon, OWN).await.expect(401);
            if answer.json()["code"] != "token_stale" {
                break answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        last.expect_problem(401, "token_reused");
        assert_eq!(slow.token(OWN), None);
        browser.refresh(&anon, OWN).await.expect_problem(401, "token_reused");
        assert_eq!(browser.token(OWN), None);
    }

    async fn a_newer_sign_in_of_another_tab_keeps_its_cookie(app: App) {
        let (anon, mut browser, id) = signed_in(&app).await;
        // A tab asks with the old cookie while the other one signs in: its answer must not take the new cookie away.
        let mut slow = browser.clone();
        browser.sign_in(&anon, OWN, "ann").await;
        let answer = slow.refresh(&anon, OWN).await.expect_problem(401, "session_replaced");
        assert_eq!(answer.headers.get("set-cookie"), None);
        browser.sign_out(&anon, OWN, &id, "this").await.expect_problem(401, "session_replaced");
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn without_its_device_the_token_stays(app: App) {
        let (anon, browser, _) = signed_in(&app).await;
        let mut without = browser.clone();
        without.cookies.retain(|name, _| name.starts_with(REFRESH));
        without.refresh(&anon, OWN).await.expect_problem(401, "device_mismatch");
        without.cookies.extend(browser.cookies.clone());
        without.refresh(&anon, OWN).await.expect(200);
    }

    async fn a_limit_leaves_the_cookie(app: App, "limits.refresh_per_session = '2/1h'") {
        let (anon, mut browser, _) = signed_in(&app).await;
        while browser.refresh(&anon, OWN).await.status == 200 {}
        let answer = browser.refresh(&anon, OWN).await.expect_problem(429, "rate_limited");
        assert_eq!(answer.headers.get("set-cookie"), None);
        assert!(browser.token(OWN).is_some());
    }

    async fn an_id_token_that_has_expired_leaves_the_cookie(app: App, "tokens.id_lifetime = '1s'") {
        let (anon, mut browser, id) = signed_in(&app).await;
        wait_until_past(&Actor::claims(&id)).await;
        browser.sign_out(&anon, OWN, &id, "this").await.expect_problem(401, "token_expired");
        browser.refresh(&anon, OWN).await.expect(200);
    }
}

#[test]
fn a_store_that_is_down_leaves_the_cookie() {
    with_one_redis("", |app| async move {
        let (anon, mut browser, id) = signed_in(&app).await;
        let before = browser.token(OWN).cloned();
        app.backing.server().redis.cut();
        let answer = browser.refresh(&anon, OWN).await;
        answer.expect_problem(503, "unavailable");
        app.backing.server().postgres.cut();
        for answer in [
            browser.refresh(&anon, OWN).await,
            browser.call(&anon, OWN, "/signout", None).await,
            browser.sign_out(&anon, OWN, &id, "this").await,
        ] {
            answer.expect_problem(503, "unavailable");
        }
        assert_eq!(browser.token(OWN).cloned(), before);

        app.backing.server().redis.restore();
        app.backing.server().postgres.restore();
        let started = Instant::now();
        while browser.refresh(&anon, OWN).await.status != 200 {
            assert!(
                started.elapsed() < Duration::from_mins(1),
                "the service does not recover"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        browser.sign_out(&anon, OWN, &id, "this").await.expect(204);
        assert_eq!(browser.token(OWN), None);
    });
}
