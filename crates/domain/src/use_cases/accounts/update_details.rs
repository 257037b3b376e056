//! A change of the account's details and of the address to sign in with.

use super::{current_password::CurrentPassword, reauthentication::Reauthentication};
use crate::{
    model::{DetailsChange, Epoch, Password, User},
    ports::{
        Asking, Clock, SecurityEvent, SecurityEvents, StoreError, UpdateOutcome, UserRepository,
    },
    use_cases::{
        parts::{Denied, Failure, Refused, RequestLimits, ServicePorts, from_via},
        sessions::{Authenticate, Authenticated, Caller},
    },
};
use std::sync::Arc;

/// A change.
#[derive(Clone, Debug, Default)]
pub struct UpdateDetailsRequest {
    /// The fields that change.
    pub change: DetailsChange,
    /// Needed if the change names an e-mail address and the caller shows no reauthentication. For such a change a password that is
    /// given is checked, reauthentication or not.
    pub current_password: Option<Password>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateDetailsError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A new address needs the current password or a reauthentication that counts.
    #[error("reauthenticate first, or give the current password")]
    ReauthenticationRequired,
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
}

from_via!(
    UpdateDetailsError:
    StoreError => Refused,
    Failure => Refused,
    Denied => Refused,
);

/// Changes details.
pub struct UpdateDetails {
    authenticate: Authenticate,
    current: CurrentPassword,
    reauthentication: Reauthentication,
    users: Arc<dyn UserRepository>,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
}

impl UpdateDetails {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            current: CurrentPassword::new(ports),
            reauthentication: Reauthentication::new(ports),
            users: ports.users.clone(),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
        }
    }

    /// Changes the fields that are named and answers the account as it is now.
    ///
    /// # Errors
    /// [`UpdateDetailsError`]; then nothing changed.
    pub async fn execute(
        &self,
        caller: &Caller,
        request: UpdateDetailsRequest,
    ) -> Result<User, UpdateDetailsError> {
        let authenticated = self.authenticate.on_device(caller).await?;
        let new_email = request
            .change
            .email
            .as_ref()
            .filter(|email| **email != authenticated.user.email);
        let epoch = if request.change.email.is_some() {
            let current = request.current_password.as_ref();
            Some(self.prove(caller, &authenticated, current).await?)
        } else {
            None
        };
        // A change of address reveals whether it has an account, as a sign-up does, and counts as one.
        let asked = match new_email {
            Some(email) => Some(self.limits.sign_up(email, &caller.client).await?),
            None => None,
        };
        let user = authenticated.user.id;
        let asking = Some(Asking {
            session: authenticated.session.id,
            epoch,
        });
        let now = self.clock.now();
        let outcome = self.users.update(user, &request.change, asking, now).await;
        if let Some(asked) = asked
            && !matches!(
                outcome,
                Ok(UpdateOutcome::Updated(_) | UpdateOutcome::EmailTaken)
            )
        {
            self.limits.give_back(asked).await;
        }
        match outcome? {
            UpdateOutcome::EmailTaken => Err(UpdateDetailsError::EmailTaken),
            UpdateOutcome::NotFound | UpdateOutcome::Superseded => {
                // Either the session has ended meanwhile, and its row has the reason, or what proved the password counts for nothing any
                // more.
                self.authenticate.execute(&caller.id_token).await?;
                Err(UpdateDetailsError::ReauthenticationRequired)
            }
            UpdateOutcome::Updated(user) => {
                if new_email.is_some() {
                    self.events
                        .record(SecurityEvent::EmailChanged { user: user.id });
                }
                Ok(user)
            }
        }
    }

    /// The account's epoch when the password was shown, now or by the reauthentication.
    async fn prove(
        &self,
        caller: &Caller,
        authenticated: &Authenticated,
        current: Option<&Password>,
    ) -> Result<Epoch, UpdateDetailsError> {
        let Some(password) = current else {
            let shown = self.reauthentication.shown(caller, authenticated).await?;
            return shown.ok_or(UpdateDetailsError::ReauthenticationRequired);
        };
        let held = self.current.admit(authenticated, &caller.client).await?;
        let user = authenticated.user.id;
        let checked = self.current.check(held, user, password).await?;
        let credentials = checked.ok_or(UpdateDetailsError::WrongPassword)?;
        Ok(credentials.user.epoch)
    }
}
