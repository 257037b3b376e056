//! The end of one session that its user names.

use super::{Authenticate, end::End};
use crate::{
    model::{EndReason, SessionId},
    ports::{Clock, EndOutcome, SessionRepository, StoreError},
    use_cases::parts::{Refused, ServicePorts, from_via},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Why no session ended.
#[derive(Debug, thiserror::Error)]
pub enum EndSessionError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The caller has no such live session.
    #[error("there is no such session")]
    NotFound,
}

from_via!(EndSessionError: StoreError => Refused);

/// Ends one of the caller's sessions, this or another.
pub struct EndSession {
    authenticate: Authenticate,
    sessions: Arc<dyn SessionRepository>,
    end: End,
    clock: Arc<dyn Clock>,
}

impl EndSession {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            sessions: ports.sessions.clone(),
            end: End::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`EndSessionError`]; then nothing is claimed to have ended.
    pub async fn execute(
        &self,
        id_token: &SecretString,
        session: SessionId,
    ) -> Result<(), EndSessionError> {
        let user = self.authenticate.execute(id_token).await?.user.id;
        let reason = EndReason::SignedOut;
        match self
            .sessions
            .end(user, session, reason, self.clock.now())
            .await?
        {
            EndOutcome::NotFound => Err(EndSessionError::NotFound),
            EndOutcome::AlreadyEnded => Ok(()),
            EndOutcome::Ended => {
                self.end.one(user, session, reason, EndOutcome::Ended).await;
                Ok(())
            }
        }
    }
}
