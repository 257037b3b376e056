//! What browsers are told with every answer.

use crate::support::{Answer, App, FEED, PASSWORD, on_both_stores, path};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;

#[track_caller]
fn assert_shielded(answer: &Answer, what: &str) {
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'",
        "{what}"
    );
    assert_eq!(answer.header("referrer-policy"), "no-referrer", "{what}");
    assert!(!answer.header("cache-control").is_empty(), "{what}");
    if answer.header("content-type") == "application/problem+json" {
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    }
    for name in [
        "x-content-type-options",
        "cache-control",
        "content-security-policy",
    ] {
        assert_eq!(
            answer.headers.get_all(name).iter().count(),
            1,
            "{what}: {name} once"
        );
    }
}

on_both_stores! {
    async fn every_answer_has_them(app: App) {
        let mut ann = app.anon();
        assert_shielded(&ann.sign_up("ann@example.org").await.expect(201), "a sign-up");
        let refreshed = ann.refresh().await.expect(200);
        assert_eq!(refreshed.header("cache-control"), "no-store");
        assert_shielded(&refreshed, "a refresh");
        for (method, target) in [
            (Method::GET, path("/me")),
            (Method::GET, path("/nothing")),
            (Method::PATCH, path("/me")),
            (Method::POST, path("/signup")),
            (Method::DELETE, path("/sessions/x")),
            (Method::POST, "/oauth/token".to_owned()),
            (Method::GET, "/oauth/revoke".to_owned()),
            (Method::POST, "/oauth/introspect".to_owned()),
            (Method::GET, "/userinfo".to_owned()),
            (Method::GET, "/".to_owned()),
            (Method::GET, "/nothing".to_owned()),
            (Method::OPTIONS, path("/signup")),
            (Method::HEAD, path("/me")),
            (Method::GET, "/health/live".to_owned()),
            (Method::GET, "/health/ready".to_owned()),
            (Method::POST, "/health/ready".to_owned()),
            (Method::GET, format!("/nothing?{}", "x".repeat(9000))),
        ] {
            let answer = ann.send(ann.request(method.clone(), &target)).await;
            assert_shielded(&answer, &format!("{method} {target} {}", answer.status));
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin", "{target}");
            assert_eq!(answer.header("strict-transport-security"), "", "the issuer is not https");
            assert_eq!(answer.header("access-control-allow-origin"), "");
        }
        for target in ["/.well-known/jwks.json", "/.well-known/openid-configuration", FEED, "/.well-known/nothing"] {
            let answer = ann.send(ann.request(Method::GET, target)).await;
            assert_shielded(&answer, target);
            assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin", "{target}");
        }
        let key_set = ann.send(ann.request(Method::GET, "/.well-known/jwks.json")).await.expect(200);
        assert!(key_set.header("cache-control").starts_with("public, max-age="), "a handler's own header wins");
        let events = ann.request(Method::GET, FEED).header("Accept", "text/event-stream").send().await.expect("a stream");
        assert_eq!(events.headers()["x-content-type-options"], "nosniff");
    }

    async fn tokens_and_problems_are_never_kept(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        assert_eq!(anon.post("/signup", body.clone()).await.expect(201).header("cache-control"), "no-store");
        assert_eq!(anon.post("/signin", body).await.expect(200).header("cache-control"), "no-store");
        let problem = anon.request(Method::POST, &path("/signin")).header(CONTENT_TYPE, "text/plain").body("x");
        assert_eq!(anon.send(problem).await.expect(415).header("cache-control"), "no-store");
        let bad = anon.request(Method::GET, &format!("{FEED}?wait=x"));
        assert_eq!(anon.send(bad).await.expect(400).header("cache-control"), "no-store");
    }

    async fn an_https_issuer_is_https_only(app: App, "tokens.issuer = 'https://accounts.example.org'\n") {
        let anon = app.anon();
        for target in ["/health/live", "/nothing", "/.well-known/jwks.json", "/api/account/me"] {
            let answer = anon.send(anon.request(Method::GET, target)).await;
            assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{target}");
        }
    }
}
