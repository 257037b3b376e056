//! The task that follows the feed, and its state.

use super::{
    document::{self, LONGEST_STATEMENT, RevocationDocument},
    index::{RevocationIndex, SharedIndex},
    packed::{self, PackedDocument},
    status::{FeedHealth, FeedStatus},
};
use crate::{
    claims::{Claims, ExpectedClaims},
    clock::Clock,
    config::{FeedConfig, Stale, VerifierConfig},
    error::VerifyError,
    fetch::{Fetch, FetchError, FetchRequest, FetchResponse},
    jwk_set::VerifyingKey,
    key_cache::{KeyCache, error_source},
    task::{Backoff, Task},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep_until, timeout},
};

/// The shortest time between two requests, whatever the issuer does: what ends meanwhile comes in one answer.
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
/// Without a wait: an issuer that does not hold requests is asked once a second.
const UNHELD_PAUSE: Duration = Duration::from_secs(1);
/// A whole statement may take so many times as long as any other answer.
const WHOLE: u32 = 3;
/// Longer statements are read where they hold up nobody.
const LONG: usize = 64 * 1024;

#[derive(Clone, Debug, Default)]
struct FeedState {
    /// When the issuer last answered as it should.
    confirmed: Option<Instant>,
    /// Whether a request has ended.
    attempted: bool,
    /// Why the issuer's answers can't be taken, until one can.
    behind: Option<Arc<FetchError>>,
    longest: usize,
    statements: u64,
    failures: u64,
    last_failure: Option<Arc<FetchError>>,
}

/// The feed; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct FollowedFeed {
    index: Arc<SharedIndex>,
    state: watch::Receiver<FeedState>,
    max_age: Duration,
    stale: Stale,
    behind: Stale,
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
        let index = Arc::new(SharedIndex::default());
        let follower = FeedFollower {
            url: config.feed_url().unwrap_or_default(),
            wait: feed.wait,
            timeout: config.timeout,
            issuer: expected.issuer.clone(),
            leeway: expected.leeway,
            max_entries: feed.max_entries,
            keys,
            fetch,
            clock,
            index: Arc::clone(&index),
            sender,
            held: HeldStatement::Nothing,
        };
        let feed = Self {
            index,
            state,
            max_age: feed.max_age,
            stale: feed.stale,
            behind: feed.behind,
            timeout: config.timeout,
        };
        (feed, Task::spawn(follower.run()))
    }

    /// Waits until the issuer was asked once, so that a service that has just started knows what is revoked.
    pub(crate) async fn asked(&self) {
        if !self.state.borrow().attempted {
            drop(
                timeout(
                    self.timeout * WHOLE + Duration::from_secs(1),
                    self.state.clone().wait_for(|state| state.attempted),
                )
                .await,
            );
        }
    }

    /// Refuses a token whose session has ended or that is outdated, and every token while it is not known which ones are if the configuration
    /// says so.
    pub(crate) fn check(&self, claims: &Claims) -> Result<(), VerifyError> {
        let (revoked, outdated) = self
            .index
            .read(|index| (index.revokes(claims), index.outdates(claims)));
        if revoked {
            return Err(VerifyError::Revoked);
        }
        if outdated {
            return Err(VerifyError::Outdated);
        }
        let state = self.state.borrow();
        match self.health(&state) {
            FeedHealth::Behind if self.behind == Stale::Refuse => {
                Err(VerifyError::RevocationsUnknown(state.behind.clone()))
            }
            FeedHealth::Starting | FeedHealth::Stale if self.stale == Stale::Refuse => {
                Err(VerifyError::Unavailable(None))
            }
            _ => Ok(()),
        }
    }

    /// Whether the issuer has answered within the longest age.
    pub(crate) fn is_ready(&self) -> bool {
        self.health(&self.state.borrow()) == FeedHealth::Fresh
    }

    pub(crate) fn status(&self) -> FeedStatus {
        let state = self.state.borrow().clone();
        FeedStatus {
            health: self.health(&state),
            age: state.confirmed.map(|confirmed| confirmed.elapsed()),
            entries: self.index.read(RevocationIndex::len),
            longest: state.longest,
            statements: state.statements,
            failures: state.failures,
            last_failure: state.last_failure,
        }
    }

    fn health(&self, state: &FeedState) -> FeedHealth {
        let fresh = state
            .confirmed
            .is_some_and(|confirmed| confirmed.elapsed() <= self.max_age);
        match (fresh, state.attempted, &state.behind) {
            (true, ..) => FeedHealth::Fresh,
            (_, false, _) => FeedHealth::Starting,
            (.., Some(_)) => FeedHealth::Behind,
            (.., None) => FeedHealth::Stale,
        }
    }
}

