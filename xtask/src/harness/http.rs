//! The HTTP client of all commands: requests as values, each sent once, responses read to their end.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{ClientBuilder, header::HeaderMap, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::Value;

pub(crate) use super::message::{Request, Response};
use super::raw_http;

/// A service that waits for a store that is down must have given up by then.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Idle connections are closed before the service would close them under a request.
const IDLE: Duration = Duration::from_secs(2);

/// A client without cookies, proxies and redirects.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    /// For https.
    tls: Option<Arc<ClientConfig>>,
}

impl HttpClient {
    pub(crate) fn new() -> Result<Self> {
        Self::build(|client| client.timeout(TIMEOUT).pool_idle_timeout(IDLE))
    }

    /// A client that speaks https as well, and trusts the system's authorities and those of a PEM file.
    pub(crate) fn with_tls(ca_file: Option<&Path>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        // A system without any is no error where there is a file.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(file) = ca_file {
            let what = || format!("could not read certificates in {}", file.display());
            let mut count = 0;
            for certificate in CertificateDer::pem_file_iter(file).with_context(what)? {
                roots.add(certificate.with_context(what)?)?;
                count += 1;
            }
            ensure!(count > 0, "there is no certificate in {}", file.display());
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let with = |client: ClientBuilder| {
            client
                .timeout(TIMEOUT)
                .pool_idle_timeout(IDLE)
                .tls_backend_preconfigured(tls.clone())
        };
        Ok(Self {
            tls: Some(Arc::new(tls.clone())),
            ..Self::build(with)?
        })
    }

    /// A client that opens a connection for each request, as the health checks of most proxies do.
    pub(crate) fn without_keep_alive(timeout: Duration) -> Result<Self> {
        Self::build(|client| client.timeout(timeout).pool_max_idle_per_host(0))
    }

    fn build(with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none());
        Ok(Self {
            client: with(client).build().context("no HTTP client")?,
            tls: None,
        })
    }

    /// Sends a request and reads the response to its end. Errors do not name the URL.
    pub(crate) async fn send(&self, request: &Request) -> Result<Response> {
        Ok(self.send_for_headers(request).await?.1)
    }

    /// The same, with the headers of the response.
    pub(crate) async fn send_for_headers(
        &self,
        request: &Request,
    ) -> Result<(HeaderMap, Response)> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let mut builder = self.client.request(method, request.url.clone());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if !request.body.is_empty() {
            builder = builder.body(request.body.clone());
        }
        let response = async {
            let response = builder.send().await?;
            let headers = response.headers().clone();
            let retry_after = headers.get("Retry-After");
            let response = Response {
                status: response.status().as_u16(),
                retry_after: retry_after.and_then(|value| value.to_str().ok()?.parse().ok()),
                body: response.text().await?,
            };
            Ok((headers, response))
        };
        response
            .await
            .map_err(|error: reqwest::Error| error.without_url().into())
    }

    /// Sends a request over a connection of its own, and closes that after `linger` without reading.
    pub(crate) async fn send_and_cut(&self, request: &Request, linger: Duration) -> Result<()> {
        match (request.url.scheme(), &self.tls) {
            ("https", Some(tls)) => raw_http::send_and_cut(request, linger, Some(tls)).await,
            ("http", _) => raw_http::send_and_cut(request, linger, None).await,
            (scheme, _) => bail!("{scheme}:// is not supported here"),
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Response> {
        self.send(&Request::get(url)?).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, url: &str, json: &Value) -> Result<Response> {
        self.send(&Request::post(url, json)?).await
    }
}
