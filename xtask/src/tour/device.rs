//! The app on one of the user's devices: it keeps its newest tokens and its device's credential.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::harness::http::{HttpClient, Request, Response};

#[derive(Debug, Clone)]
pub(super) struct DeviceClient {
    http: HttpClient,
    issuer: String,
    pub(super) id_token: String,
    pub(super) refresh_token: String,
    credential: String,
}

impl DeviceClient {
    pub(super) fn new(issuer: &str) -> Result<Self> {
        let (id_token, refresh_token, credential) = Default::default();
        Ok(Self {
            http: HttpClient::new()?,
            issuer: issuer.to_owned(),
            id_token,
            refresh_token,
            credential,
        })
    }

    pub(super) async fn sign_up(&mut self, email: &str, password: &str) -> Result<Response> {
        let body = json!({ "email": email, "password": password, "deviceName": "Laptop" });
        let response = self.http.post(&self.url("/signup"), &body).await?;
        self.begin(expect(response, 201, "")?)
    }

    pub(super) async fn sign_in(
        &mut self,
        email: &str,
        password: &str,
        device: &str,
    ) -> Result<Response> {
        let body = json!({ "email": email, "password": password, "deviceName": device });
        let response = self.http.post(&self.url("/signin"), &body).await?;
        self.begin(expect(response, 200, "")?)
    }

    /// The answer to a sign-in, of which nothing is kept.
    pub(super) async fn try_sign_in(&self, email: &str, password: &str) -> Result<Response> {
        let body = json!({ "email": email, "password": password });
        self.http.post(&self.url("/signin"), &body).await
    }

    /// Asks for a mail with a code.
    pub(super) async fn forgot(&self, email: &str) -> Result<Response> {
        let body = json!({ "email": email });
        let response = self.http.post(&self.url("/recovery"), &body).await?;
        expect(response, 202, "")
    }

    /// Sends the code of the mail and a new password.
    pub(super) async fn recover(&self, proof: &str, code: &str, new: &str) -> Result<Response> {
        let body = json!({ "proof": proof, "code": code, "newPassword": new });
        self.http.post(&self.url("/recovery/confirm"), &body).await
    }

    /// Sends a refresh token, with the device's credential or without it, and keeps nothing of the response.
    pub(super) async fn present(
        &self,
        refresh_token: &str,
        with_credential: bool,
    ) -> Result<Response> {
        let body = json!({ "refreshToken": refresh_token });
        let mut request = Request::post(&self.url("/tokens"), &body)?;
        if with_credential {
            request = request.header("Revolve-Device", &self.credential);
        }
        self.http.send(&request).await
    }

    /// Refreshes and keeps the new tokens.
    pub(super) async fn refresh(&mut self, with_credential: bool) -> Result<Response> {
        let response = self.present(&self.refresh_token, with_credential).await?;
        let response = expect(response, 200, "")?;
        self.keep(&response)?;
        Ok(response)
    }

    pub(super) async fn sign_out(&self) -> Result<Response> {
        self.call("POST", "/signout").await
    }

    pub(super) async fn sessions(&self) -> Result<Response> {
        self.call("GET", "/sessions").await
    }

    /// Shows the ID token to another service.
    pub(super) async fn greet(&self, hello: &str) -> Result<Response> {
        let request = Request::get(hello)?.bearer(&self.id_token);
        self.http
            .send(&request)
            .await
            .context("the relying service does not answer")
    }

    /// Calls the account API, with the device's credential, as the calls of a bound session need it.
    async fn call(&self, method: &str, path: &str) -> Result<Response> {
        let request = Request::new(method, &self.url(path))?
            .bearer(&self.id_token)
            .header("Revolve-Device", &self.credential);
        self.http.send(&request).await
    }

    /// Keeps what a new session has.
    pub(super) fn begin(&mut self, response: Response) -> Result<Response> {
        self.keep(&response)?;
        self.credential = response.text("/device/credential")?;
        Ok(response)
    }

    fn keep(&mut self, response: &Response) -> Result<()> {
        self.id_token = response.text("/tokens/idToken")?;
        self.refresh_token = response.text("/tokens/refreshToken")?;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/account{path}", self.issuer)
    }
}

/// The status, and the code of a refusal.
pub(super) fn line(response: &Response) -> String {
    format!("{} {}", response.status, response.code())
        .trim_end()
        .to_owned()
}

/// Ends the tour if it is another response.
pub(super) fn expect(response: Response, status: u16, code: &str) -> Result<Response> {
    ensure!(
        (response.status, response.code().as_str()) == (status, code),
        "expected {status} {code}, got {}",
        line(&response)
    );
    Ok(response)
}
