//! The second step of a sign-in.

use super::{
    FactorSignInError,
    shown::{FactorCheck, RightFactor, ShownFactor},
};
use crate::{
    factors::holds,
    journal::SecurityEvent,
    model::{
        AuthMethods, Challenge, ChallengeId, ChallengeKind, ChallengedDevice, ClientInfo,
        Credentials, User,
    },
    ports::{Clock, Factors, UserRepository},
    use_cases::{
        accounts::{Begun, NotBegun, ProvedUser, SessionStarter, Spends},
        parts::{KnownClient, Recorder, RequestLimits, ServicePorts, ShownDevices},
    },
};
use secrecy::SecretString;
use std::sync::Arc;

/// A factor that is shown after what was proved first.
#[derive(Debug)]
pub struct SecondStepRequest {
    /// The challenge of the first step.
    pub challenge: ChallengeId,
    /// The factor.
    pub factor: ShownFactor,
    /// The device credentials that the client holds. That of the first step must be among them.
    pub device_credentials: Vec<SecretString>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// A challenge that may be answered, and by whom.
struct Answerable {
    challenge: Challenge,
    device: ChallengedDevice,
    proved: AuthMethods,
    /// With the one of the shown devices that the user has signed in on.
    account: Credentials,
}

/// Signs in by a factor, as a second step.
pub struct SignInByFactor {
    starter: SessionStarter,
    store: Arc<dyn Factors>,
    users: Arc<dyn UserRepository>,
    check: FactorCheck,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl SignInByFactor {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            starter: SessionStarter::new(ports),
            store: ports.factors.store.clone(),
            users: ports.users.clone(),
            check: FactorCheck::new(ports),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// Checks the factor and begins the session. Challenge and factor are spent in the commit of the session.
    ///
    /// # Errors
    /// [`FactorSignInError`]; then no session has begun, and nothing changed but the number of the challenge's attempts.
    pub async fn execute(&self, request: SecondStepRequest) -> Result<Begun, FactorSignInError> {
        let shown = self.starter.shown(&request.device_credentials);
        let Some(open) = self.answerable(&request, &shown).await? else {
            // An invented challenge writes nothing, and counts for the client's address.
            let _counted = self.limits.confirmation(&request.client).await?;
            return Err(FactorSignInError::Gone);
        };
        if !request.factor.can_be_guessed() {
            return self.answer(&request, &shown, open).await;
        }
        let known = open.account.known_device.filter(|known| known.is_current);
        let user = open.account.user.id;
        let known = known.map(|known| KnownClient::Device(user, known.id));
        let taken = self.limits.factor(user, known, &request.client).await?;
        let outcome = self.answer(&request, &shown, open).await;
        if !matches!(outcome, Err(FactorSignInError::WrongCode { .. })) {
            self.limits.give_back(taken).await;
        }
        outcome
    }

    /// The challenge, if this is the client that it was answered to, and the account is as it was then.
    async fn answerable(
        &self,
        request: &SecondStepRequest,
        shown: &ShownDevices,
    ) -> Result<Option<Answerable>, FactorSignInError> {
        let found = self.store.find(request.challenge, self.clock.now()).await?;
        let found = found
            .filter(|found| found.kind == ChallengeKind::SecondStep && found.attempts_left > 0);
        let Some(challenge) = found else {
            return Ok(None);
        };
        let (Some(user), Some(device), Some(proved)) =
            (challenge.user, challenge.device, challenge.proved)
        else {
            return Ok(None);
        };
        if shown.find(device.id).is_none() {
            return Ok(None);
        }
        let Some(account) = self.users.credentials(user.id).await? else {
            return Ok(None);
        };
        let email = &account.user.email;
        let found = self.users.credentials_by_email(email, shown.all()).await?;
        let account = found.filter(|account| holds(&challenge, &account.user));
        Ok(account.map(|account| Answerable {
            challenge,
            device,
            proved,
            account,
        }))
    }

    /// An attempt is counted before anything is compared.
    async fn answer(
        &self,
        request: &SecondStepRequest,
        shown: &ShownDevices,
        open: Answerable,
    ) -> Result<Begun, FactorSignInError> {
        let now = self.clock.now();
        let kind = ChallengeKind::SecondStep;
        let tried = self.store.attempt(open.challenge.id, kind, now).await?;
        let Some(tried) = tried else {
            return Err(FactorSignInError::Gone);
        };
        let user = &open.account.user;
        let right = match self.right(user, request, &open).await {
            Ok(right) => right,
            Err(failed) => {
                self.forgive(open.challenge.id).await;
                return Err(failed);
            }
        };
        let Some(right) = right else {
            self.refuse(user, &request.client);
            return Err(match request.factor {
                ShownFactor::Passkey(_) => FactorSignInError::CredentialRefused,
                _ => FactorSignInError::WrongCode {
                    attempts_left: tried.attempts_left,
                },
            });
        };
        let proved = ProvedUser {
            user,
            known: open.account.known_device,
            shown,
            client: &request.client,
            device_name: open.challenge.device_name.clone(),
            by: open.proved.and_factor(right.by),
            spends: Spends::Factor {
                challenge: open.challenge.id,
                device: Some(open.device),
                used: right.used,
                told: right.told(user, &request.client, &self.recorder, now),
            },
        };
        match self.starter.begin(proved).await {
            Ok(begun) => Ok(begun),
            Err(NotBegun::CodeUsed) => {
                self.refuse(user, &request.client);
                Err(FactorSignInError::CodeUsed {
                    attempts_left: tried.attempts_left,
                })
            }
            Err(not_begun) => {
                self.forgive(open.challenge.id).await;
                Err(not_begun.into())
            }
        }
    }

    async fn right(
        &self,
        user: &User,
        request: &SecondStepRequest,
        open: &Answerable,
    ) -> Result<Option<RightFactor>, FactorSignInError> {
        let factors = self.store.of(user.id).await?;
        let ceremony = open.challenge.ceremony.as_ref();
        let now = self.clock.now();
        Ok(self.check.check(&factors, &request.factor, ceremony, now)?)
    }

    /// What was right does not count as an attempt, since nothing came of it. If the store fails, it counts.
    async fn forgive(&self, challenge: ChallengeId) {
        let _ = self.store.forgive(challenge).await;
    }

    fn refuse(&self, user: &User, client: &ClientInfo) {
        self.recorder.record_event(SecurityEvent::FactorRefused {
            user: Some(user.id),
            session: None,
            address: client.address,
        });
    }
}
