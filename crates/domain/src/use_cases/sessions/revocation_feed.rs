//! The revocations that services need which verify ID tokens offline.

use crate::{
    model::Timestamp,
    policy::SessionPolicy,
    ports::{Clock, SessionRepository, StoreError},
    revocations::{CROWDED, FeedVersion, RevocationQuery, RevocationRead, window},
    use_cases::parts::ServicePorts,
};
use std::{sync::Arc, time::Duration};

/// Reads what was revoked while an ID token of it may still be alive.
#[derive(Clone)]
pub struct RevocationFeed {
    sessions: Arc<dyn SessionRepository>,
    clock: Arc<dyn Clock>,
    policy: SessionPolicy,
}

impl RevocationFeed {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            sessions: ports.sessions.clone(),
            clock: ports.clock.clone(),
            policy: ports.policy,
        }
    }

    /// How far back a statement reaches, in whole seconds.
    pub fn window(&self) -> Duration {
        window(self.policy.id_lifetime)
    }

    /// The instant by which a read that begins now is dated.
    pub fn now(&self) -> Timestamp {
        self.clock.now().whole_second()
    }

    /// Reads what was revoked, or only what the read of that version has not seen. The read is dated before it begins, so
    /// that it never claims to know more than it does.
    ///
    /// # Errors
    /// When the user database fails. Then the next read must be whole: the database may be another one afterwards.
    pub async fn execute(&self, known: Option<&FeedVersion>) -> Result<RevocationRead, StoreError> {
        let (as_of, window) = (self.now(), self.window());
        let mut query = RevocationQuery {
            since: as_of.minus(window),
            unseen_by: known.map(|known| known.snapshot.clone()),
            crowded: CROWDED,
        };
        let mut revocations = self.sessions.revoked(&query).await?;
        let undone = known.is_some_and(|known| known.snapshot.is_undone_by(&revocations.snapshot));
        if undone {
            query.unseen_by = None;
            revocations = self.sessions.revoked(&query).await?;
        }
        Ok(RevocationRead {
            as_of,
            window,
            whole: query.unseen_by.is_none(),
            revocations,
        })
    }
}
