//! An account that an operator makes for somebody, without a session.

use super::own_details::OwnDetails;
use crate::{
    model::{Details, EmailAddress, Epoch, FieldError, Password, User, UserId},
    ports::{
        AddOutcome, Clock, Entropy, PasswordHasher, PasswordStrength, SecurityEvent,
        SecurityEvents, StoreError, UserRepository,
    },
    use_cases::parts::Failure,
};
use std::sync::Arc;

/// An account to make.
#[derive(Clone, Debug)]
pub struct AddAccountRequest {
    /// Its address.
    pub email: EmailAddress,
    /// Its first password.
    pub password: Password,
    /// What is known about its user.
    pub details: Details,
}

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum AddAccountError {
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The password would soon be guessed.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// Something that the service depends on failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Makes accounts by the rules of a sign-up. No session begins.
pub struct AddAccount {
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// Hashes the password.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Judges it.
    pub strength: Arc<dyn PasswordStrength>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub entropy: Arc<dyn Entropy>,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl AddAccount {
    /// Makes the account.
    ///
    /// # Errors
    /// [`AddAccountError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(&self, request: AddAccountRequest) -> Result<User, AddAccountError> {
        let AddAccountRequest {
            email,
            password,
            details,
        } = request;
        let own = OwnDetails {
            email: &email,
            name: details.name.as_ref(),
            device: None,
        };
        if let Some(fault) = own.fault(&password, &*self.strength).await? {
            return Err(AddAccountError::WeakPassword(fault));
        }
        // Before the hash: whoever runs a command need not wait for it to hear that.
        if self
            .users
            .credentials_by_email(&email, None)
            .await?
            .is_some()
        {
            return Err(AddAccountError::EmailTaken);
        }
        let hash = self.hasher.hash(&password).await?;
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
            // 122 random bits are taken by nobody: then it is the address, too.
            AddOutcome::EmailTaken | AddOutcome::IdTaken => Err(AddAccountError::EmailTaken),
        }
    }
}

impl From<StoreError> for AddAccountError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
