//! A sign-in with a passkey alone.

use super::{
    FactorSignInError,
    challenges::{Challenges, NotAnswered},
    shown::{FactorCheck, RightFactor},
};
use crate::{
    journal::SecurityEvent,
    model::{Challenge, ChallengeId, ChallengeKind, ClientInfo, Label, Passkey, User},
    ports::{Clock, Factors, PasskeyCeremonies, UserRepository},
    use_cases::{
        accounts::{Begun, ProvedUser, SessionStarter, Spends},
        parts::{Recorder, ServicePorts},
    },
};
use secrecy::SecretString;
use serde_json::Value;
use std::sync::Arc;

/// A passkey in place of address and password.
#[derive(Clone, Debug)]
pub struct PasskeySignInRequest {
    /// The challenge of [`BeginPasskeySignIn`](super::BeginPasskeySignIn).
    pub challenge: ChallengeId,
    /// `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The device credentials that the client holds. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Signs in with a passkey. Its authenticator has verified the user, so that no second step follows.
pub struct SignInByPasskey {
    starter: SessionStarter,
    challenges: Challenges,
    store: Arc<dyn Factors>,
    ceremonies: Arc<dyn PasskeyCeremonies>,
    check: FactorCheck,
    users: Arc<dyn UserRepository>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl SignInByPasskey {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            challenges: Challenges::new(ports),
            store: ports.factors.store.clone(),
            ceremonies: ports.factors.ceremonies.clone(),
            check: FactorCheck::new(ports),
            users: ports.users.clone(),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// Verifies the passkey and begins a session. The challenge is spent in the commit of the session.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Gone`, `CredentialRefused`, `Superseded`, `Limited` or `Failed`; then no session has begun.
    pub async fn execute(&self, request: PasskeySignInRequest) -> Result<Begun, FactorSignInError> {
        let kind = ChallengeKind::PasskeySignIn;
        let (id, client) = (request.challenge, &request.client);
        let tried = self.challenges.attempt(id, kind, client, |_| true).await?;
        let challenge = tried?;
        let verified = self.verify(&challenge, &request.credential).await;
        let (user, right) = match verified {
            Ok(Some(verified)) => verified,
            Ok(None) => {
                self.recorder.record_event(SecurityEvent::SignInRefused {
                    user: None,
                    address: client.address,
                });
                return Err(FactorSignInError::CredentialRefused);
            }
            Err(failed) => {
                self.challenges.forgive(id).await;
                return Err(failed);
            }
        };
        let outcome = self.begin(&request, &user, right).await;
        if outcome.is_err() {
            self.challenges.forgive(id).await;
        }
        outcome
    }

    /// The account of the passkey, if it counts. Whose passkey it is is said by its row; the user handle must say the same.
    async fn verify(
        &self,
        challenge: &Challenge,
        credential: &Value,
    ) -> Result<Option<(User, RightFactor)>, FactorSignInError> {
        let (Ok(claimed), Some(state)) = (self.ceremonies.claimed(credential), &challenge.ceremony)
        else {
            return Ok(None);
        };
        let found = self.store.by_credential(&claimed.id).await?;
        let is_owner = |passkey: &Passkey| claimed.user == Some(passkey.user);
        let Some(passkey) = found.filter(is_owner) else {
            return Ok(None);
        };
        let Ok(right) = self.check.passkey(&passkey, state, credential) else {
            return Ok(None);
        };
        let account = self.users.credentials(passkey.user).await?;
        let account = account.filter(|account| account.user.disabled_at.is_none());
        Ok(account.map(|account| (account.user, right)))
    }

    async fn begin(
        &self,
        request: &PasskeySignInRequest,
        user: &User,
        right: RightFactor,
    ) -> Result<Begun, FactorSignInError> {
        let shown = self.starter.shown(&request.device_credentials);
        let found = self
            .users
            .credentials_by_email(&user.email, shown.all())
            .await?;
        let found = found.filter(|found| found.user.id == user.id);
        let account = found.ok_or(FactorSignInError::Superseded)?;
        let now = self.clock.now();
        let proved = ProvedUser {
            user: &account.user,
            known: account.known_device,
            shown: &shown,
            client: &request.client,
            device_name: request.device_name.clone(),
            by: right.by,
            spends: Spends::Factor {
                challenge: request.challenge,
                device: None,
                used: right.used,
                told: right.told(user, &request.client, &self.recorder, now),
            },
        };
        Ok(self.starter.begin(proved).await?)
    }
}

impl From<NotAnswered> for FactorSignInError {
    fn from(not_answered: NotAnswered) -> Self {
        match not_answered {
            NotAnswered::Gone => Self::Gone,
            NotAnswered::Limited(limited) => limited.into(),
            NotAnswered::Refused => Self::CredentialRefused,
        }
    }
}
