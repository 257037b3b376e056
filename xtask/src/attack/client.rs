//! A client of the account API.

use anyhow::Result;
use serde_json::Value;

use crate::harness::http::{Request, Response};

/// A client and what it keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) address: String,
    /// Of the browser that asked for a mail.
    pub(super) cookie: Option<String>,
    pub(super) device: Option<String>,
    pub(super) id_token: Option<String>,
}

impl Client {
    /// A fresh one.
    pub(super) fn at(address: String) -> Self {
        Self {
            address,
            ..Self::default()
        }
    }

    pub(super) fn request(&self, method: &str, url: &str, body: Option<&Value>) -> Result<Request> {
        let mut request = Request::new(method, url)?.header("X-Forwarded-For", &self.address);
        if let Some(body) = body {
            request = request.with_body("application/json", body.to_string());
        }
        for (name, value) in [("Cookie", &self.cookie), ("Revolve-Device", &self.device)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        Ok(match &self.id_token {
            Some(token) => request.bearer(token),
            None => request,
        })
    }

    /// The same client in the session that an answer begins.
    pub(super) fn signed_in(&self, answer: &Response) -> Result<Self> {
        Ok(Self {
            id_token: Some(answer.text("/tokens/idToken")?),
            ..self.clone()
        })
    }
}

/// A URL of the account API.
pub(super) fn api(service: &str, path: &str) -> String {
    format!("{service}/api/account{path}")
}
