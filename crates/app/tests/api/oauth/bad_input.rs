//! What is wrong with a form before anybody looks at its meaning, and which scripts may send one.

use super::{INTROSPECT, REVOKE, TOKEN, USERINFO, form, keep, raw_form, refresh, refresh_with};
use crate::support::{Actor, App, described::FORM, on_both_stores};
use reqwest::{
    Method, RequestBuilder,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};

const ENDPOINTS: [&str; 3] = [TOKEN, REVOKE, INTROSPECT];

/// A request with a key, which one of them needs.
fn with_key(request: RequestBuilder, path: &str, key: &str) -> RequestBuilder {
    if path == INTROSPECT {
        request.bearer_auth(key)
    } else {
        request
    }
}

async fn refused(actor: &Actor, path: &str, key: &str, body: impl Into<reqwest::Body>, code: &str) {
    let request = with_key(raw_form(actor, path, body), path, key);
    actor
        .send(request)
        .await
        .expect_oauth(400, "invalid_request", code);
}

on_both_stores! {
    async fn a_parameter_that_is_missing_or_there_twice_is_refused(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (mut ann, key) = (app.sign_up("ann").await, app.program_with("tokens:introspect").await.key);
        let token = ann.refresh_token.clone();
        for path in ENDPOINTS {
            for body in ["", "client_id=web", "token=&refresh_token=", "token=+&grant_type=+"] {
                refused(&ann, path, &key, body, "invalid_fields").await;
            }
            for body in [
                format!("grant_type=refresh_token&refresh_token={token}&token={token}&token={token}&refresh_token={token}"),
                format!("grant_type=refresh_token&refresh_token={token}&token={token}&client_id=a&client_id=a"),
                format!("grant_type=refresh_token&refresh_token={token}&token={token}&x=&x=1"),
            ] {
                refused(&ann, path, &key, body, "duplicate_member").await;
            }
            refused(&ann, path, &key, format!("grant_type=refresh_token&refresh_token={token}&token=%FF"), "incomplete_body").await;
        }
        refused(&ann, TOKEN, &key, "grant_type=refresh_token", "invalid_fields").await;
        refused(&ann, TOKEN, &key, format!("refresh_token={token}"), "invalid_fields").await;
        // Nothing of that has changed anything.
        refresh(&mut ann).await.expect(200);
    }

    async fn there_is_one_grant_and_it_grants_no_more(app: App) {
        let mut ann = app.sign_up("ann").await;
        for grant in ["password", "client_credentials", "authorization_code", "Refresh_Token", "urn:ietf:params:oauth:grant-type:device_code"] {
            let fields = [("grant_type", grant), ("username", "ann@example.org"), ("refresh_token", ann.refresh_token.as_str())];
            ann.send(form(&ann, TOKEN, &fields)).await.expect_oauth(400, "unsupported_grant_type", "unsupported_grant_type");
        }
        for scope in ["admin", "openid admin", "OPENID"] {
            let fields = [("grant_type", "refresh_token"), ("refresh_token", ann.refresh_token.as_str()), ("scope", scope)];
            ann.send(form(&ann, TOKEN, &fields)).await.expect_oauth(400, "invalid_scope", "invalid_scope");
        }
        refresh(&mut ann).await.expect(200);
    }

    async fn the_media_type_must_be_that_of_a_form(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (mut ann, key) = (app.sign_up("ann").await, app.program_with("tokens:introspect").await.key);
        let body = format!("grant_type=refresh_token&refresh_token={0}&token={0}", ann.refresh_token);
        for path in ENDPOINTS {
            let request = || with_key(ann.request(Method::POST, path).body(body.clone()), path, &key);
            for request in [
                request(),
                request().header(CONTENT_TYPE, "application/json"),
                request().header(CONTENT_TYPE, "multipart/form-data; boundary=x"),
                request().header(CONTENT_TYPE, ""),
                request().header(CONTENT_TYPE, FORM).header(CONTENT_ENCODING, "gzip"),
            ] {
                let answer = ann.send(request).await.expect_oauth(415, "invalid_request", "unsupported_media_type");
                assert_eq!(answer.header("accept-post"), FORM);
            }
        }
        refresh(&mut ann).await.expect(200);
        let typed = ann.request(Method::POST, TOKEN).header(CONTENT_TYPE, format!("{FORM};charset=UTF-8"));
        let body = format!("grant_type=refresh_token&refresh_token={}", ann.refresh_token);
        ann.send(typed.body(body)).await.expect(200);
    }

    async fn a_form_is_limited_and_each_path_has_its_methods(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (ann, key) = (app.sign_up("ann").await, app.program_with("tokens:introspect").await.key);
        for path in ENDPOINTS {
            let large = raw_form(&ann, path, format!("token={}", "x".repeat(17 * 1024)));
            ann.send(with_key(large, path, &key)).await.expect_oauth(413, "invalid_request", "body_too_large");
            for method in [Method::GET, Method::PUT, Method::DELETE] {
                let answer = ann.send(ann.request(method, path)).await.expect_problem(405, "method_not_allowed");
                assert_eq!(answer.header("allow"), "POST");
            }
        }
        let answer = ann.send(ann.request(Method::PUT, USERINFO)).await.expect_problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST");
        for path in ["/oauth", "/oauth/", "/oauth/authorize", "/oauth/token/x", "/userinfo/"] {
            ann.send(ann.request(Method::GET, path)).await.expect_problem(404, "not_found");
        }
    }

    async fn scripts_of_listed_origins_may_use_them(app: App, "http.cors_origins = ['https://app.example.org']") {
        const APP: &str = "https://app.example.org";
        let mut ann = app.sign_up("ann").await;
        for path in [TOKEN, REVOKE, INTROSPECT, USERINFO] {
            for (origin, status) in [(APP, 200), ("https://evil.example", 403)] {
                let preflight = ann.request(Method::OPTIONS, path).header("Origin", origin).header("Access-Control-Request-Method", "POST");
                let preflight = preflight.header("Access-Control-Request-Headers", "authorization,content-type,revolve-device");
                let answer = ann.send(preflight).await.expect(status);
                let allowed = if status == 200 { APP } else { "" };
                assert_eq!(answer.header("access-control-allow-origin"), allowed, "{path}");
            }
        }
        let refreshed = ann.send(refresh_with(&ann, &ann.refresh_token).header("Origin", APP)).await.expect(200);
        keep(&mut ann, &refreshed);
        let failed = ann.send(refresh_with(&ann, "x").header("Origin", APP)).await.expect_oauth(400, "invalid_grant", "token_invalid");
        for answer in [refreshed, failed] {
            assert_eq!(answer.header("access-control-allow-origin"), APP);
            assert_eq!(answer.header("access-control-allow-credentials"), "true");
        }
        let foreign = ann.send(refresh_with(&ann, "x").header("Origin", "https://evil.example")).await.expect(400);
        assert_eq!(foreign.header("access-control-allow-origin"), "");
    }
}
