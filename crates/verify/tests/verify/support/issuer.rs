//! An issuer without a network: tests set its answers and see its requests.

use async_trait::async_trait;
use revolve_verify::fetch::{Fetch, FetchError, FetchRequest, FetchResponse};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// How the issuer answers the next requests to one path.
#[derive(Clone, Debug, Default)]
pub(crate) struct IssuerResponse {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) etag: Option<String>,
    pub(crate) max_age: Option<std::time::Duration>,
    /// The connection breaks.
    pub(crate) down: bool,
    /// Requests with this entity tag are held until the response changes.
    pub(crate) hold: bool,
    /// Requests that would wait are refused with this status.
    pub(crate) crowded: Option<u16>,
    /// Requests for what came since this version are held until the response changes.
    pub(crate) version: Option<String>,
}

impl IssuerResponse {
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            ..Self::default()
        }
    }

    pub(crate) fn down() -> Self {
        Self {
            down: true,
            ..Self::default()
        }
    }

    pub(crate) fn tagged(self, etag: &str) -> Self {
        Self {
            etag: Some(etag.to_owned()),
            ..self
        }
    }
}

/// The issuer; clones are one.
#[derive(Clone)]
pub(crate) struct FakeIssuer {
    keys: Arc<watch::Sender<IssuerResponse>>,
    feed: Arc<watch::Sender<IssuerResponse>>,
    asked: Arc<Mutex<Vec<FetchRequest>>>,
}

impl FakeIssuer {
    pub(crate) fn new(keys: IssuerResponse) -> Self {
        Self {
            keys: Arc::new(watch::Sender::new(keys)),
            feed: Arc::new(watch::Sender::new(IssuerResponse::down())),
            asked: Arc::default(),
        }
    }

    pub(crate) fn set_keys(&self, response: IssuerResponse) {
        self.keys.send_replace(response);
    }

    pub(crate) fn set_feed(&self, response: IssuerResponse) {
        self.feed.send_replace(response);
    }

    /// The requests whose URL contains this.
    pub(crate) fn asked(&self, what: &str) -> Vec<FetchRequest> {
        self.asked
            .lock()
            .unwrap()
            .iter()
            .filter(|request| request.url.contains(what))
            .cloned()
            .collect()
    }
}

#[async_trait]
impl Fetch for FakeIssuer {
    async fn get(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        self.asked.lock().unwrap().push(request.clone());
        let sender = if request.url.contains("jwks") {
            &self.keys
        } else {
            &self.feed
        };
        let mut responses = sender.subscribe();
        // Requests of the same moment are under way at the same time.
        tokio::task::yield_now().await;
        let mut now = responses.borrow_and_update().clone();
        if request.limit < now.body.len() {
            return Err(FetchError::TooLong);
        }
        if let Some(status) = now.crowded.filter(|_| request.url.contains("wait=")) {
            let body = r#"{"code":"too_many_watchers"}"#;
            return Ok(response(status, None, None, body.to_owned()));
        }
        let since = |version: &String| request.url.contains(&format!("?since={version}&"));
        let held = now.version.as_ref().map_or_else(
            || now.etag == request.etag && request.url.contains("?wait="),
            since,
        );
        if now.hold && held {
            drop(tokio::time::timeout(request.timeout, responses.changed()).await);
            now = responses.borrow().clone();
        }
        if now.down {
            return Err(FetchError::Transport("the network is down".into()));
        }
        if now.etag.is_some() && now.etag == request.etag {
            return Ok(response(304, now.etag, now.max_age, String::new()));
        }
        Ok(response(now.status, now.etag, now.max_age, now.body))
    }
}

fn response(
    status: u16,
    etag: Option<String>,
    max_age: Option<std::time::Duration>,
    body: String,
) -> FetchResponse {
    FetchResponse {
        status,
        etag,
        max_age,
        body: body.into_bytes(),
    }
}
