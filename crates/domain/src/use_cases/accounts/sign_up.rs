//! A new account with its first session.

use super::{
    password_context::PasswordContext,
    session_starter::{Begun, SessionStarter, SignInRequest},
};
use crate::{
    model::{Details, Epoch, FieldError, User, UserId},
    ports::{
        CreateOutcome, Entropy, HashFlow, PasswordHasher, PasswordStrength, SecurityEvent,
        SecurityEvents, SignError, StoreError, UserRepository,
    },
    use_cases::parts::{Failure, Limited, RequestLimits, ServicePorts, from_denied, from_via},
};
use std::sync::Arc;

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The password is easy to guess.
    #[error("the password {0}")]
    WeakPassword(FieldError),
    /// There were too many attempts; the request was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(SignUpError);
from_via!(SignUpError: StoreError => Failure, SignError => Failure);

/// Signs up. The white list is written first and the rows last: their commit is what makes the account exist.
pub struct SignUp {
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    strength: Arc<dyn PasswordStrength>,
    entropy: Arc<dyn Entropy>,
    limits: RequestLimits,
    events: Arc<dyn SecurityEvents>,
}

impl SignUp {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            strength: ports.strength.clone(),
            entropy: ports.entropy.clone(),
            limits: RequestLimits::new(ports),
            events: ports.events.clone(),
        }
    }

    /// Creates the account and signs it in.
    ///
    /// # Errors
    /// [`SignUpError`]; then there is no account, unless the commit itself was cut off (a retry then says `EmailTaken`).
    pub async fn execute(&self, request: SignInRequest) -> Result<Begun, SignUpError> {
        let flow = self.limits.flow(&request.email, &request.client, false);
        self.hasher.admit(&flow)?;
        let held = self.limits.sign_up(&request.email, &request.client).await?;
        let outcome = self.create(request, &flow).await;
        // New accounts and taken addresses count. A weak password counts for the client's address only; a failure does not
        // count.
        match &outcome {
            Ok(_) | Err(SignUpError::EmailTaken) => {}
            Err(SignUpError::WeakPassword(_)) => self.limits.give_back_account(held).await,
            Err(_) => self.limits.give_back(held).await,
        }
        outcome
    }

    async fn create(&self, request: SignInRequest, flow: &HashFlow) -> Result<Begun, SignUpError> {
        let context = PasswordContext {
            email: &request.email,
            name: None,
            device: request.device_name.as_ref(),
        };
        let weakness = context
            .weakness(flow, &request.password, &*self.strength)
            .await?;
        if let Some(weakness) = weakness {
            return Err(SignUpError::WeakPassword(weakness));
        }
        let found = self.users.credentials_by_email(&request.email, &[]).await?;
        if found.is_some() {
            return Err(SignUpError::EmailTaken);
        }
        let hash = self.hasher.hash(flow, &request.password).await?;
        let user_id = UserId::from_random(self.entropy.bytes());
        let prepared = self.starter.prepare(user_id, Epoch::FIRST, &request, None);
        let shown = self.starter.shown_devices(&request);
        let user = User {
            id: user_id,
            email: request.email,
            details: Details::default(),
            created_at: prepared.session.began_at,
            disabled_at: None,
            epoch: Epoch::FIRST,
            kept_session: None,
        };
        let (tokens, _) = self.starter.white_list(&user, &prepared).await?;
        let created = self.users.create(&user, &hash, &prepared.session).await;
        if !matches!(created, Ok(CreateOutcome::Created)) {
            self.starter.withdraw(&prepared).await;
        }
        match created? {
            CreateOutcome::EmailTaken => Err(SignUpError::EmailTaken),
            CreateOutcome::Created => {
                self.events.record(SecurityEvent::AccountCreated {
                    user: user_id,
                    address: prepared.session.client.address,
                });
                let others = self.starter.credentials(shown.all().iter().copied());
                Ok(prepared.begun(tokens, Vec::new(), others))
            }
        }
    }
}
