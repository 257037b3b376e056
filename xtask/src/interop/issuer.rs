//! The service, once for each algorithm, and the tokens that it issues.

use std::{
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::token::Token;
use crate::harness::{
    http::HttpClient,
    proxy::Proxy,
    service::{Binary, Instance, Settings},
    windows::Windows,
};

/// The `aud` of all tokens.
pub(super) const AUDIENCE: &str = "interop";

pub(super) struct Issuer {
    pub(super) algorithm: &'static str,
    /// `iss`, and where the service answers: at a proxy, whose port is known before the service starts.
    pub(super) url: String,
    pub(super) email: String,
    pub(super) id: Token,
    pub(super) refresh: Token,
    /// An ID token that has expired.
    pub(super) expired: Token,
    instance: Instance,
    _proxy: Proxy,
}

impl Issuer {
    /// Starts it in this folder and signs a user up.
    pub(super) async fn start(
        binary: &Binary,
        algorithm: &'static str,
        folder: &Path,
    ) -> Result<Self> {
        let (proxy, http) = (Proxy::bind().await?, HttpClient::new()?);
        let url = proxy.http_url();
        let settings = Settings::new(&Windows::SHORT)
            .data_dir(&folder.join("data"))
            .with("TOKENS__ALGORITHM", algorithm)
            .with("TOKENS__ISSUER", &url)
            .with("TOKENS__AUDIENCE", AUDIENCE);
        // First with ID tokens that live for a second, over the same data and keys.
        let mut brief = Instance::start(
            binary,
            &settings.clone().with("TOKENS__ID_LIFETIME", "1s"),
            folder.join("brief"),
        )
        .await?;
        let email = format!("{}@example.org", algorithm.to_lowercase());
        let account = json!({ "email": email, "password": "correct horse battery" });
        let signed_up = post(&http, brief.url(), "signup", &account).await?;
        brief.stop().await?;
        let instance = Instance::start(binary, &settings, folder.join("service")).await?;
        proxy.lead_to(&instance.url().parse()?)?;
        let signed_in = post(&http, &url, "signin", &account).await?;
        let token = |answer: &Value, name: &str| -> Result<Token> {
            Token::parse(
                answer["tokens"][name]
                    .as_str()
                    .with_context(|| format!("the answer has no {name}"))?,
            )
        };
        let issuer = Self {
            algorithm,
            email,
            id: token(&signed_in, "idToken")?,
            refresh: token(&signed_in, "refreshToken")?,
            expired: token(&signed_up, "idToken")?,
            url,
            instance,
            _proxy: proxy,
        };
        ensure!(
            issuer.id.header()?["alg"] == algorithm,
            "the service does not issue {algorithm}"
        );
        ensure!(
            issuer.id.header()?["kid"] == issuer.expired.header()?["kid"],
            "the service has another key after a restart"
        );
        issuer.outlive().await?;
        Ok(issuer)
    }

    pub(super) fn key_set(&self) -> String {
        format!("{}/.well-known/jwks.json", self.url)
    }

    pub(super) fn configuration(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url)
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        self.instance.stop().await
    }

    async fn outlive(&self) -> Result<()> {
        let expires = self.expired.claims()?["exp"]
            .as_u64()
            .context("the token has no exp")?;
        while now()? <= expires {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// Seconds since 1970-01-01 UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "foreign libraries know no other clock"
)]
pub(super) fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())
}

pub(super) async fn post(
    http: &HttpClient,
    base: &str,
    operation: &str,
    body: &Value,
) -> Result<Value> {
    let response = http
        .post(&format!("{base}/api/account/{operation}"), body)
        .await?;
    ensure!(
        response.is_success(),
        "{operation} was answered with {}",
        response.status
    );
    response.json()
}
