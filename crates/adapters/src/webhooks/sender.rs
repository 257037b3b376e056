//! One request on a connection of its own.

use super::{
    addresses,
    message::{body, signatures},
};
use crate::tls::TlsSettings;
use async_trait::async_trait;
use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Body, Bytes, Incoming},
    client::conn::http1,
    header,
};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use revolve_domain::{
    ports::{CallError, TargetRefused, WebhookCall, WebhookSender},
    webhooks::WebhookUrl,
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

/// The most bytes of an answer's body that are read.
const ANSWER: usize = 4096;
/// The most bytes of an answer's head.
const HEAD: usize = 16 << 10;
/// How long resolving a name may take when an endpoint is made.
const RESOLVE: Duration = Duration::from_secs(5);

type Cause = Box<dyn Error + Send + Sync>;

/// How events are sent.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Networks that are not public, and may be connected to all the same; also by http.
    pub allow_private: Vec<IpNet>,
    /// The longest time for one request, resolving and connecting included.
    pub timeout: Duration,
    /// Whose certificates are trusted.
    pub tls: TlsSettings,
}

/// Sends events over HTTP/1.1.
pub struct HttpWebhooks {
    settings: WebhookSettings,
    /// Made at first use: it reads the system's certificates.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl HttpWebhooks {
    /// Sends so.
    pub fn new(settings: WebhookSettings) -> Self {
        Self {
            settings,
            tls: OnceLock::new(),
        }
    }

    /// The addresses of an endpoint, all of which may be connected to.
    async fn addresses(&self, url: &WebhookUrl) -> Result<Vec<SocketAddr>, TargetRefused> {
        let port = url.port();
        let found: Vec<SocketAddr> = match url.host() {
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
            Host::Domain(name) => lookup_host((name, port))
                .await
                .map_err(|_| TargetRefused::Unknown)?
                .collect(),
        };
        if found.is_empty() {
            return Err(TargetRefused::Unknown);
        }
        let addresses = found.iter().map(SocketAddr::ip);
        addresses::check(url, addresses, &self.settings.allow_private)?;
        Ok(found)
    }

    fn tls(&self) -> Result<TlsConnector, Cause> {
        let made = self.tls.get_or_init(|| {
            let mut config = self
                .settings
                .tls
                .client()
                .map_err(|error| error.to_string())?;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Ok(Arc::new(config))
        });
        let config = made.clone().map_err(|error| format!("webhooks.{error}"))?;
        Ok(TlsConnector::from(config))
    }

    async fn exchange(&self, call: &WebhookCall<'_>) -> Result<u16, CallError> {
        let addresses = self.addresses(call.url).await?;
        let unanswered = CallError::Unanswered;
        let stream = connect(&addresses)
            .await
            .map_err(|error| unanswered(error.into()))?;
        let request = request(call).map_err(|error| unanswered(error.into()))?;
        let status = if call.url.is_encrypted() {
            let name = server_name(call.url).map_err(unanswered)?;
            let tls = self.tls().map_err(CallError::Unanswered)?;
            let stream = tls.connect(name, stream).await;
            let stream = stream.map_err(|error| CallError::Unanswered(error.into()))?;
            ask(stream, request).await
        } else {
            ask(stream, request).await
        };
        status.map_err(|error| CallError::Unanswered(error.into()))
    }
}

#[async_trait]
impl WebhookSender for HttpWebhooks {
    async fn check(&self, url: &WebhookUrl) -> Result<(), TargetRefused> {
        let resolved = timeout(RESOLVE, self.addresses(url)).await;
        resolved.unwrap_or(Err(TargetRefused::Unknown)).map(drop)
    }

    async fn send(&self, call: &WebhookCall<'_>) -> Result<u16, CallError> {
        timeout(self.settings.timeout, self.exchange(call))
            .await
            .unwrap_or_else(|_| Err(CallError::Unanswered("it took too long".into())))
    }
}

/// Connects to the first address that answers.
async fn connect(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The name that the certificate has to be for.
fn server_name(url: &WebhookUrl) -> Result<ServerName<'static>, Cause> {
    Ok(match url.host() {
        Host::Domain(name) => ServerName::try_from(name.trim_end_matches('.').to_owned())?,
        Host::Ipv4(address) => IpAddr::from(address).into(),
        Host::Ipv6(address) => IpAddr::from(address).into(),
    })
}

fn request(call: &WebhookCall<'_>) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
    let (id, timestamp) = (call.event.id.to_string(), call.at.as_seconds());
    let body = body(call.event);
    let signature = signatures(&id, timestamp, &body, &call.secrets);
    Request::builder()
        .method(Method::POST)
        .uri(call.url.target())
        .header(header::HOST, call.url.authority())
        .header(
            header::USER_AGENT,
            concat!("revolve/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(body.into()))
}

/// Sends a request and answers the status.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<u16, hyper::Error> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    // Ends with this call.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await?;
    let status = response.status().as_u16();
    read_some(response).await;
    Ok(status)
}

/// Reads what a polite answer has, and no more: the status says it all.
async fn read_some(mut response: Response<Incoming>) {
    let mut read = 0;
    while !response.body().is_end_stream() && read < ANSWER {
        match response.frame().await {
            Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => return,
        }
    }
}
