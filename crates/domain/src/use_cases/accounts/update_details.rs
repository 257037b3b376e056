//! A change of the account's details and of the address to sign in with.

use super::current_password::CurrentPassword;
use crate::{
    model::{ClientInfo, DetailsChange, Password, User},
    ports::{
        Asking, Clock, SecurityEvent, SecurityEvents, StoreError, UpdateOutcome, UserRepository,
    },
    use_cases::{
        parts::{Denied, Refusal, Refused, RequestLimits, ServicePorts, from_via},
        sessions::Authenticate,
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A change, with the current password where the e-mail address changes.
#[derive(Clone, Debug, Default)]
pub struct UpdateDetailsRequest {
    /// The fields that change.
    pub change: DetailsChange,
    /// Needed if the change names an e-mail address.
    pub current_password: Option<Password>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateDetailsError {
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The current password is wrong, or missing where it is needed.
    #[error("the current password is wrong or missing")]
    WrongPassword,
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
}

from_via!(UpdateDetailsError: StoreError => Refused, Refusal => Refused, Denied => Refused);

/// Changes details.
pub struct UpdateDetails {
    authenticate: Authenticate,
    current: CurrentPassword,
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
        id_token: &SecretString,
        request: UpdateDetailsRequest,
    ) -> Result<User, UpdateDetailsError> {
        let caller = self.authenticate.execute(id_token).await?;
        let (user, session) = (caller.user.id, caller.session.id);
        let new_email = request
            .change
            .email
            .as_ref()
            .filter(|email| **email != caller.user.email);
        if request.change.email.is_some() {
            let password = request
                .current_password
                .as_ref()
                .ok_or(UpdateDetailsError::WrongPassword)?;
            let held = self.current.admit(&caller, &request.client).await?;
            self.current
                .check(held, user, password)
                .await?
                .ok_or(UpdateDetailsError::WrongPassword)?;
        }
        // A change of address reveals whether it has an account, as a sign-up does, and counts as one.
        let asked = match new_email {
            Some(email) => Some(self.limits.sign_up(email, &request.client).await?),
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
                self.authenticate.execute(id_token).await?;
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
