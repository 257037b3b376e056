//! An issuer without a network: tests say what it answers, and see what it was asked.

use async_trait::async_trait;
use revolve_verify::fetch::{Fetch, FetchError, FetchRequest, FetchResponse};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

/// What the issuer does with the next requests to one path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) etag: Option<String>,
    pub(crate) max_age: Option<std::time::Duration>,
    /// The connection breaks.
    pub(crate) down: bool,
    /// Answers to this entity tag are held until something else is told.
    pub(crate) hold: bool,
}

impl Told {
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
pub(crate) struct Fake {
    keys: Arc<watch::Sender<Told>>,
    feed: Arc<watch::Sender<Told>>,
    asked: Arc<Mutex<Vec<FetchRequest>>>,
}

impl Fake {
    pub(crate) fn new(keys: Told) -> Self {
        Self {
            keys: Arc::new(watch::Sender::new(keys)),
            feed: Arc::new(watch::Sender::new(Told::down())),
            asked: Arc::default(),
        }
    }

    pub(crate) fn tell_keys(&self, told: Told) {
        self.keys.send_replace(told);
    }

    pub(crate) fn tell_feed(&self, told: Told) {
        self.feed.send_replace(told);
    }

    /// The requests whose URL has this in it.
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
impl Fetch for Fake {
    async fn get(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        self.asked.lock().unwrap().push(request.clone());
        let sender = if request.url.contains("jwks") {
            &self.keys
        } else {
            &self.feed
        };
        let mut told = sender.subscribe();
        // Everybody who asks at the same moment is on the way at the same time.
        tokio::task::yield_now().await;
        let mut now = told.borrow_and_update().clone();
        if now.hold && now.etag == request.etag {
            drop(tokio::time::timeout(request.timeout, told.changed()).await);
            now = told.borrow().clone();
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
