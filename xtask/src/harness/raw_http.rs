//! HTTP/1.1 over sockets of our own (RFC 9112), for what the ordinary client does not do: cut a connection before the response, flood from
//! one thread, and take times that have no scheduler in them. No more is parsed than is needed.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::sleep,
};
use tokio_rustls::TlsConnector;
use url::Position;

use super::message::{Request, Response};

/// Longer than any service should take.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A request as bytes.
pub(crate) fn encode(request: &Request) -> Vec<u8> {
    let (url, length) = (&request.url, request.body.len());
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    let mut text = format!(
        "{} {}{query} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\n",
        request.method,
        url.path(),
        &url[Position::BeforeHost..Position::AfterPort]
    );
    for (name, value) in &request.headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(&request.body);
    text.into_bytes()
}

/// The response at the beginning of what was received; `None` if it is not whole yet.
pub(crate) fn parse(received: &[u8]) -> Result<Option<Response>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end]).context("the head is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .context("no status")?;
    let header = |name: &str| {
        let mut values = lines.clone().filter_map(|line| line.split_once(':'));
        values
            .find_map(|(key, value)| {
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().parse::<u64>().ok())
            })
            .flatten()
    };
    let length = header("content-length").context("no length")?;
    let Some(body) = received.get(end + 4..end + 4 + usize::try_from(length)?) else {
        return Ok(None);
    };
    Ok(Some(Response {
        status,
        retry_after: header("retry-after"),
        body: String::from_utf8(body.to_vec()).context("the body is no text")?,
    }))
}

/// Sends a request over a connection of its own, with TLS if there is a configuration, and closes that after `linger` without reading.
pub(super) async fn send_and_cut(
    request: &Request,
    linger: Duration,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<()> {
    let (Some(host), Some(port)) = (request.url.host_str(), request.url.port_or_known_default())
    else {
        bail!("{} has no host", request.url)
    };
    let mut stream = tokio::net::TcpStream::connect((host, port))
        .await
        .with_context(|| format!("nothing listens on {host}:{port}"))?;
    stream.set_nodelay(true)?;
    let bytes = encode(request);
    let Some(tls) = tls else {
        stream.write_all(&bytes).await?;
        sleep(linger).await;
        return Ok(());
    };
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
    let mut stream = TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await
        .with_context(|| format!("TLS with {host}:{port}"))?;
    stream.write_all(&bytes).await?;
    stream.flush().await?;
    sleep(linger).await;
    Ok(())
}

/// Sends an encoded request over a connection that is kept, and waits for the response.
pub(crate) async fn exchange(
    stream: &mut tokio::net::TcpStream,
    request: &[u8],
) -> Result<Response> {
    stream.write_all(request).await?;
    let mut received = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            bail!("the service hung up");
        }
        if let Some(response) = parse(&received)? {
            return Ok(response);
        }
    }
}

/// A connection that is kept. It blocks its thread, so that what is timed is the response and not when a runtime polls next.
pub(crate) struct BlockingConnection(TcpStream);

impl BlockingConnection {
    /// Connects to the server at this URL, which has no path.
    pub(crate) fn open(url: &str) -> Result<Self> {
        let address = url.trim_start_matches("http://");
        let stream = TcpStream::connect(address).context("the service does not listen")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self(stream))
    }

    /// Sends an encoded request, and waits for the response.
    pub(crate) fn send(&mut self, request: &[u8]) -> Result<Response> {
        self.0.write_all(request)?;
        let (mut received, mut chunk) = (Vec::new(), [0; 8192]);
        loop {
            let read = self.0.read(&mut chunk).context("no answer in time")?;
            if read == 0 {
                bail!("the service hung up");
            }
            received.extend_from_slice(&chunk[..read]);
            if let Some(response) = parse(&received)? {
                return Ok(response);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_request_is_what_http_1_1_says() {
        let request = Request::new("POST", "http://127.0.0.1:8080/a?b=c")
            .unwrap()
            .with_body("text/plain", "hello".to_owned());
        let expected = "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello";
        assert_eq!(encode(&request), expected.as_bytes());
    }

    #[test]
    fn answers_are_read_when_they_are_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\nRetry-After: 7\r\n\r\n{}HTTP";
        for end in 0..text.len() - 4 {
            assert!(parse(&text[..end]).unwrap().is_none(), "{end}");
        }
        let expected = Response {
            status: 503,
            retry_after: Some(7),
            body: "{}".to_owned(),
        };
        assert_eq!(parse(text).unwrap(), Some(expected));
    }
}
