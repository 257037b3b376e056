//! Slow clients are cut off, whatever they are slow with, and a slow service says so.

use crate::support::{App, FEED, PASSWORD, Raw, on_both_stores, path, with_config};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The limit of these tests, in TOML. actix keeps its timers with a precision of half a second.
const QUICK: &str = "http.request_timeout = '600ms'\nhttp.keep_alive = '60s'\n";
/// A connection that is to be cut off lives for the limit, and this much longer on a busy machine.
const CUT_OFF: Duration = Duration::from_secs(8);

const GET: &str = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn post(length: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{length}\r\n\r\n",
        path("/signin")
    )
}

fn quick<F: Future<Output = ()>>(test: impl FnOnce(App) -> F) {
    with_config(crate::support::Store::Embedded, QUICK, test);
}

#[test]
fn a_connection_without_a_request_is_closed() {
    quick(async |app| {
        let (answer, took) = Raw::connect(&app).await.rest().await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408 "),
            "{answer}"
        );
        assert!(took < CUT_OFF, "{took:?}");
    });
}

#[test]
fn a_slow_head_is_cut_off() {
    quick(async |app| {
        let mut silent = Raw::connect(&app).await;
        silent.send("GET /health/live HTTP/1.1\r\nHost: loc").await;
        let (answer, took) = silent.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 408 ") && took < CUT_OFF,
            "{took:?} {answer}"
        );

        let mut dripping = Raw::connect(&app).await;
        dripping
            .send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n")
            .await;
        let (answer, took) = dripping.drip("X-Drip: 1\r\n").await;
        assert!(
            answer.starts_with("HTTP/1.1 408 ") && took < CUT_OFF,
            "{took:?} {answer}"
        );
    });
}

#[test]
fn a_slow_head_after_a_good_request_is_cut_off() {
    quick(async |app| {
        for _ in 0..2 {
            let mut client = Raw::connect(&app).await;
            client.send(GET).await;
            assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
            client
                .send("GET /health/live HTTP/1.1\r\nHost: localhost\r\n")
                .await;
            let (_, took) = client.drip("X-Drip: 1\r\n").await;
            assert!(took < CUT_OFF, "{took:?}");

            let mut client = Raw::connect(&app).await;
            client.send(GET).await;
            assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
            client.send("G").await;
            let (answer, took) = client.rest().await;
            assert!(took < CUT_OFF, "{took:?} {answer}");
        }
    });
}

#[test]
fn a_slow_body_is_answered_and_cut_off() {
    quick(async |app| {
        for (length, piece) in [
            ("Content-Length: 9000", " "),
            ("Transfer-Encoding: chunked", "1\r\n \r\n"),
        ] {
            let mut silent = Raw::connect(&app).await;
            silent.send(&post(length)).await;
            let (answer, took) = silent.rest().await;
            assert!(
                answer.starts_with("HTTP/1.1 408 ")
                    && answer.contains("\"body_too_slow\"")
                    && took < CUT_OFF,
                "{took:?} {answer}"
            );
            assert!(
                answer.to_lowercase().contains("connection: close"),
                "{answer}"
            );

            let mut dripping = Raw::connect(&app).await;
            dripping.send(&post(length)).await;
            let (answer, took) = dripping.drip(piece).await;
            assert!(
                answer.is_empty() || answer.contains("\"body_too_slow\""),
                "{answer}"
            );
            assert!(took < CUT_OFF, "{length}: {took:?}");
        }
    });
}

#[test]
fn what_is_sent_after_an_answer_does_not_keep_a_connection() {
    quick(async |app| {
        // The body is refused for its type before it has come.
        for length in ["Content-Length: 9000", "Transfer-Encoding: chunked"] {
            let mut client = Raw::connect(&app).await;
            client
                .send(&format!(
                    "POST {} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n\r\n",
                    path("/signin")
                ))
                .await;
            let piece = if length.starts_with('C') {
                " "
            } else {
                "1\r\n \r\n"
            };
            let (_, took) = client.drip(piece).await;
            assert!(took < CUT_OFF, "{length}: {took:?}");
        }
    });
}

#[test]
fn honest_clients_keep_their_connection() {
    quick(async |app| {
        let mut client = Raw::connect(&app).await;
        let begun = Instant::now();
        // For longer than the limit of one request.
        while begun.elapsed() < Duration::from_secs(2) {
            client.send(GET).await;
            assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn a_connection_without_requests_ends_after_its_time() {
    with_config(
        crate::support::Store::Embedded,
        "http.keep_alive = '1s'\n",
        async |app| {
            let mut client = Raw::connect(&app).await;
            client.send(GET).await;
            assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
            let (answer, took) = client.rest().await;
            assert!(answer.is_empty() && took < CUT_OFF, "{took:?} {answer}");
        },
    );
}

#[test]
fn a_service_that_stops_does_not_wait_for_idle_connections() {
    quick(async |app| {
        let replica = app.replica().await;
        let address = replica
            .anon()
            .send(replica.anon().request(Method::GET, "/health/live"))
            .await;
        assert_eq!(address.status, 200);
        // The client of the line above keeps its connection.
        let begun = Instant::now();
        replica.stop().await;
        assert!(begun.elapsed() < CUT_OFF, "{:?}", begun.elapsed());
    });
}

#[test]
fn waiting_for_the_feed_has_its_own_limits() {
    quick(async |app| {
        let anon = app.anon();
        let tag = anon
            .send(anon.request(Method::GET, FEED))
            .await
            .expect(200)
            .header("etag")
            .to_owned();
        let begun = Instant::now();
        let wait = anon
            .request(Method::GET, &format!("{FEED}?wait=2"))
            .header("If-None-Match", tag);
        anon.send(wait).await.expect(304);
        assert!(
            begun.elapsed() > Duration::from_secs(1),
            "{:?}",
            begun.elapsed()
        );

        let mut events = anon
            .request(Method::GET, FEED)
            .header("Accept", "text/event-stream")
            .send()
            .await
            .expect("a stream");
        assert!(events.chunk().await.expect("an event").is_some());
        let ended = timeout(Duration::from_secs(2), events.chunk()).await;
        assert!(
            !matches!(ended, Ok(Ok(None) | Err(_))),
            "the stream goes on: {ended:?}"
        );
    });
}

on_both_stores! {
    async fn a_service_that_is_too_slow_says_so_and_ends_what_it_began(app: App, "limits.enabled = false\n") {
        let slow = "hashing.memory_kib = 65536\nhashing.passes = 12\nhttp.request_timeout = '100ms'\n";
        let slow = app.replica_with(&format!("{slow}{}", app.config.replace("hashing.", "# hashing.").replace("http.request_timeout", "# http.request_timeout"))).await;
        let answer = slow.anon().post("/signup", json!({ "email": "ann@example.org", "password": PASSWORD })).await;
        answer.expect_problem(503, "deadline_exceeded");
        // It goes on without its client.
        let there = async {
            while app.anon().sign_in("ann@example.org", PASSWORD).await.status != 200 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_mins(1), there).await.expect("the account is there");
        slow.stop().await;
    }
}
