//! An endpoint for webhooks that keeps what it is sent, and answers as a test wants it to. It checks signatures with an HMAC of its own.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How long [`WebhookSink::wait_for`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the endpoint does with a request that it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookAnswer {
    /// It answers this status, without a body.
    Status(u16),
    /// It answers 302 to this address.
    Redirect(String),
    /// It answers 200 and a body without an end.
    Endless,
    /// It says nothing until the client goes away.
    Silence,
}

/// A request.
#[derive(Clone, Debug)]
pub struct ReceivedHook {
    /// `POST /path HTTP/1.1`
    pub line: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What was sent.
    pub body: String,
}

impl ReceivedHook {
    /// A field of the head; empty if it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Whether one of its signatures is of this secret, `whsec_…`.
    ///
    /// # Panics
    /// If that is none.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = secret.strip_prefix("whsec_").expect("the form of a secret");
        let key = STANDARD.decode(key).expect("base64");
        let signed = format!(
            "{}.{}.{}",
            self.header("webhook-id"),
            self.header("webhook-timestamp"),
            self.body
        );
        let expected = format!("v1,{}", STANDARD.encode(hmac(&key, signed.as_bytes())));
        let mut signatures = self.header("webhook-signature").split(' ');
        signatures.any(|signature| signature == expected)
    }
}

/// HMAC-SHA256 (RFC 2104) of a key that is no longer than a block.
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(key).for_each(|(pad, key)| *pad ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text);
    let outer = Sha256::new().chain_update(pad(0x5c));
    outer.chain_update(inner.finalize()).finalize().to_vec()
}

struct Shared {
    answer: Mutex<HookAnswer>,
    received: watch::Sender<Vec<ReceivedHook>>,
}

/// The endpoint. It ends when it is dropped.
pub struct WebhookSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

impl WebhookSink {
    /// Listens on a free port of this machine, and answers 204.
    ///
    /// # Errors
    /// If there is none.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Listens there.
    ///
    /// # Errors
    /// If it can't.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answer: Mutex::new(HookAnswer::Status(204)),
            received: watch::Sender::default(),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// What it does from now on.
    pub fn answer(&self, answer: HookAnswer) {
        *self.shared.answer() = answer;
    }

    /// What was sent until now.
    pub fn received(&self) -> Vec<ReceivedHook> {
        self.shared.received.borrow().clone()
    }

    /// What was sent, once there are so many requests.
    ///
    /// # Panics
    /// If there are not, in half a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedHook> {
        let mut received = self.shared.received.subscribe();
        let arrived = timeout(PATIENCE, received.wait_for(|all| all.len() >= count)).await;
        let arrived = arrived.map(|all| all.expect("the sender is here").clone());
        arrived.unwrap_or_else(|_| panic!("expected {count} requests: {:?}", self.received()))
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    fn answer(&self) -> MutexGuard<'_, HookAnswer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A client that goes away ends it.
        tokio::spawn(async move { drop(serve(stream, &shared).await) });
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut headers = BTreeMap::new();
    loop {
        let mut field = String::new();
        stream.read_line(&mut field).await?;
        let Some((name, value)) = field.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await?;
    let hook = ReceivedHook {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let answer = shared.answer().clone();
    shared.received.send_modify(|all| all.push(hook));
    let end = "content-length: 0\r\nconnection: close\r\n\r\n";
    match answer {
        HookAnswer::Status(204) => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await,
        HookAnswer::Status(status) => {
            let head = format!("HTTP/1.1 {status} Status\r\n{end}");
            stream.write_all(head.as_bytes()).await
        }
        HookAnswer::Redirect(location) => {
            let head = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\n{end}");
            stream.write_all(head.as_bytes()).await
        }
        HookAnswer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                stream.write_all(&[b'x'; 1024]).await?;
            }
        }
        HookAnswer::Silence => stream.read_u8().await.map(drop),
    }
}
