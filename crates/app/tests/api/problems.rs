//! What is wrong with a request before anybody looks at its meaning.

use crate::support::{App, PASSWORD, field_errors, on_both_stores, path};
use reqwest::{
    Body, Method, RequestBuilder,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use serde_json::{Value, json};

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

    async fn an_empty_body_has_no_media_type(app: App) {
        app.sign_up("ann").await;
        let types = [None, Some("application/x-www-form-urlencoded"), Some("text/plain"), Some("application/json"), Some("")];
        for media_type in types {
            for chunked in [false, true] {
                let ann = app.sign_in("ann").await;
                let with = |request: RequestBuilder| {
                    let request = media_type.into_iter().fold(request, |request, media_type| request.header(CONTENT_TYPE, media_type));
                    let nothing = futures_util::stream::empty::<std::io::Result<Vec<u8>>>();
                    if chunked { request.body(Body::wrap_stream(nothing)) } else { request.body("") }
                };
                let nothing = with(ann.request(Method::POST, &path("/signin")));
                ann.send(nothing).await.expect_problem(400, "malformed_json");
                let out = with(ann.request(Method::POST, &path("/signout")).bearer_auth(&ann.id_token));
                ann.send(out).await.expect(204);
                ann.get("/me").await.expect_problem(401, "session_revoked");
            }
        }
    }

    async fn a_body_is_compressed_unless_its_encoding_is_identity(app: App) {
        let anon = app.anon();
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        for (encoding, status) in [("gzip", 415), ("identity, br", 415), ("x", 415), ("identity", 201), ("Identity", 200), ("", 200)] {
            let operation = if status == 200 { "/signin" } else { "/signup" };
            let request = anon.request(Method::POST, &path(operation)).header(CONTENT_ENCODING, encoding).json(&body);
            anon.send(request).await.expect(status);
        }
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

    async fn an_answer_does_not_grow_with_the_number_of_mistakes(app: App) {
        let anon = app.anon();
        let members = |names: usize| -> Value { (0..names).map(|i| (format!("m{i}"), json!(0))).collect::<serde_json::Map<_, _>>().into() };
        let answer = anon.post("/signup", members(1400)).await.expect_problem(422, "invalid_fields");
        assert!(answer.text.len() < 4096, "{} bytes", answer.text.len());
        let errors = field_errors(&answer);
        assert_eq!((errors.len(), &errors[..2]), (32, &["email: missing".to_owned(), "password: missing".to_owned()][..]), "the known ones come first");
        assert_eq!(answer.json()["moreErrors"], 1370);
        let answer = anon.post("/signup", members(30)).await.expect_problem(422, "invalid_fields");
        assert_eq!((field_errors(&answer).len(), answer.json().get("moreErrors")), (32, None));
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
            (Method::POST, "/me", "GET, HEAD, DELETE"),
            (Method::DELETE, "/details", "PUT"),
        ] {
            let answer = anon.send(anon.request(method, &path(operation))).await.expect_problem(405, "method_not_allowed");
            assert_eq!(answer.header("allow"), allow);
        }
        let head = anon.send(anon.request(Method::HEAD, &path("/signin"))).await.expect(405);
        assert_eq!(head.header("allow"), "POST");
    }
}
