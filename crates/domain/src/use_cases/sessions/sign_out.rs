//! The end of this session, of the others, or of all.

use super::{Authenticate, Caller, End, EndOne};
use crate::{
    journal::Actor,
    model::EndReason,
    ports::EndOutcome,
    use_cases::parts::{Refusal, Refused, ServicePorts},
};

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
    end: End,
}

impl SignOut {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            end: End::new(ports),
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
        let (actor, reason) = (Actor::User(user), EndReason::SignedOut);
        let kept = match scope {
            SignOutScope::This => {
                let end = EndOne::new(user, session, reason);
                return match self.end.one(end, actor).await? {
                    EndOutcome::NotFound => Err(Refusal::SessionUnknown.into()),
                    EndOutcome::AlreadyEnded | EndOutcome::Ended => Ok(()),
                };
            }
            SignOutScope::Others => Some(session),
            SignOutScope::Everywhere => None,
        };
        let ended = self.end.all(user, kept, reason, actor).await?;
        ended.ok_or(Refusal::SessionRevoked)?;
        Ok(())
    }
}
