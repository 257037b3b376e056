//! The end of an account.

use crate::{
    model::Epoch,
    ports::{Clearing, Clock, SecurityEvent, SecurityEvents, StoreError, UserRepository},
    use_cases::{
        parts::{Failure, Refusal, Refused},
        sessions::{Authenticate, Clear},
    },
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

/// Why the account is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The sign-in lies too far back.
    #[error("sign in again, then delete the account within five minutes")]
    ReauthenticationRequired,
}

/// Deletes accounts.
pub struct DeleteAccount {
    /// Who is calling.
    pub authenticate: Authenticate,
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// Clears the white list.
    pub clear: Clear,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl DeleteAccount {
    /// The password must have been shown at most so long ago.
    pub const FRESH: Duration = Duration::from_mins(5);

    /// Deletes the caller's account and ends all its sessions.
    ///
    /// # Errors
    /// [`DeleteAccountError`]; then the account is still there.
    pub async fn execute(&self, id_token: &SecretString) -> Result<(), DeleteAccountError> {
        let caller = self.authenticate.execute(id_token).await?;
        let now = self.clock.now();
        if now.since(caller.session.began_at) > Self::FRESH {
            return Err(DeleteAccountError::ReauthenticationRequired);
        }
        let user = caller.user.id;
        if !self
            .users
            .delete(user, Some(caller.session.id), now)
            .await?
        {
            // The session ended meanwhile: its row says why.
            self.authenticate.execute(id_token).await?;
            return Err(Refused::from(Refusal::SessionRevoked).into());
        }
        self.clear
            .execute(Clearing::Older {
                user,
                epoch: Epoch::new(u32::MAX),
                kept: None,
            })
            .await;
        self.events.record(SecurityEvent::AccountDeleted { user });
        Ok(())
    }
}

impl From<StoreError> for DeleteAccountError {
    fn from(error: StoreError) -> Self {
        Self::Refused(Refused::Failed(Failure::Store(error)))
    }
}
