//! The end of this session, of the others, or of all.

use super::{Authenticate, Authenticated, Caller, End, EndOne};
use crate::{
    journal::Actor,
    model::EndReason,
    ports::EndOutcome,
    use_cases::parts::{Refusal, Refused, ServicePorts},
};
use secrecy::SecretString;

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
        let kept = match scope {
            SignOutScope::This => return self.end_this(&authenticated).await,
            SignOutScope::Others => Some(authenticated.session.id),
            SignOutScope::Everywhere => None,
        };
        let user = authenticated.user.id;
        let (actor, reason) = (Actor::User(user), EndReason::SignedOut);
        let ended = self.end.all(user, kept, reason, actor).await?;
        ended.ok_or(Refusal::SessionRevoked)?;
        Ok(())
    }

    /// Ends the session of a refresh token, for a browser that has its token in a cookie and no ID token at hand. The answer to its last refresh
    /// may have been lost, so the token may be a replaced one.
    ///
    /// # Errors
    /// As [`Self::execute`].
    pub async fn by_refresh_token(&self, token: &SecretString) -> Result<(), Refused> {
        let authenticated = self.authenticate.by_refresh_token(token).await?;
        self.end_this(&authenticated).await
    }

    /// Why a refresh token is refused: what a browser keeps of a session that has ended can be thrown away. `None` if it is good, and if that
    /// can't be found out.
    pub async fn refusal_of(&self, token: &SecretString) -> Option<Refusal> {
        match self.authenticate.by_refresh_token(token).await {
            Err(Refused::Token(refusal)) => Some(refusal),
            _ => None,
        }
    }

    async fn end_this(&self, authenticated: &Authenticated) -> Result<(), Refused> {
        let (user, session) = (authenticated.user.id, authenticated.session.id);
        let end = EndOne::new(user, session, EndReason::SignedOut);
        match self.end.one(end, Actor::User(user)).await? {
            EndOutcome::NotFound => Err(Refusal::SessionUnknown.into()),
            EndOutcome::AlreadyEnded | EndOutcome::Ended => Ok(()),
        }
    }
}
