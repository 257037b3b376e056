//! A client that speaks HTTP/1.1 byte by byte, as slow or as wrong as a test wants.

use super::App;
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Longer than anything that is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(app: &App) -> Self {
        let stream = TcpStream::connect(app.address)
            .await
            .expect("the service listens");
        stream.set_nodelay(true).expect("a socket");
        Self(stream)
    }

    /// Sends bytes; a service that has hung up is no failure.
    pub(crate) async fn send(&mut self, text: &str) -> bool {
        self.0.write_all(text.as_bytes()).await.is_ok()
    }

    /// Reads one answer with a `Content-Length`.
    pub(crate) async fn answer(&mut self) -> String {
        let mut bytes = Vec::new();
        let whole = async {
            loop {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| {
                        line.to_lowercase()
                            .strip_prefix("content-length: ")?
                            .parse()
                            .ok()
                    });
                    if body.len() >= length.unwrap_or(0) {
                        return text;
                    }
                }
                let read = self.0.read_buf(&mut bytes).await.expect("an answer");
                assert!(read > 0, "the connection ended within an answer: {text}");
            }
        };
        timeout(PATIENCE, whole).await.expect("an answer in time")
    }

    /// Reads the head of an answer that has no content.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Reads until `end` has come.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if text.contains(end) {
                return text;
            }
            let read = self.0.read_buf(&mut bytes).await.expect("an answer");
            assert!(read > 0, "the connection ended early: {text}");
        }
    }

    /// Reads until the service ends the connection, and says how long that took.
    pub(crate) async fn rest(&mut self) -> (String, Duration) {
        let (begun, mut bytes) = (Instant::now(), Vec::new());
        // Broken off is ended, too.
        drop(
            timeout(PATIENCE, self.0.read_to_end(&mut bytes))
                .await
                .expect("the service ends the connection"),
        );
        (
            String::from_utf8_lossy(&bytes).into_owned(),
            begun.elapsed(),
        )
    }

    /// Sends a piece over and over, with pauses, until the service ends the connection; says what it answered and how long it took.
    pub(crate) async fn drip(mut self, piece: &'static str) -> (String, Duration) {
        let begun = Instant::now();
        let (mut read, mut write) = self.0.split();
        let mut bytes = Vec::new();
        let dripping = async {
            while write.write_all(piece.as_bytes()).await.is_ok() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let reading = async { drop(read.read_to_end(&mut bytes).await) };
        let ended = async {
            tokio::select! {
                () = dripping => {}
                () = reading => {}
            }
        };
        timeout(PATIENCE, ended)
            .await
            .expect("the service ends the connection");
        (
            String::from_utf8_lossy(&bytes).into_owned(),
            begun.elapsed(),
        )
    }
}
