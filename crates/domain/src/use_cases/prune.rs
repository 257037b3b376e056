//! Rows of sessions whose last token could not be alive any more.

use crate::{
    policy::SessionPolicy,
    ports::{Clock, SessionRepository, StoreError},
};
use std::{sync::Arc, time::Duration};

/// Deletes rows of sessions that are long over.
pub struct Prune {
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// The lifetimes.
    pub policy: SessionPolicy,
}

impl Prune {
    /// Rows stay a day longer than any token could live, so that replicas' clocks need not agree.
    pub const MARGIN: Duration = Duration::from_hours(24);

    /// Rows deleted per call at most, so that no transaction grows large.
    pub const BATCH: u32 = 1000;

    /// Deletes one batch and answers how many rows went.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn execute(&self) -> Result<u64, StoreError> {
        let longest = self.policy.refresh_lifetime.max(self.policy.id_lifetime);
        self.sessions.prune(self.clock.now().minus(longest + Self::MARGIN), Self::BATCH).await
    }
}
