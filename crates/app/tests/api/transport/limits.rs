//! Requests that are too large, and too many connections.

use crate::support::{App, FEED, Raw, Store, on_both_stores, path, with_config};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

on_both_stores! {
    async fn the_head_of_a_request_is_limited(app: App) {
        let anon = app.anon();
        for base in [path("/me"), "/nothing".to_owned(), FEED.to_owned()] {
            let long = anon.request(Method::GET, &format!("{base}?{}", "x".repeat(9000)));
            anon.send(long).await.expect_problem(414, "uri_too_long");
            let large = anon.request(Method::GET, &base).header("X-Large", "x".repeat(17_000));
            anon.send(large).await.expect_problem(431, "headers_too_large");
            let many = (0..70).fold(anon.request(Method::GET, &base), |request, i| request.header(format!("X-{i}"), "x"));
            anon.send(many).await.expect_problem(431, "headers_too_large");
        }
        let fair = anon.request(Method::GET, &format!("/nothing?{}", "x".repeat(7000))).header("X-Large", "x".repeat(15_000));
        anon.send(fair).await.expect_problem(404, "not_found");
    }

    async fn nesting_is_limited(app: App) {
        let anon = app.anon();
        let nested = |depth: usize| (0..depth).fold(json!("x"), |value: Value, _| json!([value]));
        anon.post("/signup", json!({ "email": nested(2) })).await.expect_problem(422, "invalid_fields");
        anon.post("/signup", json!({ "email": nested(3) })).await.expect_problem(400, "nested_too_deep");
        anon.post("/signup", json!({ "deviceName": { "a": { "b": { "c": 1 } } } })).await.expect_problem(400, "nested_too_deep");
        anon.post("/signup", json!({ "deviceName": "[[[[[[{{{{" })).await.expect_problem(422, "invalid_fields");
    }
}

#[test]
fn a_head_without_end_is_refused() {
    with_config(Store::Embedded, "", async |app| {
        let mut client = Raw::connect(&app).await;
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\n").await;
        let line = format!("X-Line: {}\r\n", "x".repeat(1000));
        for _ in 0..200 {
            client.send(&line).await;
        }
        let (answer, _) = client.rest().await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431 "),
            "{answer}"
        );
    });
}

#[test]
fn more_connections_wait_until_one_ends() {
    with_config(
        Store::Embedded,
        "http.max_connections = 4\nhttp.keep_alive = '60s'\n",
        async |app| {
            const GET: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
            let mut open = Vec::new();
            for _ in 0..4 {
                let mut client = Raw::connect(&app).await;
                client.send(GET).await;
                assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
                open.push(client);
            }
            let mut another = Raw::connect(&app).await;
            another.send(GET).await;
            assert!(
                timeout(Duration::from_millis(500), another.answer())
                    .await
                    .is_err(),
                "there is no place"
            );
            drop(open.pop());
            assert!(
                another.answer().await.starts_with("HTTP/1.1 200 "),
                "now there is"
            );
        },
    );
}
