//! The listener itself, and its documents.

use super::{NOBODY, guarded};
use crate::support::{App, Store, described::admin_operations, on_both_stores, with_config};
use reqwest::Method;
use serde_json::Value;
use std::{fs, path::Path};

fn checked_in() -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    fs::read_to_string(docs.join("openapi-admin.json")).unwrap()
}

on_both_stores! {
    async fn the_document_is_the_one_that_is_checked_in(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program_with("users:read").await;
        let answer = program.send(program.bare(Method::GET, "/openapi.json")).await.expect(200);
        let checked_in: Value = serde_json::from_str(&checked_in()).unwrap();
        assert!(answer.json() == checked_in, "run `cargo xtask openapi`");
        let page = program.send(program.bare(Method::GET, "/docs")).await.expect(200);
        assert!(page.text.contains("Revolve admin"), "the page is that of this listener");
    }

    async fn every_operation_is_there_and_no_other_method(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        let mut paths: Vec<&str> = admin_operations().map(|(_, path, _)| path).collect();
        paths.dedup();
        for path in paths {
            let described: Vec<Method> = admin_operations().filter(|(_, other, _)| *other == path).map(|(method, ..)| method).collect();
            let url = ["{uid}", "{sid}", "{id}"].iter().fold(path.to_owned(), |url, name| url.replace(name, NOBODY));
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                // Without a key nothing happens; whether it is there is seen all the same.
                let answer = program.send(program.bare(method.clone(), &url)).await;
                assert_eq!(answer.status == 405, !described.contains(&method), "{method} {path}: {answer:#?}");
            }
        }
        program.get("/nothing").await.expect_problem(404, "not_found");
    }

    async fn nothing_of_it_is_on_the_public_listener(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let program = app.program().await;
        for (method, path, _) in guarded() {
            let url = format!("http://{}{path}", app.address);
            let request = reqwest::Client::new().request(method, url).bearer_auth(&program.key);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            assert!(answer.text().await.unwrap().contains("not_found"), "{path}");
        }
    }

    async fn accounts_can_not_be_used_on_the_listener_for_operators(app: App, "http.admin_listen = '127.0.0.1:0'") {
        let (program, ann) = (app.program().await, app.sign_up("ann").await);
        for path in ["/api/account/me", "/health/ready", "/.well-known/jwks.json", "/metrics"] {
            let url = format!("http://{}{path}", app.admin.unwrap());
            let answer = reqwest::Client::new().get(url).bearer_auth(&ann.id_token).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{path}");
        }
        // An ID token is no key.
        program.showing(&ann.id_token).get("/users").await.expect_problem(401, "key_invalid");
    }

    async fn no_origin_s_scripts_may_use_it_and_no_cache_keeps_it(app: App, "http.admin_listen = '127.0.0.1:0'\nhttp.cors_origins = ['https://app.example.org']") {
        let program = app.program().await;
        let request = program.request(Method::GET, "/users").header("Origin", "https://app.example.org");
        let answer = program.send(request).await.expect(200);
        assert_eq!((answer.header("access-control-allow-origin"), answer.header("cache-control")), ("", "no-store"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[test]
fn it_is_off_unless_it_is_configured() {
    with_config(Store::Embedded, "", |app| async move {
        assert_eq!(app.admin, None);
    });
}
