//! A change of the account's details and of the address to sign in with.

use super::{current_password::CurrentPassword, reauthentication::Reauthentication};
use crate::{
    model::{DetailsChange, Password, User},
    ports::{
        Asking, Clock, SecurityEvent, SecurityEvents, StoreError, UpdateOutcome, UserRepository,
    },
    use_cases::{
        parts::{Denied, Failure, Refusal, Refused, RequestLimits, ServicePorts, from_via},
        sessions::{Authenticate, Caller},
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
    Refusal => Refused,
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
        let (user, session) = (authenticated.user.id, authenticated.session.id);
        let new_email = request
            .change
            .email
            .as_ref()
            .filter(|email| **email != authenticated.user.email);
        if request.change.email.is_some() {
            if let Some(password) = &request.current_password {
                let held = self.current.admit(&authenticated, &caller.client).await?;
                self.current
                    .check(held, user, password)
                    .await?
                    .ok_or(UpdateDetailsError::WrongPassword)?;
            } else if !self
                .reauthentication
                .is_shown(caller, &authenticated)
                .await?
            {
                return Err(UpdateDetailsError::ReauthenticationRequired);
            }
        }
        // A change of address reveals whether it has an account, as a sign-up does, and counts as one.
        let asked = match new_email {
            Some(email) => Some(self.limits.sign_up(email, &caller.client).await?),
            None => None,
        };
        let asking = Asking {
            session,
            at: self.clock.now(),
        };
        let outcome = self.users.update(user, &request.change, Some(asking)).await;
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
                // The session has ended meanwhile: its row has the reason.
                self.authenticate.execute(&caller.id_token).await?;
                Err(Refusal::SessionRevoked.into())
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
}
