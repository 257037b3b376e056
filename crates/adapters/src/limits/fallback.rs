//! Shared buckets, and local ones while the shared ones can't be reached.

use super::LocalLimits;
use async_trait::async_trait;
use revolve_domain::ports::{RateLimiter, StoreError, StoreErrorKind, Take, TakeOutcome};
use std::sync::Arc;

/// Counts in a store that all replicas share; while it is not available, each replica counts for itself. So an outage of that store
/// neither stops those who need no more of it (a password is changed without Redis) nor lets anybody guess without limit: with so
/// many replicas there are as many times the attempts, and no more.
pub struct FallbackLimits<S> {
    shared: Arc<S>,
    local: LocalLimits,
}

impl<S: RateLimiter> FallbackLimits<S> {
    /// Counts in `shared` as long as it answers.
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

    /// What was taken on one side may be given back on the other if the store went or came in between: at most one of a bucket.
    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        match self.shared.give_back(takes).await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.local.give_back(takes).await
            }
            done => done,
        }
    }
}
