//! A new account with its first session.

use super::{
    begin::{Begun, Opening, SignInRequest},
    own_details::OwnDetails,
};
use crate::{
    model::{Details, Epoch, FieldError, User, UserId},
    ports::{
        Clearing, Clock, CreateOutcome, DeviceCredentials, Entropy, PasswordHasher,
        PasswordStrength, SecurityEvent, SecurityEvents, SignError, StoreError, TokenRepository,
        UserRepository,
    },
    use_cases::{
        parts::{Failure, Limited, Limits, Mint, from_denied},
        sessions::Clear,
    },
};
use std::sync::Arc;

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The password would soon be guessed.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// There were too many attempts; nothing was looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// Something that the service depends on failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Signs up. The white list is written first and the rows last: their commit is what makes the account exist.
pub struct SignUp {
    /// Accounts.
    pub users: Arc<dyn UserRepository>,
    /// The white list.
    pub tokens: Arc<dyn TokenRepository>,
    /// Hashes the password.
    pub hasher: Arc<dyn PasswordHasher>,
    /// Judges it.
    pub strength: Arc<dyn PasswordStrength>,
    /// Device credentials.
    pub devices: Arc<dyn DeviceCredentials>,
    /// Says when.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub entropy: Arc<dyn Entropy>,
    /// Signs.
    pub mint: Mint,
    /// Takes back what did not commit.
    pub clear: Clear,
    /// Slows down those who try many addresses.
    pub limits: Limits,
    /// Hears of it.
    pub events: Arc<dyn SecurityEvents>,
}

impl SignUp {
    /// Creates the account and signs it in.
    ///
    /// # Errors
    /// [`SignUpError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(&self, request: SignInRequest) -> Result<Begun, SignUpError> {
        self.hasher.admit()?;
        let held = self.limits.sign_up(&request.email, &request.client).await?;
        let outcome = self.create(request).await;
        // Accounts made and addresses found taken count; a password that was judged too weak counts for the address that had it judged;
        // what could not be done does not.
        match &outcome {
            Ok(_) | Err(SignUpError::EmailTaken) => {}
            Err(SignUpError::WeakPassword(_)) => self.limits.give_back_account(held).await,
            Err(_) => self.limits.give_back(held).await,
        }
        outcome
    }

    async fn create(&self, request: SignInRequest) -> Result<Begun, SignUpError> {
        let own = OwnDetails {
            email: &request.email,
            name: None,
            device: request.device_name.as_ref(),
        };
        if let Some(fault) = own.fault(&request.password, &*self.strength).await? {
            return Err(SignUpError::WeakPassword(fault));
        }
        if self
            .users
            .credentials_by_email(&request.email, None)
            .await?
            .is_some()
        {
            return Err(SignUpError::EmailTaken);
        }
        let hash = self.hasher.hash(&request.password).await?;
        let opening = Opening {
            clock: &*self.clock,
            entropy: &*self.entropy,
            devices: &*self.devices,
            policy: &self.mint.policy,
        };
        let user_id = UserId::from_random(self.entropy.bytes());
        let formed = opening.form(user_id, Epoch::FIRST, &request);
        let user = User {
            id: user_id,
            email: request.email,
            details: Details::default(),
            created_at: formed.session.began_at,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
        };
        // Sign before anything is stored: a broken key must not leave an account behind.
        let tokens = self.mint.pair(&user, &formed.session, &formed.live.token)?;

        let own = || Clearing::Sessions {
            user: user_id,
            sessions: vec![formed.session.id],
        };
        if let Err(error) = self.tokens.begin(formed.live).await {
            // It may have happened all the same. To ask a store at once that failed just now would only hold up the answer.
            self.clear.defer(own());
            return Err(error.into());
        }
        let created = self.users.create(&user, &hash, &formed.session).await;
        if !matches!(created, Ok(CreateOutcome::Created)) {
            self.clear.execute(own()).await;
        }
        match created? {
            CreateOutcome::EmailTaken => Err(SignUpError::EmailTaken),
            CreateOutcome::Created => {
                let address = formed.session.client.address;
                self.events.record(SecurityEvent::AccountCreated {
                    user: user_id,
                    address,
                });
                Ok(Begun {
                    session: formed.session,
                    tokens,
                    device: formed.device,
                    evicted: Vec::new(),
                })
            }
        }
    }
}

impl From<StoreError> for SignUpError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<SignError> for SignUpError {
    fn from(error: SignError) -> Self {
        Self::Failed(error.into())
    }
}

from_denied!(SignUpError);
