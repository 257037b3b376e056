//! The challenge between the first and the second step of a sign-in.

use crate::{
    journal::{Actor, SecurityEvent},
    model::{
        AccountFactors, AuthMethods, Challenge, ChallengeId, ChallengeKind, ChallengedDevice,
        ChallengedUser, ClientInfo, CredentialDescriptor, DeviceId, FactorKind, KnownDevice, Label,
        ProofVersion, User,
    },
    policy::AccountPolicy,
    ports::{Clock, DeviceCredentials, Entropy, Factors, OpenChallenge, PasskeyCeremonies},
    use_cases::{
        accounts::IssuedDevice,
        parts::{Failure, Recorder, ServicePorts, ShownDevices},
    },
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// What was proved first is right, and a factor begins the session: [`SignInByFactor`](super::SignInByFactor).
#[derive(Clone, Debug)]
pub struct SecondStep {
    /// The challenge.
    pub challenge: ChallengeId,
    /// What the account can show, at least one kind, in the order in which it should be offered.
    pub factors: Vec<FactorKind>,
    /// Where a passkey is one of them: `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3 §5.1.10).
    pub public_key: Option<Value>,
    /// The time until the challenge can't be used any more.
    pub expires_in: Duration,
    /// The device of the session, whose credential the client keeps as after a sign-in, and shows with the factor.
    pub device: IssuedDevice,
}

/// A ceremony of WebAuthn that waits for its second half.
#[derive(Clone, Debug)]
pub struct PasskeyChallenge {
    /// The challenge.
    pub challenge: ChallengeId,
    /// For the client: `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3 §5.1.9, §5.1.10).
    pub public_key: Value,
    /// The time until the challenge can't be used any more.
    pub expires_in: Duration,
}

/// What was proved first.
pub(in crate::use_cases) struct FirstStep<'a> {
    /// The account as the challenge is bound to it.
    pub(in crate::use_cases) user: &'a User,
    /// The one of the shown devices that the user has signed in on.
    pub(in crate::use_cases) known: Option<KnownDevice>,
    pub(in crate::use_cases) shown: &'a ShownDevices,
    pub(in crate::use_cases) client: &'a ClientInfo,
    pub(in crate::use_cases) device_name: Option<Label>,
    pub(in crate::use_cases) by: AuthMethods,
}

/// A second step whose challenge is not stored yet.
pub(in crate::use_cases) struct PreparedStep {
    pub(in crate::use_cases) challenge: Challenge,
    pub(in crate::use_cases) step: SecondStep,
}

/// Opens second steps.
pub(in crate::use_cases) struct SecondSteps {
    store: Arc<dyn Factors>,
    ceremonies: Arc<dyn PasskeyCeremonies>,
    devices: Arc<dyn DeviceCredentials>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
    rules: AccountPolicy,
}

impl SecondSteps {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            store: ports.factors.store.clone(),
            ceremonies: ports.factors.ceremonies.clone(),
            devices: ports.devices.clone(),
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::new(ports),
            rules: ports.accounts,
        }
    }

    /// Whether what was proved is only a first step.
    pub(in crate::use_cases) fn is_needed(&self, user: &User, by: AuthMethods) -> bool {
        !by.is_multi_factor() && self.rules.needs_second_step(user)
    }

    /// The second step with these factors of the account. Nothing is written. A device that the client may keep stays the same; any other client gets a
    /// new one. `None` if there is no factor any more.
    pub(in crate::use_cases) fn prepare(
        &self,
        first: FirstStep<'_>,
        factors: &AccountFactors,
    ) -> Result<Option<PreparedStep>, Failure> {
        if !factors.set_up().any() {
            return Ok(None);
        }
        let allowed: Vec<CredentialDescriptor> = factors
            .passkeys
            .iter()
            .map(|passkey| passkey.credential.descriptor())
            .collect();
        let ceremony = if allowed.is_empty() {
            None
        } else {
            Some(self.ceremonies.begin_sign_in(Some(&allowed))?)
        };
        let kept = first.known.filter(|known| known.is_current);
        let device = kept.map_or_else(
            || DeviceId::from_random(self.entropy.bytes()),
            |known| known.id,
        );
        let now = self.clock.now();
        let (public_key, ceremony) = ceremony.map(|begun| (begun.options, begun.state)).unzip();
        let challenge = Challenge {
            id: ChallengeId::from_random(self.entropy.bytes()),
            kind: ChallengeKind::SecondStep,
            user: Some(ChallengedUser {
                id: first.user.id,
                epoch: first.user.epoch,
                session: None,
            }),
            device: Some(ChallengedDevice {
                id: device,
                is_known: kept.is_some(),
            }),
            device_name: first.device_name,
            proved: Some(first.by),
            ceremony,
            created_at: now,
            expires_at: now.plus(Challenge::LIFETIME),
            attempts_left: Challenge::ATTEMPTS,
        };
        let others = first.shown.without(device);
        let step = SecondStep {
            challenge: challenge.id,
            factors: factors.kinds(),
            public_key,
            expires_in: Challenge::LIFETIME,
            device: IssuedDevice {
                id: device,
                credential: self.devices.issue(device),
                others: others
                    .into_iter()
                    .map(|other| self.devices.issue(other))
                    .collect(),
            },
        };
        Ok(Some(PreparedStep { challenge, step }))
    }

    /// Stores the challenge, and spends the mailed code that is the first step. `None` if the account has changed meanwhile, or the code does not
    /// count any more.
    pub(in crate::use_cases) async fn open(
        &self,
        first: FirstStep<'_>,
        spends: Option<ProofVersion>,
    ) -> Result<Option<SecondStep>, Failure> {
        let (user, client) = (first.user.id, first.client);
        let requested = SecurityEvent::FactorRequested {
            user,
            address: client.address,
        };
        let factors = self.store.of(user).await?;
        let Some(PreparedStep { challenge, step }) = self.prepare(first, &factors)? else {
            return Ok(None);
        };
        let at = challenge.created_at;
        let told = move |opened: &bool| -> Vec<SecurityEvent> {
            opened.then(|| requested.clone()).into_iter().collect()
        };
        let tell = self.recorder.tell(at, Actor::User(user), told);
        let open = OpenChallenge { challenge, spends };
        let opened = self.store.open(&open, &tell).await?;
        self.recorder.record(&tell, &opened);
        Ok(opened.then_some(step))
    }
}
