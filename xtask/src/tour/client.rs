//! A client as an app would be: it keeps its newest tokens, and perhaps its device's credential.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::harness::http;

/// What the service answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    /// A text at this path of members.
    pub(super) fn text(&self, pointer: &str) -> Result<&str> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("the answer {} has no {pointer}", self.status))
    }

    /// The problem's code.
    pub(super) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// In short: the status, and the code of a refusal.
    pub(super) fn line(&self) -> String {
        if self.code().is_empty() {
            self.status.to_string()
        } else {
            format!("{} {}", self.status, self.code())
        }
    }

    /// Ends the tour if it is another one.
    pub(super) fn expect(self, status: u16, code: &str) -> Result<Self> {
        ensure!(
            (self.status, self.code()) == (status, code),
            "expected {status} {code}, got {}",
            self.line()
        );
        Ok(self)
    }
}

/// One device's app.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: reqwest::Client,
    issuer: String,
    pub(super) id_token: String,
    pub(super) refresh_token: String,
    pub(super) device: String,
}

impl Client {
    pub(super) fn new(issuer: &str) -> Result<Self> {
        let (id_token, refresh_token, device) = Default::default();
        Ok(Self {
            http: http::http()?,
            issuer: issuer.to_owned(),
            id_token,
            refresh_token,
            device,
        })
    }

    pub(super) async fn sign_up(&mut self, email: &str, password: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": password, "deviceName": "Laptop" });
        let answer = self.post("/signup", body, false).await?.expect(201, "")?;
        self.keep(&answer)?;
        answer
            .text("/device/credential")?
            .clone_into(&mut self.device);
        Ok(answer)
    }

    pub(super) async fn sign_in(&mut self, email: &str, password: &str) -> Result<Answer> {
        let answer = self
            .post(
                "/signin",
                json!({ "email": email, "password": password, "deviceName": "Phone" }),
                false,
            )
            .await?;
        let answer = answer.expect(200, "")?;
        self.keep(&answer)?;
        answer
            .text("/device/credential")?
            .clone_into(&mut self.device);
        Ok(answer)
    }

    /// Sends a refresh token, with the device's credential or without it, and keeps nothing of the answer.
    pub(super) async fn present(&self, refresh_token: &str, on_its_device: bool) -> Result<Answer> {
        self.post(
            "/tokens",
            json!({ "refreshToken": refresh_token }),
            on_its_device,
        )
        .await
    }

    /// Refreshes and keeps the answer.
    pub(super) async fn refresh(&mut self, on_its_device: bool) -> Result<Answer> {
        let answer = self
            .present(&self.refresh_token, on_its_device)
            .await?
            .expect(200, "")?;
        self.keep(&answer)?;
        Ok(answer)
    }

    pub(super) async fn sign_out(&self) -> Result<Answer> {
        let answer = self
            .http
            .post(self.url("/signout"))
            .bearer_auth(&self.id_token)
            .send()
            .await?;
        Self::read(answer).await
    }

    pub(super) async fn sessions(&self) -> Result<Answer> {
        Self::read(
            self.http
                .get(self.url("/sessions"))
                .bearer_auth(&self.id_token)
                .send()
                .await?,
        )
        .await
    }

    /// Shows the ID token to another service: the status and what it says.
    pub(super) async fn greet(&self, hello: &str) -> Result<(u16, String)> {
        let answer = self
            .http
            .get(hello)
            .bearer_auth(&self.id_token)
            .send()
            .await
            .context("the relying service does not answer")?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    fn keep(&mut self, answer: &Answer) -> Result<()> {
        answer
            .text("/tokens/idToken")?
            .clone_into(&mut self.id_token);
        answer
            .text("/tokens/refreshToken")?
            .clone_into(&mut self.refresh_token);
        Ok(())
    }

    async fn post(&self, path: &str, body: Value, on_its_device: bool) -> Result<Answer> {
        let mut request = self.http.post(self.url(path)).json(&body);
        if on_its_device {
            request = request.header("Revolve-Device", &self.device);
        }
        Self::read(request.send().await?).await
    }

    async fn read(answer: reqwest::Response) -> Result<Answer> {
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok(Answer {
            status,
            body: if text.is_empty() {
                Value::Null
            } else {
                serde_json::from_str(&text)?
            },
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/account{path}", self.issuer)
    }
}
