//! The keys of operators' programs, and what those have asked for already.

use super::StoreError;
use crate::{
    journal::Tell,
    model::{ApiKey, ApiKeyId, Fingerprint, Timestamp},
};
use async_trait::async_trait;
use std::time::Duration;
use uuid::Uuid;

/// A key as a store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredApiKey {
    /// The key.
    pub key: ApiKey,
    /// Of its secret.
    pub fingerprint: Fingerprint,
}

/// The outcome of [`ApiKeys::revoke`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// It is revoked now.
    Revoked,
    /// It had been revoked before; that time stays.
    AlreadyRevoked,
    /// There is no such key.
    NotFound,
}

/// Keeps the keys of operators' programs. The same guarantees as [`super::UserRepository`].
///
/// The contract suite is `revolve_testkit::contract::api_keys`.
#[async_trait]
pub trait ApiKeys: Send + Sync {
    /// Adds a key, whose id MUST be new.
    async fn add(&self, key: &StoredApiKey, tell: &Tell<()>) -> Result<(), StoreError>;

    /// The key with that id, whether or not it still counts.
    async fn find(&self, id: ApiKeyId) -> Result<Option<StoredApiKey>, StoreError>;

    /// Every key, those that do not count any more included, the oldest first.
    async fn list(&self) -> Result<Vec<ApiKey>, StoreError>;

    /// Revokes a key. MUST hold for every [`find`](Self::find) that begins after the answer.
    async fn revoke(
        &self,
        id: ApiKeyId,
        at: Timestamp,
        tell: &Tell<RevokeOutcome>,
    ) -> Result<RevokeOutcome, StoreError>;

    /// Remembers that the key was used in the hour that begins then. MUST NOT set back a later one.
    async fn used(&self, id: ApiKeyId, hour: Timestamp) -> Result<(), StoreError>;
}

/// A request that creates something, by the name that its sender has given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedRequest {
    /// Of its sender and its name.
    pub name: Fingerprint,
    /// Of what it asks for.
    pub content: Fingerprint,
    /// The id of what it creates, unless it comes again.
    pub id: Uuid,
    /// When it came.
    pub at: Timestamp,
}

/// The outcome of [`NamedRequests::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is new, and remembered now.
    New,
    /// It came before; this is the first one. What that creates need not be there: it may not have come to its end.
    Again(NamedRequest),
    /// Another request has that name.
    Other,
}

/// Remembers requests by their names for a day, so that one that comes again creates nothing twice. Of a request only fingerprints are kept.
///
/// The contract suite is `revolve_testkit::contract::named_requests`.
#[async_trait]
pub trait NamedRequests: Send + Sync {
    /// Remembers a request, unless one of that name came within [`REQUESTS_KEPT`] before. Of many that come at once one MUST be new.
    async fn claim(&self, request: &NamedRequest) -> Result<Claim, StoreError>;

    /// Forgets a request that has created nothing and could not: its name is free. MUST NOT forget another one that has the name by now: one of
    /// another content or id.
    async fn release(&self, request: &NamedRequest) -> Result<(), StoreError>;

    /// Deletes up to `limit` requests that came before that time; answers how many.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// How long [`NamedRequests`] are remembered.
pub const REQUESTS_KEPT: Duration = Duration::from_hours(24);
