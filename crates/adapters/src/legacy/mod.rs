//! Asks the system that accounts came from, by HTTPS: `docs/import.md` has the protocol.

use crate::tls::{TlsError, TlsSettings};
use async_trait::async_trait;
use reqwest::{Client, StatusCode, redirect::Policy};
use revolve_domain::{
    model::{EmailAddress, Password},
    ports::{LegacyVerifier, StoreError},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::{net::IpAddr, time::Duration};
use url::{Host, Url};

const STORE: &str = "import.verifier";
const OPERATION: &str = "check a password";

/// How it is reached.
#[derive(Clone, Debug)]
pub struct LegacyConfig {
    /// `https://host/path`, or `http://` on this machine. A user and a password in it are sent as Basic authentication (RFC 7617).
    pub url: SecretString,
    /// Trusted authorities. A client certificate is sent to a server that asks for it.
    pub tls: TlsSettings,
    /// The deadline of each question, connecting included.
    pub timeout: Duration,
}

/// The settings can't be used. The message begins with the key that is wrong, and quotes no value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct LegacyConfigError(#[from] ConfigFault);

#[derive(Debug, thiserror::Error)]
enum ConfigFault {
    #[error("verifier: it is not a URL of the form https://host/path")]
    Form,
    #[error(
        "verifier: passwords must not be sent in the clear; use https, or http on this machine alone"
    )]
    Plain,
    #[error("{0}")]
    Tls(#[source] TlsError),
    #[error("verifier: no client can be made for it")]
    Client(#[source] reqwest::Error),
}

/// It answered, but neither yes nor no.
#[derive(Debug, thiserror::Error)]
#[error(
    "it answered with status {0}; 200 and 204 say that the password is right, 401 and 403 that it is wrong"
)]
struct UnknownAnswer(StatusCode);

/// The former system, behind a URL.
pub struct HttpLegacyVerifier {
    client: Client,
    url: Url,
}

impl LegacyConfig {
    /// What is wrong with the settings, if anything is.
    pub fn mistake(&self) -> Option<LegacyConfigError> {
        self.client().err().map(LegacyConfigError)
    }

    fn url(&self) -> Result<Url, ConfigFault> {
        let url = Url::parse(self.url.expose_secret()).map_err(|_| ConfigFault::Form)?;
        let host = url.host().ok_or(ConfigFault::Form)?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_this_machine(&host) => Ok(url),
            "http" => Err(ConfigFault::Plain),
            _ => Err(ConfigFault::Form),
        }
    }

    fn client(&self) -> Result<(Client, Url), ConfigFault> {
        let url = self.url()?;
        // The password goes nowhere else, be it by a redirect, be it in the clear by a proxy.
        let builder = Client::builder()
            .redirect(Policy::none())
            .timeout(self.timeout);
        let builder = if url.scheme() == "https" {
            builder.tls_backend_preconfigured(self.tls.client().map_err(ConfigFault::Tls)?)
        } else {
            let unused = TlsSettings::trusting_nobody().map_err(ConfigFault::Tls)?;
            builder.tls_backend_preconfigured(unused).no_proxy()
        };
        Ok((builder.build().map_err(ConfigFault::Client)?, url))
    }
}

impl HttpLegacyVerifier {
    /// Makes the client; nothing is asked yet.
    ///
    /// # Errors
    /// [`LegacyConfigError`].
    pub fn new(config: &LegacyConfig) -> Result<Self, LegacyConfigError> {
        let (client, url) = config.client()?;
        Ok(Self { client, url })
    }
}

#[async_trait]
impl LegacyVerifier for HttpLegacyVerifier {
    async fn verify(&self, email: &EmailAddress, password: &Password) -> Result<bool, StoreError> {
        let question = json!({ "email": email.as_str(), "password": password.expose() });
        let request = self.client.post(self.url.clone()).json(&question);
        // The library's messages have the URL, which may have a password.
        let answer = request
            .send()
            .await
            .map_err(|error| StoreError::unavailable(STORE, OPERATION, error.without_url()))?;
        match answer.status() {
            StatusCode::OK | StatusCode::NO_CONTENT => Ok(true),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
            status => Err(StoreError::unavailable(
                STORE,
                OPERATION,
                UnknownAnswer(status),
            )),
        }
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_leave_this_machine_only_encrypted() {
        let mistake = |url: &str| {
            let config = LegacyConfig {
                url: url.into(),
                tls: TlsSettings::default(),
                timeout: Duration::from_secs(1),
            };
            config.url().err().map(|fault| fault.to_string())
        };
        for good in [
            "https://old.example.org/verify",
            "https://revolve:hunter2@old.example.org:8443/verify?tenant=1",
            "http://127.0.0.1:3000/verify",
            "http://[::1]:3000/verify",
            "http://localhost/verify",
        ] {
            assert_eq!(mistake(good), None, "{good}");
        }
        for plain in [
            "http://old.example.org/verify",
            "http://localhost.example.org/verify",
            "http://10.0.0.1/verify",
            "http://hunter2@169.254.169.254/",
        ] {
            let said = mistake(plain).expect(plain);
            assert!(said.contains("in the clear") && !said.contains("hunter2"));
        }
        for none in [
            "",
            "old.example.org",
            "ftp://old.example.org",
            "file:///verify",
        ] {
            let said = mistake(none).expect(none);
            assert!(said.contains("https://host/path"), "{none}: {said}");
        }
    }
}
