//! What the account says about its user, and the address to sign in with.

use crate::{
    model::{ClientInfo, DetailsChange, Password, User, UserId},
    ports::{
        Asking, Clock, PasswordCheck, PasswordHasher, SecurityEvent, SecurityEvents, StoreError,
        UpdateOutcome, UserRepository,
    },
    use_cases::{
        parts::{Failure, Guess, Limits, Own, Refusal, Refused},
        sessions::{Authenticate, Authenticated},
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A change, with the password that a new e-mail address demands.
#[derive(Clone, Debug, Default)]
pub struct UpdateDetailsRequest {
    /// What changes.
    pub change: DetailsChange,
    /// Needed if the change names an e-mail address.
    pub current_password: Option<Password>,
    /// Where the request came from.
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

/// Changes details.
pub struct UpdateDetails {
    /// Who is calling.
    pub authenticate: Authenticate,
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Checks the password.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Slows down those who guess.
    pub limits: Limits,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl UpdateDetails {
    /// Changes the fields that are named and answers the account as it is now.
    ///
    /// # Errors
    /// [`UpdateDetailsError`]; then nothing changed.
    pub async fn execute(
        &self,
        id_token: &SecretString,
        request: UpdateDetailsRequest,
    ) -> Result<User, UpdateDetailsError> {
        let Authenticated {
            user: caller,
            session,
        } = self.authenticate.execute(id_token).await?;
        let new_email = request
            .change
            .email
            .as_ref()
            .is_some_and(|email| *email != caller.email);
        if request.change.email.is_some() {
            let password = request
                .current_password
                .as_ref()
                .ok_or(UpdateDetailsError::WrongPassword)?;
            let own = Some(Own::Session(caller.id, session.id));
            let guess = Guess {
                email: &caller.email,
                client: &request.client,
                own,
            };
            self.hasher.admit()?;
            let held = self.limits.guess(guess).await.map_err(Refused::from)?;
            let judged = self.judge(caller.id, password).await;
            if !matches!(judged, Err(UpdateDetailsError::WrongPassword)) {
                self.limits.give_back(held).await;
            }
            judged?;
        }
        // Asking for an address tells whether somebody has it, as a sign-up does, and counts as one.
        let asked = match request.change.email.as_ref().filter(|_| new_email) {
            Some(email) => Some(
                self.limits
                    .sign_up(email, &request.client)
                    .await
                    .map_err(Refused::from)?,
            ),
            None => None,
        };
        let asking = Asking {
            session: session.id,
            at: self.clock.now(),
        };
        let outcome = self
            .users
            .update(caller.id, &request.change, Some(asking))
            .await;
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
                // The session ended meanwhile: its row says why.
                self.authenticate.execute(id_token).await?;
                Err(Refused::from(Refusal::SessionRevoked).into())
            }
            UpdateOutcome::Updated(user) => {
                if new_email {
                    self.events
                        .record(SecurityEvent::EmailChanged { user: user.id });
                }
                Ok(user)
            }
        }
    }

    async fn judge(&self, user: UserId, password: &Password) -> Result<(), UpdateDetailsError> {
        let credentials = self
            .users
            .credentials(user)
            .await?
            .ok_or(Refused::from(Refusal::SessionRevoked))?;
        match self.hasher.check(password, Some(&credentials.hash)).await? {
            PasswordCheck::Match { .. } => Ok(()),
            PasswordCheck::Mismatch => Err(UpdateDetailsError::WrongPassword),
        }
    }
}

impl From<StoreError> for UpdateDetailsError {
    fn from(error: StoreError) -> Self {
        Self::Refused(Refused::Failed(Failure::Store(error)))
    }
}
