//! The revocation feed: a signed document that lists the sessions which ended, and the users whose epoch rose, within the last life of
//! an ID token. A token that was issued before and would still be good is refused here as soon as the feed says so.

mod document;
mod follow;
mod snapshot;

pub(crate) use follow::Feed;

use std::time::Duration;

/// How to follow the feed.
#[derive(Clone, Debug)]
pub struct FeedConfig {
    /// Where it is. Default: below the issuer, `/.well-known/revocations`.
    pub url: Option<String>,
    /// How long the issuer may hold a request until something changes, in whole seconds. Default: 25 s, which most proxies allow.
    pub wait: Duration,
    /// From which age on the feed is stale: so long without an answer. Default: 60 s; more than `wait` plus the timeout.
    pub max_age: Duration,
    /// What to do with tokens while it is stale. Default: [`Stale::Accept`].
    pub stale: Stale,
}

/// What to do with a token that is good by itself while nothing new is known about revocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stale {
    /// Accept it, unless what is known already revokes it: an outage of the issuer does not become one of this service, and a
    /// sign-out counts at the latest when the token expires (15 min), as without a feed.
    #[default]
    Accept,
    /// Refuse it with [`crate::VerifyError::Unavailable`] (503): no token outlives its session by more than `max_age`, and this service
    /// works only while the issuer does.
    Refuse,
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            url: None,
            wait: Duration::from_secs(25),
            max_age: Duration::from_mins(1),
            stale: Stale::default(),
        }
    }
}
