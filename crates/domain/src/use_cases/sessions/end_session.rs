//! The end of one session that its user names.

use super::{Authenticate, Caller, end::End};
use crate::{
    model::{EndReason, SessionId},
    ports::{Clock, EndOutcome, SessionRepository, StoreError},
    use_cases::parts::{Refusal, Refused, ServicePorts, from_via},
};
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

from_via!(EndSessionError: StoreError => Refused, Refusal => Refused);

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

    /// Ends a session. The caller's own needs no device, as in [`super::SignOut`].
    ///
    /// # Errors
    /// [`EndSessionError`]; then nothing is claimed to have ended.
    pub async fn execute(
        &self,
        caller: &Caller,
        session: SessionId,
    ) -> Result<(), EndSessionError> {
        let authenticated = self.authenticate.execute(&caller.id_token).await?;
        if session != authenticated.session.id {
            self.authenticate
                .check_device(&authenticated.session, caller)?;
        }
        let user = authenticated.user.id;
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
