//! The contract suites: what every adapter of a port must do, one test case per guarantee.
//!
//! Write a function that makes a subject and call a macro with its name. Each case makes its own subject, uses fresh ids and
//! touches nothing else in the store, so that all cases can run against one shared database at once:
//!
//! ```
//! use revolve_testkit::contract::MemorySubject;
//!
//! async fn make() -> MemorySubject {
//!     MemorySubject::new()
//! }
//!
//! revolve_testkit::tokens_contract!(make);
//! # fn main() {}
//! ```
//!
//! The macros expand to `#[tokio::test]` functions: the calling crate needs `tokio` with `macros` and
//! `rt-multi-thread`. Cases leave seconds of slack around every window, because time passes in a real store.

#[macro_use]
mod macros;

mod accounts;
pub mod api_keys;
pub mod crypto;
pub mod deliveries;
pub mod directory;
pub mod factors;
mod given;
pub mod histories;
pub mod journal;
pub mod keys;
pub mod limits;
mod memory;
pub mod named_requests;
pub mod proofs;
pub mod revoked_keys;
pub mod sessions;
pub mod tokens;
pub mod users;
pub mod webhooks;

use async_trait::async_trait;
pub use memory::MemorySubject;
use revolve_domain::{
    limits::Bucket,
    model::{SessionId, Timestamp, UserId},
    ports::{
        AccountDirectory, ApiKeys, Deliveries, Factors, Journal, KeyRepository, NamedRequests,
        Proofs, RateLimiter, SessionRepository, TokenRepository, UserRepository, Webhooks,
    },
    rotation::LiveToken,
};
use std::{sync::Arc, time::Duration};

/// A white list under test.
#[async_trait]
pub trait TokensSubject: Send + Sync {
    /// The adapter; the same store each time.
    fn repository(&self) -> Arc<dyn TokenRepository>;

    /// Makes the store believe that `by` has passed for this user: moves a fake clock, or shifts the times and TTLs of
    /// the user's entries.
    async fn advance(&self, user: UserId, by: Duration);
}

/// A white list that can also lose acknowledged writes, for [`histories`].
#[async_trait]
pub trait HistorySubject: TokensSubject {
    /// Replaces the session's entry, of whatever generation, by `state`, as a failover or an old file would. `None` removes it.
    /// Nothing else of the user changes.
    async fn roll_back(&self, user: UserId, session: SessionId, state: Option<StoredToken>);
}

/// A former entry of a session, with times relative to now, so that it can be written on any clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredToken {
    /// The white-listed token.
    pub token: LiveToken,
    /// The `iat` claim of the token that it replaced, if it replaced one.
    pub parent_issued_at: Option<Timestamp>,
    /// The session's epoch.
    pub epoch: revolve_domain::model::Epoch,
    /// How long ago this generation was written, on the store's clock.
    pub age: Duration,
    /// The time until the entry expires, on the store's clock; more than zero.
    pub remaining: Duration,
    /// How many generations in a row were retried late.
    pub late: u32,
    /// Whether the current generation has been counted in `late`.
    pub charged: bool,
    /// Whether reuse was found.
    pub reused: bool,
}

/// A user database under test: always one store that implements both ports.
#[async_trait]
pub trait AccountsSubject: Send + Sync {
    /// The accounts.
    fn users(&self) -> Arc<dyn UserRepository>;

    /// The sessions' rows.
    fn sessions(&self) -> Arc<dyn SessionRepository>;
}

/// A user database under test that also implements the port of operators.
pub trait DirectorySubject: JournalSubject {
    /// The same accounts, for operators.
    fn directory(&self) -> Arc<dyn AccountDirectory>;
}

/// A user database under test that also keeps API keys and named requests.
pub trait ApiKeysSubject: JournalSubject {
    /// The keys of the same store.
    fn api_keys(&self) -> Arc<dyn ApiKeys>;

    /// The requests of the same store.
    fn named_requests(&self) -> Arc<dyn NamedRequests>;
}

/// A user database under test that also keeps proofs.
pub trait ProofsSubject: DeliveriesSubject + JournalSubject {
    /// Those of the same accounts.
    fn proofs(&self) -> Arc<dyn Proofs>;
}

/// A user database under test that also keeps factors.
pub trait FactorsSubject: ProofsSubject {
    /// Those of the same accounts.
    fn factors(&self) -> Arc<dyn Factors>;
}

/// A user database under test that also has the journal.
pub trait JournalSubject: AccountsSubject {
    /// The journal of the same accounts.
    fn journal(&self) -> Arc<dyn Journal>;
}

/// The keys of a user database under test. Unlike the other subjects it is empty and not shared: a use has one active key
/// per store.
pub trait KeysSubject: Send + Sync {
    /// The adapter; the same store each time.
    fn keys(&self) -> Arc<dyn KeyRepository>;

    /// The journal of the same store.
    fn journal_of_keys(&self) -> Arc<dyn Journal>;
}

/// An outbox under test. It is empty and not shared: any lease takes what is due.
pub trait DeliveriesSubject: JournalSubject {
    /// The outbox of the same accounts.
    fn deliveries(&self) -> Arc<dyn Deliveries>;
}

/// Webhooks under test. The store is empty and not shared.
pub trait WebhooksSubject: JournalSubject {
    /// The webhooks of the same database.
    fn webhooks(&self) -> Arc<dyn Webhooks>;
}

/// A limiter under test.
#[async_trait]
pub trait LimitsSubject: Send + Sync {
    /// The adapter; the same store each time.
    fn limiter(&self) -> Arc<dyn RateLimiter>;

    /// Makes the store believe that `by` has passed for these buckets: moves a fake clock, or shifts their times and TTLs.
    async fn advance(&self, buckets: &[Bucket], by: Duration);
}
