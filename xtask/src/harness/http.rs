//! The HTTP client of all commands: requests as values, each sent once, responses read to their end.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::{ClientBuilder, redirect::Policy};
use serde_json::Value;
use url::Url;

/// A service that waits for a store that is down must have given up by then.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Idle connections are closed before the service would close them under a request.
const IDLE: Duration = Duration::from_secs(2);

/// A request that can be sent more than once.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &str, url: &str) -> Result<Self> {
        Ok(Self {
            method: method.to_owned(),
            url: url.parse().with_context(|| format!("`{url}` is no URL"))?,
            headers: Vec::new(),
            body: String::new(),
        })
    }

    pub(crate) fn get(url: &str) -> Result<Self> {
        Self::new("GET", url)
    }

    /// A POST with a JSON body.
    pub(crate) fn post(url: &str, json: &Value) -> Result<Self> {
        let request = Self::new("POST", url)?;
        Ok(request.with_body("application/json", json.to_string()))
    }

    pub(crate) fn with_body(self, media_type: &str, body: String) -> Self {
        Self { body, ..self }.header("Content-Type", media_type)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }
}

/// A response, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Seconds of the header `Retry-After`.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body; null if it is empty.
    pub(crate) fn json(&self) -> Result<Value> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.body)
            .with_context(|| format!("the response {} is not JSON", self.status))
    }

    /// A text in the JSON body.
    pub(crate) fn text(&self, pointer: &str) -> Result<String> {
        self.json()?
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .with_context(|| format!("the response {} has no {pointer}", self.status))
    }

    /// The problem's code (RFC 9457), if it is one.
    pub(crate) fn code(&self) -> String {
        self.text("/code").unwrap_or_default()
    }
}

/// A client without cookies, proxies and redirects.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(crate) fn new() -> Result<Self> {
        Self::build(|client| client.timeout(TIMEOUT).pool_idle_timeout(IDLE))
    }

    /// A client that opens a connection for each request, as the health checks of most proxies do.
    pub(crate) fn without_keep_alive(timeout: Duration) -> Result<Self> {
        Self::build(|client| client.timeout(timeout).pool_max_idle_per_host(0))
    }

    fn build(with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none());
        Ok(Self(with(client).build().context("no HTTP client")?))
    }

    /// Sends a request and reads the response to its end. Errors do not name the URL.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let mut builder = self.0.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        let response = async {
            let response = builder.send().await?;
            let retry_after = response.headers().get("Retry-After");
            Ok(Response {
                status: response.status().as_u16(),
                retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
                body: response.text().await?,
            })
        };
        response
            .await
            .map_err(|error: reqwest::Error| error.without_url().into())
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response> {
        self.send(&Request::get(url)?).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, url: &str, json: &Value) -> Result<Response> {
        self.send(&Request::post(url, json)?).await
    }
}
