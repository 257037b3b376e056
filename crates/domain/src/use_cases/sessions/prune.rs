//! Deletion of old rows: sessions whose last token has expired, devices without a sign-in for a year, expired proofs and challenges, old entries of the
//! journal, and requests that can't be repeated any more.

use crate::{
    policy::SessionPolicy,
    ports::{
        Clock, Factors, Journal, NamedRequests, Proofs, REQUESTS_KEPT, SessionRepository,
        StoreError,
    },
    use_cases::parts::ServicePorts,
};
use std::{sync::Arc, time::Duration};

/// Deletes rows of sessions that ended long ago, of expired proofs and of the journal, and forgets devices and requests.
#[derive(Clone)]
pub struct Prune {
    sessions: Arc<dyn SessionRepository>,
    proofs: Arc<dyn Proofs>,
    factors: Arc<dyn Factors>,
    journal: Arc<dyn Journal>,
    retention: Duration,
    requests: Option<Arc<dyn NamedRequests>>,
    clock: Arc<dyn Clock>,
    policy: SessionPolicy,
}

impl Prune {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            sessions: ports.sessions.clone(),
            proofs: ports.proofs.clone(),
            factors: ports.factors.store.clone(),
            journal: ports.journal.clone(),
            retention: ports.journal_retention,
            requests: ports.requests.clone(),
            clock: ports.clock.clone(),
            policy: ports.policy,
        }
    }

    /// Rows stay a day longer than any token could live, so that replicas' clocks need not agree.
    pub const MARGIN: Duration = Duration::from_hours(24);

    /// Challenges stay this much longer than they count. Anybody can begin one, so they go sooner than what is rarer.
    const CHALLENGE_MARGIN: Duration = Duration::from_mins(10);

    /// Rows deleted per call at most, so that no transaction grows large.
    pub const BATCH: u32 = 1000;

    /// Deletes one batch of each; answers the size of the largest.
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
        let proofs = self
            .proofs
            .prune(now.minus(Self::MARGIN), Self::BATCH)
            .await?;
        let entries = self
            .journal
            .prune(now.minus(self.retention), Self::BATCH)
            .await?;
        let requests = match &self.requests {
            Some(requests) => {
                requests
                    .prune(now.minus(REQUESTS_KEPT), Self::BATCH)
                    .await?
            }
            None => 0,
        };
        let factors = self
            .factors
            .prune(
                now.minus(Self::CHALLENGE_MARGIN),
                now.minus(Self::MARGIN),
                Self::BATCH,
            )
            .await?;
        let largest = [factors, sessions, devices, proofs, entries, requests];
        Ok(largest.into_iter().max().unwrap_or_default())
    }
}
