//! What a former system is asked, and what its answers mean.

use revolve_adapters::{
    legacy::{HttpLegacyVerifier, LegacyConfig},
    tls::TlsSettings,
};
use revolve_domain::{
    model::{EmailAddress, Password},
    ports::{LegacyVerifier, StoreError, StoreErrorKind},
};
use secrecy::SecretString;
use std::{error::Error, fmt::Write, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// A server that answers every request with these bytes, or not at all, and tells what it was sent.
struct FormerServer {
    address: SocketAddr,
    requests: mpsc::UnboundedReceiver<String>,
}

impl FormerServer {
    async fn start(answer: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (sender, requests) = mpsc::unbounded_channel();
        let address = listener.local_addr().unwrap();
        let answer = answer.map(str::to_owned);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answer.clone(), sender.clone()));
            }
        });
        Self { address, requests }
    }

    async fn status(status: &str) -> Self {
        Self::start(Some(&format!(
            "HTTP/1.1 {status}\r\ncontent-length: 0\r\nlocation: /elsewhere\r\nconnection: close\r\n\r\n"
        )))
        .await
    }

    async fn verify(&self, scheme: &str) -> Result<bool, StoreError> {
        let verifier = HttpLegacyVerifier::new(&LegacyConfig {
            url: format!("{scheme}://revolve:hunter2@{}/verify?a=b", self.address).into(),
            tls: TlsSettings::default(),
            timeout: Duration::from_secs(5),
        });
        ask(&verifier.unwrap()).await
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Option<String>,
    requests: mpsc::UnboundedSender<String>,
) {
    let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"}") {
        match stream.read(&mut chunk).await {
            Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
            _ => break,
        }
        // What is no HTTP has no end to wait for.
        if !request.starts_with(b"POST ") {
            break;
        }
    }
    let _ = requests.send(String::from_utf8_lossy(&request).into_owned());
    match answer {
        Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
        None => std::future::pending().await,
    }
}

async fn ask(verifier: &HttpLegacyVerifier) -> Result<bool, StoreError> {
    let email = EmailAddress::parse("Ann@example.org").unwrap();
    let password = Password::present(&SecretString::from("correct \"horse\" 🦀")).unwrap();
    verifier.verify(&email, &password).await
}

/// An outage that tells no secret.
fn assert_outage(outcome: Result<bool, StoreError>, words: &str) {
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        write!(said, ": {inner}").unwrap();
        source = inner.source();
    }
    assert!(said.contains(words), "{said}");
    for secret in ["hunter2", "horse", "example.org", "verify?"] {
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn address_and_password_go_in_json_and_the_status_is_the_answer() {
    for (status, is_right) in [
        ("204 No Content", true),
        ("200 OK", true),
        ("401 Unauthorized", false),
        ("403 Forbidden", false),
    ] {
        let mut server = FormerServer::status(status).await;
        assert_eq!(server.verify("http").await.unwrap(), is_right, "{status}");
        let request = server.requests.recv().await.unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /verify?a=b HTTP/1.1\r\n"), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(
            head.contains("\r\ncontent-type: application/json"),
            "{head}"
        );
        // RFC 7617: revolve:hunter2
        assert!(
            head.contains("\r\nauthorization: basic cmv2b2x2ztpodw50zxiy"),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({ "email": "Ann@example.org", "password": "correct \"horse\" 🦀" })
        );
    }
}

#[tokio::test]
async fn any_other_answer_is_an_outage_and_redirects_are_not_followed() {
    for status in [
        "202 Accepted",
        "302 Found",
        "307 Temporary Redirect",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
    ] {
        let mut server = FormerServer::status(status).await;
        let outcome = server.verify("http").await;
        assert_outage(outcome, &status[..3]);
        server.requests.recv().await.unwrap();
        assert!(server.requests.try_recv().is_err(), "{status}: asked once");
    }
}

#[tokio::test]
async fn no_answer_is_an_outage_within_the_deadline() {
    let server = FormerServer::start(None).await;
    let silent = HttpLegacyVerifier::new(&LegacyConfig {
        url: format!("http://{}/", server.address).into(),
        tls: TlsSettings::default(),
        timeout: Duration::from_millis(100),
    });
    assert_outage(ask(&silent.unwrap()).await, "timed out");
    let garbage = FormerServer::start(Some("SSH-2.0-OpenSSH\r\n\r\n")).await;
    assert_outage(garbage.verify("http").await, "import.verifier");
    let closed = FormerServer::start(Some("")).await;
    assert_outage(closed.verify("http").await, "import.verifier");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_sent_no_password() {
    let mut server = FormerServer::status("204 No Content").await;
    assert_outage(server.verify("https").await, "import.verifier");
    let seen = server.requests.recv().await.unwrap();
    assert!(!seen.contains("horse") && !seen.contains("POST"));
}
