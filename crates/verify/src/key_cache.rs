//! The key set in memory, and the task that keeps it fresh. Only that task fetches it, so that many tokens which wait for a key cost one
//! request.

use crate::{
    config::VerifierConfig,
    error::VerifyError,
    fetch::{Fetch, FetchError, FetchRequest, FetchResponse},
    jwk_set::{JwkSet, VerifyingKey},
    task::{Backoff, Task},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, timeout},
};

/// The most bytes of a key set.
const LONGEST: usize = 256 * 1024;
/// The bounds of what counts as `max-age`.
const SHORTEST_AGE: Duration = Duration::from_secs(10);
const LONGEST_AGE: Duration = Duration::from_hours(1);

#[derive(Clone, Debug, Default)]
struct CachedKeys {
    /// Empty until a first fetch succeeds.
    keys: Arc<JwkSet>,
    /// When a fetch last succeeded.
    confirmed: Option<Instant>,
    /// When a fetch last ended.
    attempted: Option<Instant>,
    /// Why the last fetch failed, if it did.
    failure: Option<Arc<FetchError>>,
}

/// The keys in memory; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct KeyCache {
    state: watch::Receiver<CachedKeys>,
    wanted: Arc<Notify>,
    settings: Arc<CacheSettings>,
}

#[derive(Debug)]
struct CacheSettings {
    url: String,
    cache_time: Duration,
    interval: Duration,
    outage: Duration,
    timeout: Duration,
}

impl KeyCache {
    /// Starts the task.
    pub(crate) fn follow(config: &VerifierConfig, fetch: Arc<dyn Fetch>) -> (Self, Task) {
        let (sender, keys) = Self::new(config, CachedKeys::default());
        let refresher = KeyRefresher {
            fetch,
            sender,
            wanted: Arc::clone(&keys.wanted),
            settings: Arc::clone(&keys.settings),
            etag: None,
        };
        (keys, Task::spawn(refresher.run()))
    }

    /// Keys that never change.
    pub(crate) fn fixed(config: &VerifierConfig, keys: JwkSet) -> Self {
        let mut settings = config.clone();
        settings.outage = Duration::MAX;
        let now = Some(Instant::now());
        Self::new(
            &settings,
            CachedKeys {
                keys: Arc::new(keys),
                confirmed: now,
                attempted: now,
                failure: None,
            },
        )
        .1
    }

    fn new(config: &VerifierConfig, state: CachedKeys) -> (watch::Sender<CachedKeys>, Self) {
        let (sender, state) = watch::channel(state);
        let settings = CacheSettings {
            url: config.jwks_url.clone(),
            cache_time: config.cache_time,
            interval: config.unknown_key_interval,
            outage: config.outage,
            timeout: config.timeout,
        };
        (
            sender,
            Self {
                state,
                wanted: Arc::default(),
                settings: Arc::new(settings),
            },
        )
    }

    /// The key, if it is in memory.
    pub(crate) fn at_hand(&self, key_id: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let state = self.state.borrow();
        let usable = state
            .confirmed
            .is_some_and(|confirmed| confirmed.elapsed() <= self.settings.outage);
        match state.keys.get(key_id) {
            Some(key) if usable => Ok(Arc::clone(key)),
            // That there is no such key is known only while the issuer answers.
            None if usable && state.failure.is_none() => Err(VerifyError::UnknownKey),
            _ => Err(VerifyError::Unavailable(state.failure.clone())),
        }
    }

    /// The key, after a fetch if it is not in memory and the last fetch is long enough ago.
    pub(crate) async fn find(&self, key_id: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let mut state = self.state.clone();
        let recent = {
            let seen = state.borrow_and_update();
            seen.attempted
                .is_some_and(|attempted| attempted.elapsed() < self.settings.interval)
        };
        let found = self.at_hand(key_id);
        if found.is_ok() || recent {
            return found;
        }
        self.wanted.notify_one();
        // If no answer comes in time, the keys in memory decide.
        drop(
            timeout(
                self.settings.timeout + Duration::from_secs(1),
                state.changed(),
            )
            .await,
        );
        self.at_hand(key_id)
    }

    /// Whether a key set has been fetched.
    pub(crate) fn is_ready(&self) -> bool {
        self.state.borrow().confirmed.is_some()
    }
}

/// The background task.
struct KeyRefresher {
    fetch: Arc<dyn Fetch>,
    sender: watch::Sender<CachedKeys>,
    wanted: Arc<Notify>,
    settings: Arc<CacheSettings>,
    etag: Option<String>,
}

impl KeyRefresher {
    async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            let outcome = self.refresh().await;
            let wait = match &outcome {
                Ok(max_age) => {
                    backoff.reset();
                    max_age
                        .unwrap_or(self.settings.cache_time)
                        .clamp(SHORTEST_AGE, LONGEST_AGE)
                }
                Err(error) => {
                    tracing::warn!(url = self.settings.url, error = %error, source = error_source(error), "the key set can't be fetched");
                    backoff.next()
                }
            };
            // Calls that asked until now get this answer.
            drop(timeout(Duration::ZERO, self.wanted.notified()).await);
            self.sender.send_modify(|state| {
                let now = Instant::now();
                state.attempted = Some(now);
                match outcome {
                    Ok(_) => (state.confirmed, state.failure) = (Some(now), None),
                    Err(error) => state.failure = Some(Arc::new(error)),
                }
            });
            let asked = async {
                self.wanted.notified().await;
                let ended = self.sender.borrow().attempted.unwrap_or_else(Instant::now);
                tokio::time::sleep_until(ended + self.settings.interval).await;
            };
            drop(timeout(wait, asked).await);
        }
    }

    /// Fetches the key set. Answers its `max-age`.
    async fn refresh(&mut self) -> Result<Option<Duration>, FetchError> {
        let request = FetchRequest {
            url: self.settings.url.clone(),
            accept: "application/jwk-set+json, application/json",
            etag: self.etag.clone(),
            timeout: self.settings.timeout,
            limit: LONGEST,
        };
        let FetchResponse {
            status,
            etag,
            max_age,
            body,
        } = self.fetch.get(request).await?;
        match status {
            200 => {
                let keys =
                    JwkSet::from_json(&body).map_err(|error| FetchError::Document(error.into()))?;
                tracing::debug!(keys = keys.len(), "fetched the key set");
                // Published with the outcome, in `run`.
                self.sender.send_if_modified(|state| {
                    state.keys = Arc::new(keys);
                    false
                });
                self.etag = etag;
                Ok(max_age)
            }
            304 if self.etag.is_some() => Ok(max_age),
            status => Err(FetchError::Status(status)),
        }
    }
}

pub(crate) fn error_source(error: &FetchError) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
