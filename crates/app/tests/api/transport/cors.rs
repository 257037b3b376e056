//! Scripts of other origins: those that are listed, and nobody else.

use crate::support::{Actor, Answer, App, FEED, PASSWORD, on_both_stores, path};
use reqwest::Method;
use serde_json::json;

const APP: &str = "https://app.example.org";

async fn preflight(
    anon: &Actor,
    target: &str,
    origin: &str,
    method: &str,
    headers: &str,
) -> Answer {
    let request = anon
        .request(Method::OPTIONS, target)
        .header("Origin", origin);
    let request = request
        .header("Access-Control-Request-Method", method)
        .header("Access-Control-Request-Headers", headers);
    anon.send(request).await
}

#[track_caller]
fn assert_nothing_is_allowed(answer: &Answer) {
    let allowed = answer
        .headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-allow-origin"))
        .count();
    assert_eq!(allowed, 0, "{answer:?}");
}

on_both_stores! {
    async fn without_a_list_no_origin_is_allowed(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let signed_up = anon.send(anon.request(Method::POST, &path("/signup")).header("Origin", APP).json(&body)).await.expect(201);
        let refused = anon.send(anon.request(Method::GET, &path("/me")).header("Origin", APP)).await.expect(401);
        let mut answers = vec![signed_up, refused];
        for (target, method) in [("/signin", "POST"), ("/password", "PUT"), ("/me", "DELETE"), ("/me", "GET")] {
            let answer = preflight(&anon, &path(target), APP, method, "authorization, content-type").await;
            answers.push(answer.expect_problem(405, "method_not_allowed"));
        }
        for answer in answers {
            let mut names = answer.headers.keys();
            assert!(names.all(|name| !name.as_str().starts_with("access-control-")), "{answer:?}");
            assert!(!answer.header("vary").contains("Origin"), "it is the same for all: {answer:?}");
        }
    }

    async fn a_listed_origin_may_use_everything(app: App, "http.cors_origins = ['https://app.example.org', 'http://localhost:3000']\n") {
        let anon = app.anon();
        for origin in [APP, "http://localhost:3000"] {
            for (target, method) in [("/signin", "POST"), ("/password", "PUT"), ("/me", "DELETE"), ("/sessions/x", "DELETE"), ("/me", "GET")] {
                let wanted = "authorization, content-type, revolve-device, revolve-reauthentication, revolve-tokens, x-request-id, traceparent, tracestate, baggage";
                let answer = preflight(&anon, &path(target), origin, method, wanted).await.expect(200);
                assert_eq!(answer.header("access-control-allow-origin"), origin);
                assert_eq!(answer.header("access-control-allow-credentials"), "true");
                assert!(answer.header("access-control-allow-methods").contains(method));
                assert_eq!(answer.header("access-control-max-age"), "3600");
                let headers = answer.header("access-control-allow-headers").to_lowercase();
                for name in ["authorization", "content-type", "revolve-device", "revolve-reauthentication", "revolve-tokens"] {
                    assert!(headers.contains(name), "{headers}");
                }
                assert!(answer.header("vary").contains("Origin"), "{answer:?}");
            }
        }
        // Failures are to be read, too.
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        for (request, status) in [
            (anon.request(Method::POST, &path("/signup")).json(&body), 201),
            (anon.request(Method::POST, &path("/signup")).json(&body), 409),
            (anon.request(Method::GET, &path("/me")), 401),
            (anon.request(Method::GET, &path("/nothing")), 404),
            (anon.request(Method::PATCH, &path("/me")), 405),
        ] {
            let answer = anon.send(request.header("Origin", APP)).await.expect(status);
            assert_eq!(answer.header("access-control-allow-origin"), APP, "{status}");
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
            assert!(answer.header("vary").contains("Origin"), "{answer:?}");
            let exposed = answer.header("access-control-expose-headers").to_lowercase();
            for name in ["date,", "retry-after", "ratelimit,", "ratelimit-policy", "x-request-id"] {
                assert!(format!("{exposed},").contains(name), "{exposed}");
            }
        }
    }

    async fn what_is_published_is_read_from_any_origin(app: App, "http.cors_origins = ['https://app.example.org']\n") {
        let anon = app.anon();
        for target in ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", FEED] {
            for origin in [APP, "https://elsewhere.example.org", "capacitor://localhost", "null"] {
                let known = preflight(&anon, target, origin, "GET", "if-none-match, traceparent").await.expect(200);
                let answer = anon.send(anon.request(Method::GET, target).header("Origin", origin)).await.expect(200);
                assert!(answer.header("access-control-expose-headers").to_lowercase().contains("etag"), "{answer:?}");
                for answer in [known, answer] {
                    assert_eq!(answer.header("access-control-allow-origin"), "*", "{target}");
                    assert_eq!(answer.header("access-control-allow-credentials"), "", "{target}");
                }
            }
            // A cache may hand this answer to a script.
            let answer = anon.send(anon.request(Method::GET, target)).await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert!(!answer.header("vary").contains("Origin"), "{answer:?}");
            preflight(&anon, target, APP, "GET", "authorization").await.expect_problem(403, "cors_refused");
            preflight(&anon, target, APP, "POST", "if-none-match").await.expect_problem(403, "cors_refused");
        }
        let bad = anon.request(Method::GET, &format!("{FEED}?wait=x")).header("Origin", APP);
        assert_eq!(anon.send(bad).await.expect(400).header("access-control-allow-origin"), "*");
    }

    async fn an_app_made_of_web_pages_has_an_origin_of_its_own(
        app: App, "http.cors_origins = ['capacitor://localhost', 'tauri://localhost']\n"
    ) {
        let anon = app.anon();
        for origin in ["capacitor://localhost", "tauri://localhost"] {
            let answer = preflight(&anon, &path("/signin"), origin, "POST", "content-type").await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), origin);
            let answer = anon.send(anon.request(Method::GET, &path("/me")).header("Origin", origin)).await.expect(401);
            assert_eq!(answer.header("access-control-allow-origin"), origin);
        }
        preflight(&anon, &path("/signin"), "ionic://localhost", "POST", "content-type").await.expect_problem(403, "cors_refused");
    }

    async fn any_other_origin_is_refused(app: App, "http.cors_origins = ['https://app.example.org']\n") {
        let anon = app.anon();
        for origin in [
            "https://evil.example.org", "http://app.example.org", "https://app.example.org:8443", "https://app.example.org.evil.example",
            "https://APP.example.org", "https://app.example.org/", "null", "*", "https://sub.app.example.org",
        ] {
            let answer = preflight(&anon, &path("/signin"), origin, "POST", "content-type").await.expect_problem(403, "cors_refused");
            assert_nothing_is_allowed(&answer);
            assert!(answer.header("vary").contains("Origin"));
            let answer = anon.send(anon.request(Method::GET, &path("/me")).header("Origin", origin)).await.expect(401);
            assert_nothing_is_allowed(&answer);
            assert!(answer.header("vary").contains("Origin"), "a cache must not give one origin's answer to another");
        }
        for (method, headers) in [("PATCH", "content-type"), ("POST", "x-other")] {
            let answer = preflight(&anon, &path("/signin"), APP, method, headers).await.expect_problem(403, "cors_refused");
            assert_nothing_is_allowed(&answer);
        }
        // Who is no script of another origin sends none.
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        assert_nothing_is_allowed(&anon.post("/signup", body).await.expect(201));
    }
}
