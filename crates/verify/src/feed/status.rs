//! How well the feed is followed, for metrics and for people.

use crate::fetch::FetchError;
use std::{sync::Arc, time::Duration};

/// How well the feed is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeedHealth {
    /// The issuer has not been asked yet.
    Starting,
    /// What is revoked is known, as of at most [`crate::FeedConfig::max_age`] ago.
    Fresh,
    /// The issuer has not answered for longer: [`crate::FeedConfig::stale`] decides.
    Stale,
    /// The issuer answers, but its answers can't be taken, because they are too long, too many or not understood:
    /// [`crate::FeedConfig::behind`] decides.
    Behind,
}

impl FeedHealth {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Starting, Self::Fresh, Self::Stale, Self::Behind];

    /// A label for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Fresh => "fresh",
            Self::Stale => "stale",
            Self::Behind => "behind",
        }
    }
}

/// The state of a followed feed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FeedStatus {
    /// How well it is followed.
    pub health: FeedHealth,
    /// How long ago the issuer last said what is revoked; `None` if it never did.
    pub age: Option<Duration>,
    /// Sessions and users whose tokens are refused.
    pub entries: usize,
    /// The length of the longest statement so far, in bytes, of [`crate::LONGEST_STATEMENT`].
    pub longest: usize,
    /// Statements that were taken.
    pub statements: u64,
    /// Requests that failed, or whose answer could not be taken.
    pub failures: u64,
    /// Why the last of them failed.
    pub last_failure: Option<Arc<FetchError>>,
}
