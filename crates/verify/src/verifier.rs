//! The entry point of the library.

use crate::{
    authentication::{InsufficientAuthentication, RequiredAuthentication},
    claims::{Claims, ExpectedClaims},
    clock::Clock,
    config::{VerifierConfig, VerifierConfigError},
    error::VerifyError,
    feed::{FeedStatus, FollowedFeed},
    fetch::Fetch,
    jwk_set::{JwkSet, VerifyingKey},
    jws::{Jws, LONGEST_TOKEN},
    key_cache::KeyCache,
    task::Task,
};
use std::{fmt, sync::Arc};

/// The `typ` of an ID token (RFC 7519 §5.1), in exactly this spelling.
const TYPE: &str = "JWT";

/// Verifies ID tokens. Clones share keys, feed and background tasks; the tasks end with the last clone.
#[derive(Clone)]
pub struct Verifier(Arc<VerifierInner>);

struct VerifierInner {
    expected: ExpectedClaims,
    keys: KeyCache,
    feed: Option<FollowedFeed>,
    clock: Arc<dyn Clock>,
    _tasks: Vec<Task>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("expected", &self.0.expected)
            .finish_non_exhaustive()
    }
}

impl Verifier {
    /// Starts, fetching over HTTP. The issuer need not be up: until it answers, [`Verifier::verify`] says
    /// [`VerifyError::Unavailable`].
    ///
    /// # Errors
    /// [`VerifierConfigError`].
    ///
    /// # Panics
    /// Outside a Tokio runtime. The runtime must live as long as the service: the tasks run there.
    #[cfg(feature = "http")]
    pub fn start(config: &VerifierConfig) -> Result<Self, VerifierConfigError> {
        let fetch = crate::fetch::HttpFetch::new().map_err(VerifierConfigError::Client)?;
        Self::start_with(config, Arc::new(fetch), Arc::new(crate::SystemClock))
    }

    /// Starts with your own client and clock.
    ///
    /// # Errors
    /// [`VerifierConfigError`].
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start_with(
        config: &VerifierConfig,
        fetch: Arc<dyn Fetch>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, VerifierConfigError> {
        config.check()?;
        let expected = expected(config);
        let (keys, keeper) = KeyCache::follow(config, Arc::clone(&fetch));
        let mut tasks = vec![keeper];
        let feed = config.feed.as_ref().map(|feed| {
            let (feed, follower) = FollowedFeed::follow(
                config,
                feed,
                &expected,
                keys.clone(),
                fetch,
                Arc::clone(&clock),
            );
            tasks.push(follower);
            feed
        });
        Ok(Self(Arc::new(VerifierInner {
            expected,
            keys,
            feed,
            clock,
            _tasks: tasks,
        })))
    }

    /// With keys that never change and no feed: fetches nothing, needs no runtime.
    pub fn with_keys(config: &VerifierConfig, keys: JwkSet, clock: Arc<dyn Clock>) -> Self {
        let keys = KeyCache::fixed(config, keys);
        Self(Arc::new(VerifierInner {
            expected: expected(config),
            keys,
            feed: None,
            clock,
            _tasks: Vec::new(),
        }))
    }

    /// Verifies an ID token. It makes no request, except when the key is not known: then the key set is fetched, once for all waiting
    /// calls, and at most every [`VerifierConfig::unknown_key_interval`].
    ///
    /// # Errors
    /// [`VerifyError`]. For [`VerifyError::Unavailable`] answer 503, for all others 401.
    pub async fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        let jws = Jws::parse(token, TYPE, LONGEST_TOKEN)?;
        let key = self.0.keys.find(jws.key_id()).await?;
        if let Some(feed) = &self.0.feed {
            feed.asked().await;
        }
        self.judge(&jws, &key)
    }

    /// Verifies with the keys in memory and never waits.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`VerifyError::UnknownKey`] for keys that a fetch would bring.
    pub fn verify_at_hand(&self, token: &str) -> Result<Claims, VerifyError> {
        let jws = Jws::parse(token, TYPE, LONGEST_TOKEN)?;
        let key = self.0.keys.at_hand(jws.key_id())?;
        self.judge(&jws, &key)
    }

    /// Whether the user of a token was authenticated as an operation requires, by this verifier's clock: now, however long ago the token was
    /// verified.
    ///
    /// # Errors
    /// [`InsufficientAuthentication`]: answer 401 with its challenge.
    pub fn require_authentication(
        &self,
        claims: &Claims,
        required: &RequiredAuthentication,
    ) -> Result<(), InsufficientAuthentication> {
        let now = self.0.clock.unix_seconds();
        required.check(claims, now, self.0.expected.leeway)
    }

    /// Whether the key set was fetched and the feed, if it is followed, is not stale: for a readiness check.
    pub fn is_ready(&self) -> bool {
        self.0.keys.is_ready() && self.0.feed.as_ref().is_none_or(FollowedFeed::is_ready)
    }

    /// How well the feed is followed, for metrics; `None` without one.
    pub fn feed_status(&self) -> Option<FeedStatus> {
        self.0.feed.as_ref().map(FollowedFeed::status)
    }

    fn judge(&self, jws: &Jws<'_>, key: &VerifyingKey) -> Result<Claims, VerifyError> {
        let claims = Claims::parse(
            &jws.verify(key)?,
            &self.0.expected,
            self.0.clock.unix_seconds(),
        )?;
        if let Some(feed) = &self.0.feed {
            feed.check(&claims)?;
        }
        Ok(claims)
    }
}

fn expected(config: &VerifierConfig) -> ExpectedClaims {
    ExpectedClaims {
        issuer: config.issuer.clone(),
        audience: config.audience.clone(),
        leeway: config.leeway.as_secs(),
    }
}
