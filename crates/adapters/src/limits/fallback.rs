//! Shared buckets, and local ones while the shared store is unavailable.

use super::LocalLimits;
use async_trait::async_trait;
use revolve_domain::ports::{RateLimiter, StoreError, StoreErrorKind, Take, TakeOutcome};
use std::sync::Arc;

/// Counts in a store that all replicas share; while that is unavailable, each replica counts for itself. An outage then neither blocks what
/// needs nothing else from the store (changing a password does not need Redis) nor removes the limits: n replicas allow n times the
/// attempts.
pub struct FallbackLimits<S> {
    shared: Arc<S>,
    local: LocalLimits,
}

impl<S: RateLimiter> FallbackLimits<S> {
    /// Counts in `shared`, and in `local` while that is unavailable.
    pub const fn new(shared: Arc<S>, local: LocalLimits) -> Self {
        Self { shared, local }
    }
}

#[async_trait]
impl<S: RateLimiter> RateLimiter for FallbackLimits<S> {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        match self.shared.take(takes).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                tracing::debug!(%error, "limits are counted in this process for now");
                self.local.take(takes).await
            }
            outcome => outcome,
        }
    }

    /// If the store fails or recovers between taking and giving back, the other side is given one that it did not lose.
    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        match self.shared.give_back(takes).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.local.give_back(takes).await
            }
            done => done,
        }
    }
}
