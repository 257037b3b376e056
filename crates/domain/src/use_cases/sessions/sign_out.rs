//! The end of this session, of the others, or of all.

use super::{Authenticate, Clear};
use crate::{
    model::EndReason,
    ports::{Clearing, Clock, EndOutcome, SecurityEvent, SecurityEvents, SessionRepository},
    use_cases::parts::{Refusal, Refused},
};
use secrecy::SecretString;
use std::sync::Arc;

/// Which sessions end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignOutScope {
    /// The one that asks.
    #[default]
    This,
    /// All but the one that asks.
    Others,
    /// All.
    Everywhere,
}

/// Signs out. Final once the row is committed, which is before the answer; the white list follows.
pub struct SignOut {
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

impl SignOut {
    /// Ends the sessions of that scope.
    ///
    /// # Errors
    /// [`Refused`]; then nothing is claimed to have ended.
    pub async fn execute(
        &self,
        id_token: &SecretString,
        scope: SignOutScope,
    ) -> Result<(), Refused> {
        let caller = self.authenticate.execute(id_token).await?;
        let (user, session) = (caller.user.id, caller.session.id);
        let (now, reason) = (self.clock.now(), EndReason::SignedOut);
        let kept = match scope {
            SignOutScope::This => {
                let outcome = self.sessions.end(user, session, reason, now).await?;
                if outcome == EndOutcome::NotFound {
                    return Err(Refusal::SessionUnknown.into());
                }
                self.clear
                    .execute(Clearing::Sessions {
                        user,
                        sessions: vec![session],
                    })
                    .await;
                if outcome == EndOutcome::Ended {
                    self.events.record(SecurityEvent::SessionEnded {
                        user,
                        session,
                        reason,
                    });
                }
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
        self.clear
            .execute(Clearing::Older { user, epoch, kept })
            .await;
        self.events
            .record(SecurityEvent::SessionsEnded { user, kept, reason });
        Ok(())
    }
}
