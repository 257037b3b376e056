//! Rows of sessions whose last token could not be alive any more, and devices that were not signed in on for a year.

use crate::{
    policy::SessionPolicy,
    ports::{Clock, SessionRepository, StoreError},
};
use std::{sync::Arc, time::Duration};

/// Deletes rows of sessions that are long over, and forgets devices.
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

    /// Deletes one batch of either and answers how many rows went of the larger.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn execute(&self) -> Result<u64, StoreError> {
        let longest = self.policy.refresh_lifetime.max(self.policy.id_lifetime);
        let now = self.clock.now();
        let devices = self
            .sessions
            .prune_devices(now.minus(SessionPolicy::DEVICE_LIFETIME), Self::BATCH)
            .await?;
        let sessions = self
            .sessions
            .prune(now.minus(longest + Self::MARGIN), Self::BATCH)
            .await?;
        Ok(sessions.max(devices))
    }
}
