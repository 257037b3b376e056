//! The end of one session that its user names.

use super::{Authenticate, Clear};
use crate::{
    model::{EndReason, SessionId},
    ports::{
        Clearing, Clock, EndOutcome, SecurityEvent, SecurityEvents, SessionRepository, StoreError,
    },
    use_cases::parts::{Failure, Refused},
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

/// Ends one of the caller's sessions, this or another.
pub struct EndSession {
    /// Who is calling.
    pub authenticate: Authenticate,
    /// The sessions' rows.
    pub sessions: Arc<dyn SessionRepository>,
    /// Clears the white list.
    pub clear: Clear,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl EndSession {
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
            // Over already is what was asked for.
            EndOutcome::AlreadyEnded => Ok(()),
            EndOutcome::Ended => {
                self.clear
                    .execute(Clearing::Sessions {
                        user,
                        sessions: vec![session],
                    })
                    .await;
                self.events.record(SecurityEvent::SessionEnded {
                    user,
                    session,
                    reason,
                });
                Ok(())
            }
        }
    }
}

impl From<StoreError> for EndSessionError {
    fn from(error: StoreError) -> Self {
        Self::Refused(Refused::Failed(Failure::Store(error)))
    }
}
