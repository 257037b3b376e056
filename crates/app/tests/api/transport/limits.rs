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
            let large = anon.request(Method::GET, &base).header("X-Large", "x".repeat(25_000));
            anon.send(large).await.expect_problem(431, "headers_too_large");
            let many = (0..70).fold(anon.request(Method::GET, &base), |request, i| request.header(format!("X-{i}"), "x"));
            anon.send(many).await.expect_problem(431, "headers_too_large");
        }
        let fair = anon.request(Method::GET, &format!("/nothing?{}", "x".repeat(7000))).header("X-Large", "x".repeat(23_000));
        anon.send(fair).await.expect_problem(404, "not_found");
    }

    async fn nesting_is_limited(app: App) {
        let anon = app.anon();
        let nested = |depth: usize| (0..depth).fold(json!("x"), |value: Value, _| json!([value]));
        anon.post("/signin", json!({ "email": nested(2) })).await.expect_problem(422, "invalid_fields");
        anon.post("/signin", json!({ "email": nested(3) })).await.expect_problem(400, "nested_too_deep");
        anon.post("/signin", json!({ "deviceName": { "a": { "b": { "c": 1 } } } })).await.expect_problem(400, "nested_too_deep");
        anon.post("/signin", json!({ "deviceName": "[[[[[[{{{{" })).await.expect_problem(422, "invalid_fields");
    }
}

const GET: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n";

fn line(bytes: usize) -> String {
    format!("X-Line: {}\r\n", "x".repeat(bytes - 10))
}

#[test]
fn a_head_is_cut_off_at_its_limit_while_it_is_read() {
    with_config(Store::Embedded, "", async |app| {
        for earlier in 0..3 {
            let mut client = Raw::connect(&app).await;
            for _ in 0..earlier {
                client.send(&format!("{GET}{}\r\n", line(15_000))).await;
                assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
            }
            client.send(&format!("{GET}{}", line(32_000))).await;
            let waits = timeout(Duration::from_millis(300), client.head()).await;
            assert!(waits.is_err(), "it may become a head: {waits:?}");
            client.send(&line(2000)).await;
            let (answer, took) = client.rest().await;
            assert!(
                answer.starts_with("HTTP/1.1 431 ") && took < Duration::from_secs(8),
                "{took:?} {answer}"
            );
        }
    });
}

#[test]
fn what_is_sent_behind_a_request_that_waits_is_not_read_without_end() {
    with_config(Store::Embedded, "", async |app| {
        let tag = app
            .anon()
            .send(app.anon().request(Method::GET, FEED))
            .await
            .expect(200)
            .header("etag")
            .to_owned();
        let wait = |body: &str| {
            format!(
                "GET {FEED}?wait=2 HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: {tag}\r\n{body}\r\n"
            )
        };
        // More than the sockets of both sides hold.
        let much = "x".repeat(16 << 20);
        for (body, more) in [
            ("", format!("{GET}X-Line: {much}")),
            ("Content-Length: 99999999\r\n", much.clone()),
        ] {
            let mut client = Raw::connect(&app).await;
            client.send(&wait(body)).await;
            let sent = timeout(Duration::from_secs(1), client.send(&more)).await;
            assert!(sent.is_err(), "nobody takes it in: {sent:?}");
        }
    });
}

#[test]
fn requests_behind_one_another_are_all_answered() {
    with_config(Store::Embedded, "", async |app| {
        let mut client = Raw::connect(&app).await;
        // Many more bytes than one head may have.
        let requests = format!("{GET}{}\r\n", line(4000)).repeat(40);
        client.send(&requests).await;
        client
            .send(&format!("{GET}Connection: close\r\n\r\n"))
            .await;
        let (answers, _) = client.rest().await;
        assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 41, "{answers}");
    });
}

#[test]
fn a_large_body_is_refused_and_not_cut_off() {
    with_config(Store::Embedded, "", async |app| {
        for framing in ["Content-Length: 300000", "Transfer-Encoding: chunked"] {
            let mut client = Raw::connect(&app).await;
            let post = format!(
                "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{framing}\r\n\r\n",
                path("/signin")
            );
            client.send(&post).await;
            if framing.starts_with('T') {
                client.send("493e0\r\n").await;
            }
            for _ in 0..30 {
                client.send(&" ".repeat(10_000)).await;
            }
            client.send("\r\n0\r\n\r\n").await;
            let (answer, _) = client.rest().await;
            assert!(
                answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"),
                "{framing}: {answer}"
            );
            assert_eq!(
                answer.matches("HTTP/1.1 ").count(),
                1,
                "{framing}: {answer}"
            );
        }
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
