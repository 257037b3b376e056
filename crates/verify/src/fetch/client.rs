//! Fetching with reqwest and rustls.

use super::{Fetch, FetchError, FetchRequest, FetchResponse, max_age};
use async_trait::async_trait;
use reqwest::{
    Client,
    header::{ACCEPT, CACHE_CONTROL, ETAG, HeaderMap, HeaderName, IF_NONE_MATCH},
    redirect::Policy,
};

/// A client that trusts the machine's certificate authorities, uses the proxy that the environment names, and follows no redirect.
#[derive(Clone, Debug)]
pub struct HttpFetch(Client);

impl HttpFetch {
    /// Makes the client.
    ///
    /// # Errors
    /// [`FetchError::Transport`] if TLS can't be set up.
    pub fn new() -> Result<Self, FetchError> {
        Client::builder()
            .redirect(Policy::none())
            .build()
            .map(Self)
            .map_err(transport)
    }

    /// Uses your client. It should follow no redirects.
    pub fn with_client(client: Client) -> Self {
        Self(client)
    }
}

fn transport(error: reqwest::Error) -> FetchError {
    FetchError::Transport(error.into())
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[async_trait]
impl Fetch for HttpFetch {
    async fn get(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let mut sent = self
            .0
            .get(&request.url)
            .header(ACCEPT, request.accept)
            .timeout(request.timeout);
        if let Some(etag) = &request.etag {
            sent = sent.header(IF_NONE_MATCH, etag);
        }
        let mut answer = sent.send().await.map_err(transport)?;
        let headers = answer.headers();
        let mut response = FetchResponse {
            status: answer.status().as_u16(),
            etag: text(headers, ETAG).map(str::to_owned),
            max_age: text(headers, CACHE_CONTROL).and_then(max_age),
            body: Vec::new(),
        };
        while let Some(chunk) = answer.chunk().await.map_err(transport)? {
            if response.body.len() + chunk.len() > request.limit {
                return Err(FetchError::TooLong);
            }
            response.body.extend_from_slice(&chunk);
        }
        Ok(response)
    }
}
