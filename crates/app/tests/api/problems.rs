//! What is wrong with a request before anybody looks at its meaning.

use crate::support::{App, PASSWORD, on_both_stores, path};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;

on_both_stores! {
    async fn the_media_type_must_be_json(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD }).to_string();
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            let request = anon.request(Method::POST, &path("/signup")).header(CONTENT_TYPE, media_type).body(body.clone());
            anon.send(request).await.expect_problem(415, "unsupported_media_type");
        }
        let none = anon.request(Method::POST, &path("/signup")).body(body.clone());
        anon.send(none).await.expect_problem(415, "unsupported_media_type");
        let request = anon.request(Method::POST, &path("/signup")).header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        anon.send(request).await.expect(201);
    }

    async fn the_body_must_be_a_json_object(app: App) {
        let anon = app.anon();
        for (body, code) in [
            ("", "malformed_json"),
            ("{", "malformed_json"),
            ("[]", "malformed_json"),
            ("null", "malformed_json"),
            ("\"text\"", "malformed_json"),
            ("{\"email\":\"a\",}", "malformed_json"),
            ("{\"email\":\"a\",\"email\":\"b\"}", "duplicate_member"),
            ("{\"email\":\"\u{1}\"}", "malformed_json"),
        ] {
            let request = anon.request(Method::POST, &path("/signup")).header(CONTENT_TYPE, "application/json").body(body);
            anon.send(request).await.expect_problem(400, code);
        }
        let deep = format!("{{\"email\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        let request = anon.request(Method::POST, &path("/signup")).header(CONTENT_TYPE, "application/json").body(deep);
        anon.send(request).await.expect_problem(400, "nested_too_deep");
        let invalid_utf8 = anon.request(Method::POST, &path("/signup")).header(CONTENT_TYPE, "application/json").body(vec![b'{', 0xff]);
        anon.send(invalid_utf8).await.expect_problem(400, "malformed_json");
    }

    async fn the_body_is_limited(app: App) {
        let anon = app.anon();
        let large = json!({ "email": "ann@example.org", "password": "x".repeat(17 * 1024) });
        anon.post("/signup", large).await.expect_problem(413, "body_too_large");
    }

    async fn paths_and_methods_are_named(app: App) {
        let anon = app.anon();
        for path in ["/", "/api", "/api/account", "/api/account/", "/api/account/nothing", "/.well-known/nothing"] {
            anon.send(anon.request(Method::GET, path)).await.expect_problem(404, "not_found");
        }
        for (method, operation, allow) in [
            (Method::GET, "/signup", "POST"),
            (Method::PUT, "/tokens", "POST"),
            (Method::POST, "/me", "GET, DELETE"),
            (Method::DELETE, "/details", "PUT"),
        ] {
            let answer = anon.send(anon.request(method, &path(operation))).await.expect_problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), allow);
        }
    }
}