/// What the next request starts from.
#[derive(Clone)]
enum HeldStatement {
    /// Everything must be asked for.
    Nothing,
    /// A packed statement, or several that continue each other; the issuer says what came since this version.
    Version(String),
    /// A plain statement of an issuer that has no other.
    Plain {
        etag: String,
        /// Half of its window is left then. From then on a new one is fetched, so that an old one is not confirmed for ever.
        renew_at: u64,
    },
}

/// The background task.
struct FeedFollower {
    url: String,
    wait: Duration,
    timeout: Duration,
    issuer: String,
    leeway: u64,
    max_entries: usize,
    keys: KeyCache,
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    index: Arc<SharedIndex>,
    sender: watch::Sender<FeedState>,
    held: HeldStatement,
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
                Ok(Polled::Unchanged) => {
                    backoff.reset();
                    UNHELD_PAUSE
                }
                Err(error) => {
                    tracing::warn!(url = self.url, error = %error, source = error_source(error), "the revocation feed can't be followed");
                    begun.elapsed() + backoff.next()
                }
            };
            self.index.expire(self.clock.unix_seconds());
            self.sender.send_modify(|state| {
                state.attempted = true;
                match outcome {
                    Ok(_) => {
                        state.confirmed = Some(Instant::now());
                        state.behind = None;
                    }
                    Err(error) => {
                        let error = Arc::new(error);
                        state.failures += 1;
                        if error.is_answer() {
                            state.behind = Some(Arc::clone(&error));
                        }
                        state.last_failure = Some(error);
                    }
                }
            });
            sleep_until(begun + pause).await;
        }
    }

    /// Asks for what is not known: at once if nothing is, else as soon as there is something or the time is over.
    async fn poll(&mut self) -> Result<Polled, FetchError> {
        let now = self.clock.unix_seconds();
        if matches!(self.held, HeldStatement::Plain { renew_at, .. } if now >= renew_at) {
            self.held = HeldStatement::Nothing;
        }
        let mut answer = self.fetch.get(self.request(self.wait)).await;
        // Where no more may wait, the answer of now is as good.
        if answer.as_ref().is_ok_and(is_crowded) {
            answer = self.fetch.get(self.request(Duration::ZERO)).await;
        }
        // A version is still good if there is no answer; if there is one that can't be taken, all is asked for again.
        let held = match &self.held {
            HeldStatement::Plain { .. } => {
                std::mem::replace(&mut self.held, HeldStatement::Nothing)
            }
            held => held.clone(),
        };
        let FetchResponse {
            status, etag, body, ..
        } = answer?;
        match status {
            200 => {
                let length = body.len();
                let taken = self.take(body, etag, &held).await;
                if taken.is_err() {
                    self.held = HeldStatement::Nothing;
                }
                let polled = taken?;
                self.sender.send_if_modified(|state| {
                    state.statements += 1;
                    state.longest = state.longest.max(length);
                    false
                });
                Ok(polled)
            }
            304 if matches!(held, HeldStatement::Plain { .. }) => {
                self.held = held;
                Ok(Polled::Unchanged)
            }
            503 if has_code(&body, "statement_too_long") => Err(FetchError::TooLong),
            // A version that is not understood is not asked for again, whoever refused it.
            status @ (400 | 404 | 410 | 414 | 422 | 431) => {
                self.held = HeldStatement::Nothing;
                Err(FetchError::Status(status))
            }
            status => Err(FetchError::Status(status)),
        }
    }

    /// Asks for what is not known, which may be held so long until there is something.
    fn request(&self, wait: Duration) -> FetchRequest {
        let url = &self.url;
        let wait_for = |separator: char| match wait.as_secs() {
            0 => String::new(),
            seconds => format!("{separator}wait={seconds}"),
        };
        let (url, etag, timeout) = match &self.held {
            HeldStatement::Nothing => (format!("{url}?since=0"), None, self.timeout * WHOLE),
            HeldStatement::Version(version) => (
                format!("{url}?since={version}{}", wait_for('&')),
                None,
                // What was asked for may be answered by the whole.
                self.timeout * WHOLE + wait,
            ),
            HeldStatement::Plain { etag, .. } => (
                format!("{url}{}", wait_for('?')),
                Some(etag.clone()),
                self.timeout + wait,
            ),
        };
        FetchRequest {
            url,
            accept: "application/vnd.revolve.revocations, application/jwt",
            etag,
            timeout,
            limit: LONGEST_STATEMENT,
        }
    }

    /// Takes in what the issuer answered.
    async fn take(
        &mut self,
        body: Vec<u8>,
        etag: Option<String>,
        held: &HeldStatement,
    ) -> Result<Polled, FetchError> {
        let text = String::from_utf8(body)
            .map_err(|_| unacceptable(VerifyError::Malformed("it is no text")))?;
        let key_id = key_id(&text).map_err(unacceptable)?;
        let key = self.keys.find(&key_id).await.map_err(|error| {
            if error.is_unavailable() {
                FetchError::Transport(error.into())
            } else {
                unacceptable(error)
            }
        })?;
        let addition = Addition {
            index: Arc::clone(&self.index),
            key,
            issuer: self.issuer.clone(),
            now: self.clock.unix_seconds(),
            leeway: self.leeway,
            max_entries: self.max_entries,
            known: match held {
                HeldStatement::Version(version) => Some(version.clone()),
                _ => None,
            },
        };
        let long = text.len() > LONG;
        let add = move || addition.add(text.trim_end(), etag);
        let (held, polled) = if long {
            spawn_blocking(add)
                .await
                .map_err(|error| FetchError::Document(error.into()))??
        } else {
            add()?
        };
        self.held = held;
        Ok(polled)
    }
}

