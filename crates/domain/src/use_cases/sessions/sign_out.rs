//! The end of this session, of the others, or of all.

use super::{Authenticate, Caller, end::End};
use crate::{
    model::EndReason,
    ports::{Clock, EndOutcome, SessionRepository},
    use_cases::parts::{Refusal, Refused, ServicePorts},
};
use std::sync::Arc;

/// Which sessions end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignOutScope {
    /// The caller's own.
    #[default]
    This,
    /// All but the caller's own.
    Others,
    /// All.
    Everywhere,
}

/// Signs out. Final once the row is committed, which is before the answer; the white list follows.
pub struct SignOut {
    authenticate: Authenticate,
    sessions: Arc<dyn SessionRepository>,
    end: End,
    clock: Arc<dyn Clock>,
}

impl SignOut {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            sessions: ports.sessions.clone(),
            end: End::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Ends the sessions of that scope. [`SignOutScope::This`] needs no device: who has lost it can still sign out.
    ///
    /// # Errors
    /// [`Refused`]; then nothing is claimed to have ended.
    pub async fn execute(&self, caller: &Caller, scope: SignOutScope) -> Result<(), Refused> {
        let authenticated = self.authenticate.execute(&caller.id_token).await?;
        if scope != SignOutScope::This {
            self.authenticate
                .check_device(&authenticated.session, caller)?;
        }
        let (user, session) = (authenticated.user.id, authenticated.session.id);
        let (now, reason) = (self.clock.now(), EndReason::SignedOut);
        let kept = match scope {
            SignOutScope::This => {
                let outcome = self.sessions.end(user, session, reason, now).await?;
                if outcome == EndOutcome::NotFound {
                    return Err(Refusal::SessionUnknown.into());
                }
                self.end.one(user, session, reason, outcome).await;
                return Ok(());
            }
            SignOutScope::Others => Some(session),
            SignOutScope::Everywhere => None,
        };
        let epoch = self
            .sessions
            .end_all(user, kept, reason, now)
            .await?
            .ok_or(Refusal::SessionRevoked)?;
        self.end.older(user, epoch, kept, reason).await;
        Ok(())
    }
}
