//! Requests and responses as values.

use anyhow::{Context as _, Result};
use serde_json::Value;
use url::Url;

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