/// What it takes to add a statement to the index.
struct Addition {
    index: Arc<SharedIndex>,
    key: Arc<VerifyingKey>,
    issuer: String,
    now: u64,
    leeway: u64,
    max_entries: usize,
    /// The version that the issuer was asked about.
    known: Option<String>,
}

impl Addition {
    /// Blocks for as long as a statement takes.
    fn add(self, text: &str, etag: Option<String>) -> Result<(HeldStatement, Polled), FetchError> {
        match packed::split(text) {
            Some((signed, ids)) => self.add_packed(signed, ids),
            None => self.add_plain(text, etag),
        }
    }

    fn add_packed(self, signed: &str, ids: &str) -> Result<(HeldStatement, Polled), FetchError> {
        let document = packed::parse(signed)
            .and_then(|jws| PackedDocument::read(&jws, ids, &self.key, &self.issuer, self.now))
            .map_err(unacceptable)?;
        if document.since.is_some() && document.since != self.known {
            return Err(unacceptable(VerifyError::Malformed(
                "it does not continue what was asked about",
            )));
        }
        self.expect(document.len(), || {
            self.index.new_in_packed(&document, self.leeway)
        })?;
        self.index.add_packed(&document, self.leeway);
        let polled = if document.len() > 0 || document.since.is_none() {
            Polled::Changed
        } else {
            Polled::Unchanged
        };
        Ok((HeldStatement::Version(document.version), polled))
    }

    fn add_plain(
        self,
        text: &str,
        etag: Option<String>,
    ) -> Result<(HeldStatement, Polled), FetchError> {
        let document = document::parse(text)
            .and_then(|jws| RevocationDocument::read(&jws, &self.key, &self.issuer, self.now))
            .map_err(unacceptable)?;
        let named = document.sessions.len() + document.users.len() + document.outdated.len();
        self.expect(named, || self.index.new_in_plain(&document))?;
        self.index.add_plain(&document);
        Ok(match etag {
            Some(etag) => {
                let renew_at = document.exp.saturating_sub(document.window / 2);
                (HeldStatement::Plain { etag, renew_at }, Polled::Changed)
            }
            None => (HeldStatement::Nothing, Polled::Unchanged),
        })
    }

    /// Makes sure that there is room for what a statement names, of which `new` counts what is not known yet.
    fn expect(&self, named: usize, new: impl FnOnce() -> usize) -> Result<(), FetchError> {
        self.index.expire(self.now);
        let known = self.index.read(RevocationIndex::len);
        let has_room_for = |more| known.saturating_add(more) <= self.max_entries;
        // Counting takes as long as adding, and is almost never necessary.
        if has_room_for(named) || has_room_for(new()) {
            return Ok(());
        }
        Err(FetchError::TooMany(self.max_entries))
    }
}

/// The key that a statement of either form says it was signed with.
fn key_id(text: &str) -> Result<String, VerifyError> {
    let jws = match packed::split(text) {
        Some((signed, _)) => packed::parse(signed),
        None => document::parse(text.trim_end()),
    }?;
    Ok(jws.key_id().to_owned())
}

fn unacceptable(error: VerifyError) -> FetchError {
    FetchError::Document(error.into())
}

/// Whether as many wait as may.
fn is_crowded(answer: &FetchResponse) -> bool {
    matches!(answer.status, 429 | 503) && has_code(&answer.body, "too_many_watchers")
}

/// Whether the issuer refuses for this reason.
fn has_code(problem: &[u8], code: &str) -> bool {
    #[derive(Deserialize)]
    struct RefusalBody {
        code: String,
    }
    serde_json::from_slice::<RefusalBody>(problem).is_ok_and(|problem| problem.code == code)
}

/// The outcome of a request.
enum Polled {
    /// A document that can be waited on.
    Changed,
    /// The same as before, or one without an entity tag.
    Unchanged,
}
