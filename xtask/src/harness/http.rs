//! Requests on the wire: in the ordinary way, or with a hand that lets go of the connection before the answer.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result, bail};
use reqwest::Client;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::sleep};
use url::Url;

/// How long an answer may take. A service that waits for a store that is down must have given up by then.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request, ready to be sent.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// A client without cookies, proxies or redirects. Its connections are given up before a server would close them under a request.
pub(crate) fn http() -> Result<Client> {
    let client = Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    client
        .timeout(PATIENCE)
        .pool_idle_timeout(Duration::from_secs(2))
        .build()
        .context("the HTTP client could not be made")
}

impl Request {
    /// Sends it and reads the answer: status and body.
    pub(crate) async fn send(&self, client: &Client) -> Result<(u16, String), reqwest::Error> {
        let method =
            reqwest::Method::from_bytes(self.method.as_bytes()).unwrap_or(reqwest::Method::POST);
        let mut request = client.request(method, self.url.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.body.is_empty() {
            request = request.body(self.body.clone());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, response.text().await?))
    }

    /// Sends it over a connection of its own, and cuts that after `linger`, unread.
    pub(crate) async fn send_and_cut(&self, linger: Duration) -> Result<()> {
        let (Some(host), Some(port)) = (self.url.host_str(), self.url.port_or_known_default())
        else {
            bail!("{} has no host", self.url)
        };
        let mut stream = TcpStream::connect((host, port))
            .await
            .with_context(|| format!("nothing listens on {host}:{port}"))?;
        stream.set_nodelay(true)?;
        stream.write_all(self.raw(host, port).as_bytes()).await?;
        sleep(linger).await;
        Ok(())
    }

    /// As HTTP/1.1 has it (RFC 9112).
    fn raw(&self, host: &str, port: u16) -> String {
        let query = self
            .url
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut text = format!(
            "{} {}{query} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: {}\r\n",
            self.method,
            self.url.path(),
            self.body.len()
        );
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.push_str(&self.body);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_request_is_what_http_1_1_says() {
        let request = Request {
            method: "POST".to_owned(),
            url: "http://127.0.0.1:8080/a?b=c".parse().unwrap(),
            headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
            body: "hello".to_owned(),
        };
        let expected = "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello";
        assert_eq!(request.raw("127.0.0.1", 8080), expected);
    }
}
