//! An endpoint for webhooks that keeps what it is sent, and answers as a test wants it to. It checks signatures with an HMAC of its own.

#[cfg(feature = "tls")]
use crate::server_tls::ServerTls;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long [`WebhookSink::wait_for`] waits.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long the body is that [`HookAnswer::Unfinished`] begins.
const WHOLE: usize = 1 << 20;

/// What the endpoint does with a request that it has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookAnswer {
    /// It answers this status, without a body.
    Status(u16),
    /// It answers 204, this much later.
    Late(Duration),
    /// It answers this status with this in `Retry-After`.
    RetryAfter(u16, String),
    /// It answers 302 to this address.
    Redirect(String),
    /// It answers 200 and the first so many bytes of a body of 1 MiB; then it says nothing until the client goes away.
    Unfinished(usize),
    /// It says nothing until the client goes away.
    Silence,
}

impl HookAnswer {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Status(status) | Self::RetryAfter(status, _) => Some(*status),
            Self::Late(_) => Some(204),
            Self::Redirect(_) => Some(302),
            Self::Unfinished(_) => Some(200),
            Self::Silence => None,
        }
    }

    fn fields(&self) -> String {
        match self {
            Self::RetryAfter(_, when) => format!("retry-after: {when}\r\n"),
            Self::Redirect(location) => format!("location: {location}\r\n"),
            _ => String::new(),
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct ReceivedHook {
    /// When it was read.
    pub at: Instant,
    /// `POST /path HTTP/1.1`
    pub line: String,
    /// By their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What was sent.
    pub body: String,
    /// The status of the answer, if it gets one.
    pub status: Option<u16>,
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

    /// Whether it was answered that the event is taken.
    pub fn is_taken(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }

    /// Whether one of its signatures is of this secret, `whsec_…`.
    ///
    /// # Panics
    /// If that is none.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let expected = signature(secret, id, timestamp, &self.body);
        let mut signatures = self.header("webhook-signature").split(' ');
        signatures.any(|signature| signature == expected)
    }
}

/// The signature of a request by a secret, `whsec_…` (Standard Webhooks 1.0).
///
/// # Panics
/// If the secret is none.
pub fn signature(secret: &str, id: &str, timestamp: &str, body: &str) -> String {
    let key = secret.strip_prefix("whsec_").expect("the form of a secret");
    let key = STANDARD.decode(key).expect("base64");
    let signed = format!("{id}.{timestamp}.{body}");
    format!("v1,{}", STANDARD.encode(hmac(&key, signed.as_bytes())))
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
    scheme: &'static str,
    #[cfg(feature = "tls")]
    tls: Option<ServerTls>,
    answer: Mutex<HookAnswer>,
    received: watch::Sender<Vec<ReceivedHook>>,
}

/// The endpoint. It ends when it is dropped, with its connections.
pub struct WebhookSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
    /// While it is down: keeps the port and does not listen.
    port: Option<TcpSocket>,
}

impl WebhookSink {
    /// Listens on a free port of this machine, and answers 204.
    ///
    /// # Errors
    /// If there is none.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start_on(listener, Shared::new())
    }

    /// The same over https, with a certificate for 127.0.0.1 that is its own authority.
    ///
    /// # Errors
    /// If there is no port, or no certificate can be made.
    #[cfg(feature = "tls")]
    pub async fn start_tls() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let shared = Shared {
            scheme: "https",
            tls: Some(ServerTls::new().map_err(io::Error::other)?),
            ..Shared::new()
        };
        Self::start_on(listener, shared)
    }

    fn start_on(listener: TcpListener, shared: Shared) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(shared);
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
            port: None,
        })
    }

    /// Ends all connections, and refuses new ones until [`Self::come_up`].
    ///
    /// # Errors
    /// If another process has taken its port.
    pub async fn go_down(&mut self) -> io::Result<()> {
        if let Some(accepting) = self.accepting.take() {
            accepting.abort();
            // It says only that it was aborted.
            drop(accepting.await);
            let port = TcpSocket::new_v4()?;
            port.set_reuseaddr(true)?;
            port.bind(self.address)?;
            self.port = Some(port);
        }
        Ok(())
    }

    /// Listens again at the same address.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn come_up(&mut self) -> io::Result<()> {
        if let Some(port) = self.port.take() {
            let listener = port.listen(BACKLOG)?;
            self.accepting = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
        Ok(())
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("{}://{}/hooks", self.shared.scheme, self.address)
    }

    /// Its certificate in PEM, if it has one.
    #[cfg(feature = "tls")]
    pub fn authority(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.authority.as_str())
    }

    /// What it does from now on.
    pub fn answer(&self, answer: HookAnswer) {
        *self.shared.answer() = answer;
    }

    /// What was sent until now.
    pub fn received(&self) -> Vec<ReceivedHook> {
        self.shared.received.borrow().clone()
    }

    /// Takes what was sent until now: the endpoint forgets it.
    pub fn take(&self) -> Vec<ReceivedHook> {
        self.shared.received.send_replace(Vec::new())
    }

    /// What was sent, once there are so many requests.
    ///
    /// # Panics
    /// If there are not, in a minute: after a failure the service waits half of that.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedHook> {
        let mut received = self.shared.received.subscribe();
        let arrived = timeout(PATIENCE, received.wait_for(|all| all.len() >= count)).await;
        let arrived = arrived.map(|all| all.expect("the sender is here").clone());
        arrived.unwrap_or_else(|_| panic!("expected {count} requests: {:?}", self.received()))
    }
}

impl Drop for WebhookSink {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            scheme: "http",
            #[cfg(feature = "tls")]
            tls: None,
            answer: Mutex::new(HookAnswer::Status(204)),
            received: watch::Sender::default(),
        }
    }

    fn answer(&self) -> MutexGuard<'_, HookAnswer> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn converse(&self, stream: TcpStream) -> io::Result<()> {
        #[cfg(feature = "tls")]
        if let Some(tls) = &self.tls {
            return serve(tls.accept(stream).await?, self).await;
        }
        serve(stream, self).await
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, so that no connection outlives the endpoint.
    let mut running = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A client that goes away ends its own connection only.
        running.spawn(async move { drop(shared.converse(stream).await) });
        while running.try_join_next().is_some() {}
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, shared: &Shared) -> io::Result<()> {
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
    let answer = shared.answer().clone();
    let hook = ReceivedHook {
        at: Instant::now(),
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        status: answer.status(),
    };
    shared.received.send_modify(|all| all.push(hook));
    reply(stream, &answer).await
}

async fn reply(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &HookAnswer,
) -> io::Result<()> {
    if let HookAnswer::Late(late) = answer {
        sleep(*late).await;
    }
    let Some(status) = answer.status() else {
        return stream.read_u8().await.map(drop);
    };
    let length = match answer {
        HookAnswer::Unfinished(_) => format!("content-length: {WHOLE}\r\n"),
        // It has no length (RFC 9110 §8.6).
        _ if status == 204 => String::new(),
        _ => "content-length: 0\r\n".to_owned(),
    };
    let fields = answer.fields();
    let head = format!("HTTP/1.1 {status} Status\r\n{fields}{length}connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    if let HookAnswer::Unfinished(bytes) = answer {
        stream.write_all(&vec![b'x'; *bytes]).await?;
        stream.flush().await?;
        return stream.read_u8().await.map(drop);
    }
    stream.shutdown().await
}
