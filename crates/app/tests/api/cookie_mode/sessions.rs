//! Sessions from beginning to end.

use super::*;
use crate::support::{App, Backing, Store, on_both_stores};
use futures_util::future::join_all;
use std::collections::BTreeSet;

on_both_stores! {
    async fn the_token_is_in_the_cookie_and_in_no_body(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let ann = browser.sign_up(&anon, OWN, "ann").await;
        assert_eq!(email_of(&anon, &ann, &browser).await, "ann@example.org");
        let first = browser.claims(OWN);
        assert_eq!((&first["gen"], &first["sid"]), (&json!(1), &Actor::claims(&ann)["sid"]));
        // Nothing in the body, and an object with nothing in it.
        for (body, generation) in [(None, 2), (Some(json!({})), 3)] {
            let answer = browser.call(&anon, OWN, "/tokens", body).await.expect(200);
            assert_eq!(answer.json().get("device"), None);
            let fresh = id_token(&answer);
            assert_eq!(email_of(&anon, &fresh, &browser).await, "ann@example.org");
            let next = browser.claims(OWN);
            assert_eq!((&next["gen"], &next["sid"]), (&json!(generation), &first["sid"]));
            assert!(next["did"].is_string(), "the browser's device is known by its cookie");
        }
        browser.sign_in(&anon, OWN, "ann").await;
        assert_ne!(browser.claims(OWN)["sid"], first["sid"], "another session");
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn behind_https_the_cookie_is_for_this_host_alone(app: App, "tokens.issuer = 'https://accounts.example.org'\ntokens.refresh_lifetime = '5h'") {
        let anon = app.anon();
        let request = anon.request(Method::POST, &path("/signup")).header("Origin", "https://accounts.example.org");
        let answer = anon.send(request.header("Revolve-Tokens", "cookie").json(&who("ann"))).await.expect(201);
        id_token(&answer);
        let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let cookie = cookies.filter(|cookie| cookie.starts_with("__Host-revolve-refresh-")).collect::<Vec<_>>();
        let (pair, attributes) = cookie[0].split_once("; ").unwrap();
        assert_eq!((attributes, cookie.len()), ("HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=18000", 1));
        let refresh = |pair: &str| {
            let request = anon.request(Method::POST, &path("/tokens")).header("Origin", "https://accounts.example.org");
            anon.send(request.header("Revolve-Tokens", "cookie").header("Cookie", pair))
        };
        refresh(pair).await.expect(200);
        // A sibling host can plant a cookie without the prefix, or with one that only looks like it.
        for planted in [pair.replace("__Host-", ""), pair.replace("__Host-", "__host-"), pair.replace("__Host-", "%5F_Host-")] {
            refresh(&planted).await.expect_problem(401, "cookie_missing");
        }
    }

    async fn a_lost_answer_is_asked_for_again(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        browser.sign_up(&anon, OWN, "ann").await;
        let mut before = browser.clone();
        browser.refresh(&anon, OWN).await.expect(200);
        before.refresh(&anon, OWN).await.expect(200);
        assert_eq!(before.token(OWN), browser.token(OWN), "the same successor");
        // So do tabs that ask at once, each with the cookie as it was.
        let tabs = join_all((0..20).map(|_| {
            let (anon, mut tab) = (anon.clone(), before.clone());
            async move {
                tab.refresh(&anon, OWN).await.expect(200);
                tab.token(OWN).cloned()
            }
        }));
        let successors: BTreeSet<_> = tabs.await.into_iter().collect();
        assert_eq!(successors.len(), 1);
        // An answer that comes late puts the parent back.
        let mut late = browser.clone();
        browser.refresh(&anon, OWN).await.expect(200);
        late.refresh(&anon, OWN).await.expect(200);
        assert_eq!(late.token(OWN), browser.token(OWN));
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn a_sign_out_takes_the_cookie_away(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let mut id = browser.sign_up(&anon, OWN, "ann").await;
        for scope in ["this", "everywhere"] {
            let token = browser.token(OWN).unwrap().clone();
            browser.sign_out(&anon, OWN, &id, scope).await.expect(204);
            assert_eq!(browser.token(OWN), None, "{scope}");
            browser.refresh(&anon, OWN).await.expect_problem(401, "cookie_missing");
            anon.refresh_with(&token).await.expect_problem(401, "session_revoked");
            id = browser.sign_in(&anon, OWN, "ann").await;
        }
        let mut elsewhere = Browser::default();
        elsewhere.sign_in(&anon, OWN, "ann").await;
        browser.refresh(&anon, OWN).await.expect(200);
        browser.sign_out(&anon, OWN, &id, "others").await.expect(204);
        browser.refresh(&anon, OWN).await.expect(200);
        elsewhere.refresh(&anon, OWN).await.expect_problem(401, "session_revoked");
        assert_eq!(elsewhere.token(OWN), None);
    }

    async fn a_sign_out_needs_no_id_token(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let id = browser.sign_up(&anon, OWN, "ann").await;
        let parent = browser.clone();
        browser.refresh(&anon, OWN).await.expect(200);
        for body in [Some(json!({ "scope": "others" })), Some(json!({ "scope": "everywhere" }))] {
            let answer = browser.call(&anon, OWN, "/signout", body).await;
            answer.expect_problem(401, "unauthenticated");
        }
        assert_eq!(email_of(&anon, &id, &browser).await, "ann@example.org", "the cookie alone ends no other session");
        // The answer to the last refresh may have been lost: then the browser has the parent.
        let mut browser = parent;
        browser.call(&anon, OWN, "/signout", None).await.expect(204);
        assert_eq!(browser.token(OWN), None);
        let me = browser.with_cookies(anon.request(Method::GET, &path("/me"))).bearer_auth(&id);
        anon.send(me).await.expect_problem(401, "session_revoked");
        browser.call(&anon, OWN, "/signout", None).await.expect_problem(401, "cookie_missing");
    }

    async fn a_sign_out_leaves_the_cookie_of_another_session(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        let ann = browser.sign_up(&anon, OWN, "ann").await;
        // Another tab of the same browser.
        let bob = browser.sign_up(&anon, OWN, "bob").await;
        browser.sign_out(&anon, OWN, &ann, "everywhere").await.expect(204);
        browser.sign_out(&anon, OWN, &ann, "this").await.expect_problem(401, "session_revoked");
        let answer = browser.refresh(&anon, OWN).await.expect(200);
        assert_eq!(email_of(&anon, &id_token(&answer), &browser).await, "bob@example.org");
        browser.sign_out(&anon, OWN, &bob, "this").await.expect(204);
        assert_eq!(browser.token(OWN), None);
    }

    async fn front_ends_of_one_site_have_a_cookie_each(
        app: App, "http.cors_origins = ['https://shop.example.org', 'https://blog.example.org']\n"
    ) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        browser.sign_up(&anon, SHOP, "ann").await;
        browser.refresh(&anon, BLOG).await.expect_problem(401, "cookie_missing");
        browser.refresh(&anon, OWN).await.expect_problem(401, "cookie_missing");
        // Another account, the same one, and the service's own pages.
        browser.sign_up(&anon, BLOG, "bob").await;
        browser.sign_in(&anon, OWN, "ann").await;
        assert_eq!(browser.tokens().len(), 3);
        for _ in 0..2 {
            for (origin, email) in [(SHOP, "ann@example.org"), (BLOG, "bob@example.org"), (OWN, "ann@example.org")] {
                let answer = browser.refresh(&anon, origin).await.expect(200);
                assert_eq!(email_of(&anon, &id_token(&answer), &browser).await, email, "{origin}");
            }
            let before = browser.clone();
            browser.sign_in(&anon, SHOP, "ann").await;
            assert_eq!((before.token(BLOG), before.token(OWN)), (browser.token(BLOG), browser.token(OWN)));
        }
        browser.call(&anon, SHOP, "/signout", None).await.expect(204);
        assert_eq!((browser.token(SHOP), browser.tokens().len()), (None, 2));
        browser.refresh(&anon, BLOG).await.expect(200);
        browser.refresh(&anon, OWN).await.expect(200);
    }

    async fn the_own_front_end_is_one_however_its_browser_names_it(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        browser.sign_up(&anon, OWN, "ann").await;
        browser.refresh(&anon, OWN).await.expect(200);
        // A form of a page that sends no referrer has `null`, and a browser may leave the header out.
        for origin in [Some("null"), None] {
            let before = browser.clone();
            let ask = |browser: &Browser, operation: &str| {
                let mut request = browser.with_cookies(anon.request(Method::POST, &path(operation)));
                if let Some(origin) = origin {
                    request = request.header("Origin", origin);
                }
                request.header("Sec-Fetch-Site", "same-origin").header("Revolve-Tokens", "cookie")
            };
            let refresh = ask(&browser, "/tokens");
            browser.send(&anon, OWN, refresh).await.expect(200);
            let sign_in = ask(&browser, "/signin").json(&who("ann"));
            browser.send(&anon, OWN, sign_in).await.expect(200);
            assert_eq!(browser.tokens().len(), 1, "{origin:?}");
            let mut before = before;
            before.refresh(&anon, OWN).await.expect_problem(401, "session_replaced");
            browser.refresh(&anon, OWN).await.expect(200);
        }
    }

    async fn two_installations_on_one_host_share_a_browser(app: App) {
        let second = Backing::new(Store::Embedded).await.unwrap();
        let other = app.replica_with(&second.config("")).await;
        // Browsers send the cookies of a host to all of its ports.
        let (anon, there, mut browser) = (app.anon(), other.anon(), Browser::default());
        browser.sign_up(&anon, OWN, "ann").await;
        let here = browser.names[OWN].clone();
        browser.sign_up(&there, OWN, "ann").await;
        assert_ne!(browser.names[OWN], here);
        for _ in 0..2 {
            browser.refresh(&anon, OWN).await.expect(200);
            browser.refresh(&there, OWN).await.expect(200);
        }
        browser.call(&there, OWN, "/signout", None).await.expect(204);
        let replica = app.replica().await;
        browser.refresh(&replica.anon(), OWN).await.expect(200);
        assert_eq!(browser.names[OWN], here, "all replicas use the same name, at every start");
        replica.stop().await;
        other.stop().await;
    }

    async fn a_client_may_change_between_cookie_and_body(app: App) {
        let (anon, mut browser) = (app.anon(), Browser::default());
        browser.sign_up(&anon, OWN, "ann").await;
        let token = browser.token(OWN).unwrap().clone();
        let request = browser.with_cookies(anon.request(Method::POST, &path("/tokens")));
        let answer = anon.send(request.json(&json!({ "refreshToken": token }))).await.expect(200);
        assert!(!answer.headers.get_all("set-cookie").iter().any(|cookie| cookie.to_str().unwrap().starts_with(REFRESH)));
        let next = answer.json()["tokens"]["refreshToken"].as_str().unwrap().to_owned();
        browser.refresh(&anon, OWN).await.expect(200);
        assert_eq!(browser.token(OWN), Some(&next), "one session, and one successor");
    }
}
