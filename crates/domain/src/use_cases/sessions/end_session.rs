//! The end of one session that its user names.

use super::{Authenticate, Caller, End, EndOne};
use crate::{
    journal::Actor,
    model::{EndReason, SessionId},
    ports::{EndOutcome, StoreError},
    use_cases::parts::{Refusal, Refused, ServicePorts, from_via},
};

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
    end: End,
}

impl EndSession {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            end: End::new(ports),
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
        let end = EndOne::new(user, session, EndReason::SignedOut);
        match self.end.one(end, Actor::User(user)).await? {
            EndOutcome::NotFound => Err(EndSessionError::NotFound),
            EndOutcome::AlreadyEnded | EndOutcome::Ended => Ok(()),
        }
    }
}
