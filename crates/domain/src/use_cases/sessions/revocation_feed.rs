//! The revocations that services need which verify ID tokens offline.

use crate::{
    policy::SessionPolicy,
    ports::{Clock, RevocationStatement, SessionRepository, StoreError},
    use_cases::parts::ServicePorts,
};
use std::{sync::Arc, time::Duration};

/// States what was revoked within the last ID-token life.
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

    /// An end stays listed for this much longer than an ID token lives, so that clocks need not agree.
    pub const MARGIN: Duration = Duration::from_mins(1);

    /// How far back a statement reaches, in whole seconds: older ends concern no token that is alive.
    pub fn window(&self) -> Duration {
        let life = self.policy.id_lifetime;
        let whole = Duration::from_secs(
            life.as_secs()
                .saturating_add(u64::from(life.subsec_nanos() > 0)),
        );
        whole.saturating_add(Self::MARGIN)
    }

    /// Reads what was revoked. The statement is dated before the read, so that it never claims to know more than it does.
    ///
    /// # Errors
    /// When the user database fails.
    pub async fn execute(&self) -> Result<RevocationStatement, StoreError> {
        let (as_of, window) = (self.clock.now().whole_second(), self.window());
        let mut revocations = self.sessions.revoked_since(as_of.minus(window)).await?;
        revocations.sessions.sort_unstable();
        revocations.users.sort_unstable();
        Ok(RevocationStatement {
            as_of,
            window,
            revocations,
        })
    }
}
