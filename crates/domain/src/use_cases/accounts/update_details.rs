//! A change of the account's details and of the address to sign in with.

use super::{current_password::CurrentPassword, reauthentication::Reauthentication};
use crate::{
    journal::{Actor, Tell},
    model::{DetailsChange, Password, User, UserId},
    ports::{
        Asking, ChangedFields, Clock, SecurityEvent, StoreError, UpdateOutcome, UserRepository,
    },
    use_cases::{
        parts::{
            Denied, Failure, Recorder, Refusal, Refused, RequestLimits, ServicePorts, from_via,
        },
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
    recorder: Recorder,
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
            recorder: Recorder::new(ports),
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
        let tell = self.tell(caller, user, asking, &request.change, new_email.is_some());
        let outcome = self
            .users
            .update(user, &request.change, Some(asking), &tell)
            .await;
        if let Some(asked) = asked
            && !matches!(
                outcome,
                Ok(UpdateOutcome::Updated(_) | UpdateOutcome::EmailTaken)
            )
        {
            self.limits.give_back(asked).await;
        }
        let outcome = outcome?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            UpdateOutcome::EmailTaken => Err(UpdateDetailsError::EmailTaken),
            UpdateOutcome::NotFound | UpdateOutcome::Superseded => {
                // The session has ended meanwhile: its row has the reason.
                self.authenticate.execute(&caller.id_token).await?;
                Err(Refusal::SessionRevoked.into())
            }
            UpdateOutcome::Updated(user) => Ok(user),
        }
    }

    fn tell(
        &self,
        caller: &Caller,
        user: UserId,
        asking: Asking,
        change: &DetailsChange,
        new_email: bool,
    ) -> Tell<UpdateOutcome> {
        let (session, address) = (Some(asking.session), caller.client.address);
        let email = new_email.then_some(SecurityEvent::EmailChanged {
            user,
            session,
            address,
        });
        let details = ChangedFields::of(change).map(|changed| SecurityEvent::AccountChanged {
            user,
            session,
            address,
            changed,
        });
        let events: Vec<_> = email.into_iter().chain(details).collect();
        let told = move |outcome: &UpdateOutcome| match outcome {
            UpdateOutcome::Updated(_) => events.clone(),
            _ => Vec::new(),
        };
        self.recorder.tell(asking.at, Actor::User(user), told)
    }
}
