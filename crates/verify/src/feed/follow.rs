//! The task that follows the feed, and its state.

use super::{
    document::{self, RevocationDocument},
    snapshot::RevocationSnapshot,
};
use crate::{
    claims::{Claims, ExpectedClaims},
    clock::Clock,
    config::{FeedConfig, Stale, VerifierConfig},
    error::VerifyError,
    fetch::{Fetch, FetchError, FetchRequest, FetchResponse},
    key_cache::{KeyCache, error_source},
    task::{Backoff, Task},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// The shortest time between two requests, whatever the issuer does.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug, Default)]
struct FeedState {
    snapshot: Arc<RevocationSnapshot>,
    /// When the issuer last answered as it should.
    confirmed: Option<Instant>,
    /// Whether a request has ended.
    attempted: bool,
}

/// The feed; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct FollowedFeed {
    state: watch::Receiver<FeedState>,
    max_age: Duration,
    stale: Stale,
    timeout: Duration,
}

impl FollowedFeed {
    /// Starts the task.
    pub(crate) fn follow(
        config: &VerifierConfig,
        feed: &FeedConfig,
        expected: &ExpectedClaims,
        keys: KeyCache,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> (Self, Task) {
        let (sender, state) = watch::channel(FeedState::default());
        let follower = FeedFollower {
            url: config.feed_url().unwrap_or_default(),
            wait: feed.wait,
            timeout: config.timeout,
            issuer: expected.issuer.clone(),
            leeway: expected.leeway,
            keys,
            fetch,
            clock,
            sender,
            held: None,
        };
        let feed = Self {
            state,
            max_age: feed.max_age,
            stale: feed.stale,
            timeout: config.timeout,
        };
        (feed, Task::spawn(follower.run()))
    }

    /// Waits until the issuer was asked once, so that a service that has just started knows what is revoked.
    pub(crate) async fn asked(&self) {
        if !self.state.borrow().attempted {
            drop(
                timeout(
                    self.timeout + Duration::from_secs(1),
                    self.state.clone().wait_for(|state| state.attempted),
                )
                .await,
            );
        }
    }

    /// Refuses a token whose session has ended, and every token while the feed is stale if the configuration says so.
    pub(crate) fn check(&self, claims: &Claims) -> Result<(), VerifyError> {
        let state = self.state.borrow();
        if state.snapshot.revokes(claims) {
            return Err(VerifyError::Revoked);
        }
        if self.stale == Stale::Refuse && !self.is_fresh(&state) {
            return Err(VerifyError::Unavailable(None));
        }
        Ok(())
    }

    /// Whether the issuer has answered within the longest age.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_fresh(&self.state.borrow())
    }

    fn is_fresh(&self, state: &FeedState) -> bool {
        state
            .confirmed
            .is_some_and(|confirmed| confirmed.elapsed() <= self.max_age)
    }
}

/// The document that the last answers were about.
struct CurrentDocument {
    etag: String,
    /// Half of its window is left then. From then on a new one is fetched, so that an old one is not confirmed for ever.
    renew_at: u64,
}

/// The background task.
struct FeedFollower {
    url: String,
    wait: Duration,
    timeout: Duration,
    issuer: String,
    leeway: u64,
    keys: KeyCache,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    sender: watch::Sender<FeedState>,
    held: Option<CurrentDocument>,
}

impl FeedFollower {
    async fn run(mut self) {
        let mut backoff = Backoff::new();
        loop {
            let begun = Instant::now();
            let outcome = self.poll().await;
            let pause = match &outcome {
                Ok(Polled::Changed) => {
                    backoff.reset();
                    SHORTEST_PAUSE
                }
                // An issuer that does not hold requests is asked once a second.
                Ok(Polled::Unchanged) => {
                    backoff.reset();
                    Duration::from_secs(1)
                }
                Err(error) => {
                    tracing::warn!(url = self.url, error = %error, source = error_source(error), "the revocation feed can't be fetched");
                    begun.elapsed() + backoff.next()
                }
            };
            self.sender.send_modify(|state| {
                state.attempted = true;
                if outcome.is_ok() {
                    state.confirmed = Some(Instant::now());
                }
            });
            sleep_until(begun + pause).await;
        }
    }

    /// Asks for the document: at once if none is held, else when it has changed or the time is over.
    async fn poll(&mut self) -> Result<Polled, FetchError> {
        let now = self.clock.unix_seconds();
        let held = self.held.take().filter(|held| now < held.renew_at);
        let (url, wait) = match held {
            Some(_) => (
                format!("{}?wait={}", self.url, self.wait.as_secs()),
                self.wait,
            ),
            None => (self.url.clone(), Duration::ZERO),
        };
        let etag = held.as_ref().map(|held| held.etag.clone());
        let request = FetchRequest {
            url,
            accept: "application/jwt",
            etag,
            timeout: self.timeout + wait,
            limit: document::LONGEST,
        };
        let FetchResponse {
            status, etag, body, ..
        } = self.fetch.get(request).await?;
        match status {
            200 => {
                let document = self
                    .read(&body)
                    .await
                    .map_err(|error| FetchError::Document(error.into()))?;
                let now = self.clock.unix_seconds();
                let snapshot = self.sender.borrow().snapshot.with(&document, now);
                tracing::debug!(entries = snapshot.len(), "the revocation feed has changed");
                self.sender
                    .send_modify(|state| state.snapshot = Arc::new(snapshot));
                self.held = etag.map(|etag| CurrentDocument {
                    etag,
                    renew_at: document.exp.saturating_sub(document.window / 2),
                });
                Ok(if self.held.is_some() {
                    Polled::Changed
                } else {
                    Polled::Unchanged
                })
            }
            304 if held.is_some() => {
                self.held = held;
                Ok(Polled::Unchanged)
            }
            status => Err(FetchError::Status(status)),
        }
    }

    async fn read(&self, body: &[u8]) -> Result<RevocationDocument, VerifyError> {
        let text =
            std::str::from_utf8(body).map_err(|_| VerifyError::Malformed("it is no text"))?;
        let jws = document::parse(text.trim_end())?;
        let key = self.keys.find(jws.key_id()).await?;
        RevocationDocument::read(
            &jws,
            &key,
            &self.issuer,
            self.clock.unix_seconds(),
            self.leeway,
        )
    }
}

/// The outcome of a request.
enum Polled {
    /// A document that can be waited on.
    Changed,
    /// The same as before, or one without an entity tag.
    Unchanged,
}
