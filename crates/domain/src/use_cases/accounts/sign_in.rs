//! A new session of an account.

use super::{
    begin_session::{NotBegun, ProvedUser, Spends},
    session_starter::{Begun, SessionStarter, SignInRequest},
};
use crate::{
    journal::SecurityEvent,
    model::{AuthMethods, Credentials, KnownDevice, User},
    ports::{HashFlow, PasswordCheck, PasswordHasher, SecurityEvents, StoreError, UserRepository},
    use_cases::{
        factors::SecondStep,
        parts::{
            AccountPasswords, Failure, KnownClient, Limited, PasswordAttempt, RequestLimits,
            ServicePorts, ShownDevices, from_denied, from_via,
        },
    },
};
use std::sync::Arc;

/// Why there is no new session.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, a wrong password or a disabled account: the answer does not say which.
    #[error("e-mail address or password is wrong")]
    InvalidCredentials,
    /// All sessions of the account were ended, or reuse was found on the device, while this one was about to begin.
    #[error("sessions of the account were ended during the sign-in; sign in again")]
    Superseded,
    /// There were too many attempts; the password was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// What was shown is right, and the account needs a second step before a session begins.
    #[error("a second factor is needed")]
    FactorRequired(Box<SecondStep>),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(SignInError);
from_via!(SignInError: StoreError => Failure);

impl From<NotBegun> for SignInError {
    fn from(not_begun: NotBegun) -> Self {
        match not_begun {
            NotBegun::SecondStep(step) => Self::FactorRequired(step),
            // A password spends no proof.
            NotBegun::Superseded | NotBegun::ProofGone | NotBegun::CodeUsed => Self::Superseded,
            NotBegun::Failed(failure) => failure.into(),
        }
    }
}

/// Signs in.
pub struct SignIn {
    starter: SessionStarter,
    users: Arc<dyn UserRepository>,
    hasher: Arc<dyn PasswordHasher>,
    passwords: AccountPasswords,
    limits: RequestLimits,
    events: Arc<dyn SecurityEvents>,
}

impl SignIn {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            users: ports.users.clone(),
            hasher: ports.hasher.clone(),
            passwords: AccountPasswords::new(ports),
            limits: RequestLimits::new(ports),
            events: ports.events.clone(),
        }
    }

    /// Checks the password and begins a session, or the second step of the sign-in.
    ///
    /// # Errors
    /// [`SignInError`]; then no session has begun.
    pub async fn execute(&self, request: SignInRequest) -> Result<Begun, SignInError> {
        let shown = self.starter.shown(&request.device_credentials);
        let (user, known) = self.check(&request, &shown).await?;
        let proved = ProvedUser {
            user: &user,
            known,
            shown: &shown,
            client: &request.client,
            device_name: request.device_name,
            by: AuthMethods::PASSWORD,
            spends: Spends::Nothing,
        };
        Ok(self.starter.begin(proved).await?)
    }

    /// Only a password that was found wrong counts: what was taken for any other attempt is given back.
    async fn check(
        &self,
        request: &SignInRequest,
        shown: &ShownDevices,
    ) -> Result<(User, Option<KnownDevice>), SignInError> {
        // Whether this user has signed in on the device is not known before a store is asked.
        let mut flow = self
            .limits
            .flow(&request.email, &request.client, !shown.all().is_empty());
        self.hasher.admit(&flow)?;
        let attempt = |known| PasswordAttempt {
            email: &request.email,
            client: &request.client,
            known,
        };
        let (held, found) = if shown.all().is_empty() {
            // Without a credential this is a stranger: a refusal costs the user database nothing.
            (
                self.limits.password(attempt(None)).await?,
                self.users.credentials_by_email(&request.email, &[]).await,
            )
        } else {
            let found = self
                .users
                .credentials_by_email(&request.email, shown.all())
                .await?;
            let known = found.as_ref().and_then(|found| {
                let device = found.known_device?;
                Some(KnownClient::Device(found.user.id, device.id))
            });
            flow.known = known.is_some();
            if !flow.known {
                // A stranger with a borrowed credential is refused as all strangers are, before the limits.
                self.hasher.admit(&flow)?;
            }
            (self.limits.password(attempt(known)).await?, Ok(found))
        };
        let judged = match found {
            Ok(found) => self.judge(request, &flow, found).await,
            Err(error) => Err(error.into()),
        };
        if !matches!(judged, Err(SignInError::InvalidCredentials)) {
            self.limits.give_back(held).await;
        }
        judged
    }

    /// The work is the same whatever the outcome, and so is every refusal.
    async fn judge(
        &self,
        request: &SignInRequest,
        flow: &HashFlow,
        found: Option<Credentials>,
    ) -> Result<(User, Option<KnownDevice>), SignInError> {
        let check = self
            .passwords
            .check(flow, &request.password, found.as_ref())
            .await?;
        let known = found.as_ref().map(|found| found.user.id);
        match (found, check) {
            (Some(found), PasswordCheck::Match { outdated })
                if found.user.disabled_at.is_none() =>
            {
                // The password was right: a hash that can't be renewed at once is renewed at another sign-in.
                if outdated
                    && let Ok(Some(new)) = self.hasher.try_hash(flow, &request.password).await
                {
                    let _ = self.users.rehash(found.user.id, &found.hash, &new).await;
                }
                Ok((found.user, found.known_device))
            }
            _ => {
                self.events.record(SecurityEvent::SignInRefused {
                    user: known,
                    address: request.client.address,
                });
                Err(SignInError::InvalidCredentials)
            }
        }
    }
}
