//! The end of an account.

use super::reauthentication::Reauthentication;
use crate::{
    ports::{Asking, Clock, StoreError, UserRepository},
    use_cases::{
        parts::{Failure, Refused, ServicePorts, from_via},
        sessions::{Authenticate, Caller, End},
    },
};
use std::sync::Arc;

/// Why the account is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No reauthentication that counts was shown.
    #[error("reauthenticate first")]
    ReauthenticationRequired,
}

from_via!(DeleteAccountError: StoreError => Refused, Failure => Refused);

/// Deletes accounts.
pub struct DeleteAccount {
    authenticate: Authenticate,
    reauthentication: Reauthentication,
    users: Arc<dyn UserRepository>,
    end: End,
    clock: Arc<dyn Clock>,
}

impl DeleteAccount {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            reauthentication: Reauthentication::new(ports),
            users: ports.users.clone(),
            end: End::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Deletes the caller's account and ends all its sessions. The caller must have reauthenticated, however young the session is.
    ///
    /// # Errors
    /// [`DeleteAccountError`]; then the account is still there.
    pub async fn execute(&self, caller: &Caller) -> Result<(), DeleteAccountError> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let epoch = self.reauthentication.shown(caller, &authenticated).await?;
        if epoch.is_none() {
            return Err(DeleteAccountError::ReauthenticationRequired);
        }
        let user = authenticated.user.id;
        let asking = Asking {
            session: authenticated.session.id,
            epoch,
        };
        let now = self.clock.now();
        if !self.users.delete(user, Some(asking), now).await? {
            // Either the session has ended meanwhile, and its row has the reason, or the reauthentication counts for nothing any more.
            self.authenticate.execute(&caller.id_token).await?;
            return Err(DeleteAccountError::ReauthenticationRequired);
        }
        self.end.account(user).await;
        Ok(())
    }
}
