//! Clients that speak HTTP/1.0, as many health checks do: an answer ends by its length or with the connection, never in chunks.

use crate::support::{App, FEED, Raw, on_both_stores};
use std::time::Duration;
use tokio::time::timeout;

on_both_stores! {
    async fn no_answer_is_in_chunks(app: App) {
        for target in ["/health/live", "/health/ready", "/.well-known/jwks.json", FEED, "/openapi.json", "/docs", "/nothing"] {
            let mut client = Raw::connect(&app).await;
            client.send(&format!("GET {target} HTTP/1.0\r\n\r\n")).await;
            let (answer, _) = client.rest().await;
            let (head, content) = answer.split_once("\r\n\r\n").expect("a head");
            let head = head.to_lowercase();
            assert!(head.starts_with("http/1.0 ") && !head.contains("transfer-encoding"), "{target}: {head}");
            assert!(head.contains(&format!("\r\ncontent-length: {}", content.len())), "{target}: {head}");
        }
    }

    async fn a_stream_ends_with_the_connection(app: App) {
        for more in ["", "Connection: keep-alive\r\n"] {
            let mut client = Raw::connect(&app).await;
            client.send(&format!("GET {FEED} HTTP/1.0\r\nAccept: text/event-stream\r\n{more}\r\n")).await;
            let event = timeout(Duration::from_secs(5), client.until("\n\n")).await.expect("an event at once");
            let (head, content) = event.split_once("\r\n\r\n").expect("a head");
            let head = head.to_lowercase();
            assert!(head.starts_with("http/1.0 200 "), "{head}");
            assert!(!head.contains("transfer-encoding") && !head.contains("keep-alive"), "{head}");
            assert!(content.starts_with("event: revocations\ndata: "), "{content}");
        }
    }
}
