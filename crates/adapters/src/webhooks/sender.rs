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
    ports::{CallError, StoreError, TargetRefused, WebhookCall, WebhookReply, WebhookSender},
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
    time::{Instant, timeout, timeout_at},
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
    tls: OnceLock<Arc<ClientConfig>>,
}

impl HttpWebhooks {
    /// Sends so, to what the system makes of names.
    pub fn new(settings: WebhookSettings) -> Self {
        Self::with_resolver(settings, Arc::new(SystemResolver::new()))
    }

    /// The same with another way to find addresses.
    pub fn with_resolver(settings: WebhookSettings, resolver: Arc<dyn Resolver>) -> Self {
        Self {
            settings,
            resolver,
            tls: OnceLock::new(),
        }
    }

    /// The addresses of an endpoint, all of which may be connected to. Fails if they can't be found out.
    async fn addresses(
        &self,
        url: &WebhookUrl,
    ) -> io::Result<Result<Vec<SocketAddr>, TargetRefused>> {
        let port = url.port();
        let found: Vec<SocketAddr> = match url.host() {
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
            Host::Domain(name) => self.resolver.resolve(name, port).await?,
        };
        if found.is_empty() {
            return Ok(Err(TargetRefused::Unknown));
        }
        let addresses = found.iter().map(SocketAddr::ip);
        let checked = addresses::check(url, addresses, &self.settings.allow_private);
        if let Err(TargetRefused::Private(address)) = &checked {
            tracing::warn!(%address, "the address of a webhook is not public");
        }
        Ok(checked.map(|()| found))
    }

    fn tls(&self) -> Result<TlsConnector, Cause> {
        if let Some(config) = self.tls.get() {
            return Ok(TlsConnector::from(Arc::clone(config)));
        }
        let client = self.settings.tls.client();
        let mut config = client.map_err(|error| format!("webhooks.{error}"))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = self.tls.get_or_init(|| Arc::new(config));
        Ok(TlsConnector::from(Arc::clone(config)))
    }

    async fn exchange(
        &self,
        call: &WebhookCall<'_>,
        until: Instant,
    ) -> Result<WebhookReply, CallError> {
        let unanswered = CallError::Unanswered;
        let addresses = self.addresses(call.url).await;
        let addresses = addresses.map_err(|error| unanswered(error.into()))??;
        let stream = connect(&addresses, until)
            .await
            .map_err(|error| unanswered(error.into()))?;
        let request = request(call).map_err(|error| unanswered(error.into()))?;
        let reply = if call.url.is_encrypted() {
            let name = server_name(call.url).map_err(unanswered)?;
            let tls = self.tls().map_err(CallError::Unanswered)?;
            let stream = tls.connect(name, stream).await;
            let stream = stream.map_err(|error| CallError::Unanswered(error.into()))?;
            ask(stream, request, call.at, until).await
        } else {
            ask(stream, request, call.at, until).await
        };
        reply.map_err(|error| CallError::Unanswered(error.into()))
    }
}

#[async_trait]
impl WebhookSender for HttpWebhooks {
    async fn check(&self, url: &WebhookUrl) -> Result<Result<(), TargetRefused>, StoreError> {
        let resolved = timeout(RESOLVE, self.addresses(url)).await;
        let resolved = resolved.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        resolved.map(|found| found.map(drop)).map_err(|source| {
            StoreError::unavailable("dns", "find the addresses of a webhook", source)
        })
    }

    async fn send(&self, call: &WebhookCall<'_>) -> Result<WebhookReply, CallError> {
        let until = Instant::now() + self.settings.timeout;
        timeout_at(until, self.exchange(call, until))
            .await
            .unwrap_or_else(|_| Err(CallError::Unanswered("it took too long".into())))
    }
}

/// Connects to the first address that answers. Each has its share of the time that is left, so that a silent one leaves some to the next.
async fn connect(addresses: &[SocketAddr], until: Instant) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for (left, address) in (1..=count).rev().zip(addresses) {
        let share = until.saturating_duration_since(Instant::now()) / left;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
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
    until: Instant,
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
    read_some(response, until).await;
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_testkit::webhook_sink::WebhookSink;

    #[tokio::test]
    async fn certificates_that_could_not_be_read_once_are_read_again() {
        let sink = WebhookSink::start_tls().await.unwrap();
        let mut sender = HttpWebhooks::new(WebhookSettings {
            allow_private: Vec::new(),
            timeout: Duration::from_secs(10),
            tls: TlsSettings {
                authorities: Some("unreadable".to_owned()),
                ..TlsSettings::default()
            },
        });
        let error = sender.tls().map(drop).unwrap_err();
        assert!(error.to_string().contains("webhooks.ca_file"), "{error}");
        sender.settings.tls.authorities = sink.authority().map(str::to_owned);
        sender.tls().map(drop).unwrap();
    }
}
