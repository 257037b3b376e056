//! The end of an account.

use crate::{
    ports::{Clock, StoreError, UserRepository},
    use_cases::{
        parts::{Refusal, Refused, ServicePorts, from_via},
        sessions::{Authenticate, End},
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
    /// The session began more than [`DeleteAccount::FRESH`] ago.
    #[error("sign in again, then delete the account within five minutes")]
    ReauthenticationRequired,
}

from_via!(DeleteAccountError: StoreError => Refused, Refusal => Refused);

/// Deletes accounts.
pub struct DeleteAccount {
    authenticate: Authenticate,
    users: Arc<dyn UserRepository>,
    end: End,
    clock: Arc<dyn Clock>,
}

impl DeleteAccount {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            users: ports.users.clone(),
            end: End::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// The session must have begun at most this long ago.
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
            // The session has ended meanwhile: its row has the reason.
            self.authenticate.execute(id_token).await?;
            return Err(Refusal::SessionRevoked.into());
        }
        self.end.account(user).await;
        Ok(())
    }
}
