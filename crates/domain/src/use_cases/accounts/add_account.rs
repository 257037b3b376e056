//! An account that an operator adds, without a session.

use super::password_context::PasswordContext;
use crate::{
    journal::{Actor, SecurityEvent},
    model::{Details, EmailAddress, Epoch, FieldError, Password, User, UserId},
    ports::{
        AddOutcome, Clock, Entropy, HashFlow, PasswordHasher, PasswordStrength, StoreError,
        UserRepository,
    },
    use_cases::parts::{Failure, OperatorPorts, Recorder, from_via},
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
    recorder: Recorder,
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
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail),
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
            email_verified_at: None,
            details,
            created_at: self.clock.now(),
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
        };
        let created = SecurityEvent::AccountCreated {
            user: user.id,
            session: None,
            address: None,
            device: None,
        };
        let tell = self
            .recorder
            .tell(user.created_at, Actor::Operator, added(created));
        let outcome = self.users.add(&user, &hash, &tell).await?;
        self.recorder.record(&tell, &outcome);
        match outcome {
            AddOutcome::Added => Ok(user),
            // 122 random bits do not collide: it is the address that is taken.
            AddOutcome::EmailTaken | AddOutcome::IdTaken => Err(AddAccountError::EmailTaken),
        }
    }
}

/// What a new account tells, if it was added.
pub(super) fn added(
    event: SecurityEvent,
) -> impl Fn(&AddOutcome) -> Vec<SecurityEvent> + Send + Sync {
    move |outcome| match outcome {
        AddOutcome::Added => vec![event.clone()],
        AddOutcome::EmailTaken | AddOutcome::IdTaken => Vec::new(),
    }
}
