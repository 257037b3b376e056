//! An account that an operator adds, without a session.

use super::password_context::PasswordContext;
use crate::{
    model::{Details, EmailAddress, Epoch, FieldError, Password, User, UserId},
    ports::{
        AddOutcome, Clock, Entropy, HashFlow, PasswordHasher, PasswordStrength, SecurityEvent,
        SecurityEvents, StoreError, UserRepository,
    },
    use_cases::parts::{Failure, OperatorPorts, from_via},
};
use std::sync::Arc;

/// An account to add.
#[derive(Clone, Debug)]
pub struct AddAccountRequest {
    /// The address to sign in with.
    pub email: EmailAddress,
    /// The first password.
    pub password: Password,
    /// The user's name and links.
    pub details: Details,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum AddAccountError {
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The password is easy to guess.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(AddAccountError: StoreError => Failure);

/// Adds accounts by the rules of a sign-up. No session begins.
pub struct AddAccount {
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    events: Arc<dyn SecurityEvents>,
}

impl AddAccount {
    pub(crate) fn new(
        ports: &OperatorPorts,
        hasher: Arc<dyn PasswordHasher>,
        strength: Arc<dyn PasswordStrength>,
    ) -> Self {
        Self {
            users: ports.users.clone(),
            hasher,
            strength,
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            events: ports.events.clone(),
        }
    }

    /// Adds the account.
    ///
    /// # Errors
    /// [`AddAccountError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(&self, request: AddAccountRequest) -> Result<User, AddAccountError> {
        let AddAccountRequest {
            email,
            password,
            details,
        } = request;
        let context = PasswordContext {
            email: &email,
            name: details.name.as_ref(),
            device: None,
        };
        let flow = HashFlow {
            account: email.clone(),
            address: None,
            known: true,
        };
        let judged = context.weakness(&flow, &password, &*self.strength);
        if let Some(weakness) = judged.await? {
            return Err(AddAccountError::WeakPassword(weakness));
        }
        // Before the hash, so that a taken address is reported without delay.
        let found = self.users.credentials_by_email(&email, &[]).await?;
        if found.is_some() {
            return Err(AddAccountError::EmailTaken);
        }
        let hash = self.hasher.hash(&flow, &password).await?;
        let user = User {
            id: UserId::from_random(self.entropy.bytes()),
            email,
            details,
            created_at: self.clock.now(),
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
        };
        match self.users.add(&user, &hash).await? {
            AddOutcome::Added => {
                self.events.record(SecurityEvent::AccountCreated {
                    user: user.id,
                    address: None,
                });
                Ok(user)
            }
            // 122 random bits do not collide: it is the address that is taken.
            AddOutcome::EmailTaken | AddOutcome::IdTaken => Err(AddAccountError::EmailTaken),
        }
    }
}
