//! One request on a connection of its own.

use super::{
    addresses,
    answer::{read_some, retry_after},
    message::{body, signatures},
    resolver::{Resolver, SystemResolver},
};
use crate::tls::TlsSettings;
use async_trait::async_trait;
use http_body_util::Full;
use hyper::{Method, Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use revolve_domain::{
    model::Timestamp,
    ports::{CallError, TargetRefused, WebhookCall, WebhookReply, WebhookSender},
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
    net::TcpStream,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

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
    resolver: Arc<dyn Resolver>,
    /// Made at first use: it reads the system's certificates.
    tls: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl HttpWebhooks {
    /// Sends so, to what the system makes of names.
    pub fn new(settings: WebhookSettings) -> Self {
        Self::with_resolver(settings, Arc::new(SystemResolver))
    }

    /// The same with another way to find addresses.
    pub fn with_resolver(settings: WebhookSettings, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            settings,
            resolver,
            tls: OnceLock::new(),
        }
    }

    /// The addresses of an endpoint, all of which may be connected to.
    async fn addresses(&self, url: &WebhookUrl) -> Result<Vec<SocketAddr>, TargetRefused> {
        let port = url.port();
        let found: Vec<SocketAddr> = match url.host() {
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
            Host::Domain(name) => {
                let resolved = self.resolver.resolve(name, port).await;
                resolved.map_err(|_| TargetRefused::Unknown)?
            }
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

    async fn exchange(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError> {
        let addresses = self.addresses(call.url).await?;
        let unanswered = CallError::Unanswered;
        let stream = connect(&addresses)
            .await
            .map_err(|error| unanswered(error.into()))?;
        let request = request(call).map_err(|error| unanswered(error.into()))?;
        let reply = if call.url.is_encrypted() {
            let name = server_name(call.url).map_err(unanswered)?;
            let tls = self.tls().map_err(CallError::Unanswered)?;
            let stream = tls.connect(name, stream).await;
            let stream = stream.map_err(|error| CallError::Unanswered(error.into()))?;
            ask(stream, request, call.at).await
        } else {
            ask(stream, request, call.at).await
        };
        reply.map_err(|error| CallError::Unanswered(error.into()))
    }
}

#[async_trait]
impl WebhookSender for HttpWebhooks {
    async fn check(&self, url: &WebhookUrl) -> Result<(), TargetRefused> {
        let resolved = timeout(RESOLVE, self.addresses(url)).await;
        resolved.unwrap_or(Err(TargetRefused::Unknown)).map(drop)
    }

    async fn send(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError> {
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

/// Sends a request and answers what comes back.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
    at: Timestamp,
) -> Result<WebhookReply, hyper::Error> {
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    // Ends with this call.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let response = sender.send_request(request).await?;
    let reply = WebhookReply {
        status: response.status().as_u16(),
        retry_after: retry_after(response.headers(), at),
    };
    read_some(response).await;
    Ok(reply)
}
