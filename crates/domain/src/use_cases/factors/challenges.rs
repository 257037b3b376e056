//! Challenges of ceremonies: opened, and answered.

use super::PasskeyChallenge;
use crate::{
    journal::{Actor, SecurityEvent},
    model::{
        Challenge, ChallengeId, ChallengeKind, ChallengedUser, ClientInfo, CredentialDescriptor,
        Passkey, PasskeyCredential,
    },
    ports::{Ceremony, Clock, Entropy, Factors, OpenChallenge, PasskeyCeremonies, StoreError},
    use_cases::{
        parts::{Denied, Limited, Recorder, RequestLimits, ServicePorts},
        sessions::Authenticated,
    },
};
use serde_json::Value;
use std::sync::Arc;

/// Opens and answers challenges of ceremonies.
pub(in crate::use_cases) struct Challenges {
    store: Arc<dyn Factors>,
    ceremonies: Arc<dyn PasskeyCeremonies>,
    limits: RequestLimits,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
}

/// Why a challenge of a ceremony is not answered.
pub(in crate::use_cases) enum NotAnswered {
    /// It is spent, expired or unknown, or not this caller's.
    Gone,
    Limited(Limited),
    /// The passkey does not count.
    Refused,
}

impl Challenges {
    pub(in crate::use_cases) fn new(ports: &ServicePorts) -> Self {
        Self {
            store: ports.factors.store.clone(),
            ceremonies: ports.factors.ceremonies.clone(),
            limits: RequestLimits::new(ports),
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// Stores a challenge; `None` if the account has changed meanwhile. It is no event: nobody has proved or changed anything by it.
    pub(in crate::use_cases) async fn open(
        &self,
        kind: ChallengeKind,
        user: Option<ChallengedUser>,
        ceremony: Ceremony,
    ) -> Result<Option<PasskeyChallenge>, StoreError> {
        let now = self.clock.now();
        let challenge = Challenge {
            id: ChallengeId::from_random(self.entropy.bytes()),
            kind,
            user,
            device: None,
            device_name: None,
            proved: None,
            ceremony: Some(ceremony.state),
            created_at: now,
            expires_at: now.plus(Challenge::LIFETIME),
            attempts_left: Challenge::ATTEMPTS,
        };
        let opened = PasskeyChallenge {
            challenge: challenge.id,
            public_key: ceremony.options,
            expires_in: Challenge::LIFETIME,
        };
        let actor = user.map_or(Actor::Stranger, |user| Actor::User(user.id));
        let open = OpenChallenge {
            challenge,
            spends: None,
        };
        let tell = self
            .recorder
            .tell(now, actor, |_: &bool| Vec::<SecurityEvent>::new());
        let is_open = self.store.open(&open, &tell).await?;
        Ok(is_open.then_some(opened))
    }

    /// Counts an attempt of a challenge that is open and `is_own`, and answers it. An invented one writes nothing, and counts for the client's
    /// address.
    pub(in crate::use_cases) async fn attempt(
        &self,
        id: ChallengeId,
        kind: ChallengeKind,
        client: &ClientInfo,
        is_own: impl Fn(&Challenge) -> bool + Send + Sync,
    ) -> Result<Result<Challenge, NotAnswered>, StoreError> {
        let now = self.clock.now();
        let found = self.store.find(id, now).await?;
        if found.is_some_and(|found| found.kind == kind && is_own(&found))
            && let Some(tried) = self.store.attempt(id, kind, now).await?
        {
            return Ok(Ok(tried));
        }
        match self.limits.confirmation(client).await {
            Ok(_counted) => Ok(Err(NotAnswered::Gone)),
            Err(Denied::Limited(limited)) => Ok(Err(NotAnswered::Limited(limited))),
            Err(Denied::Failed(error)) => Err(error),
        }
    }

    /// What was right does not count as an attempt, since nothing came of it. If the store fails, it counts.
    pub(in crate::use_cases) async fn forgive(&self, id: ChallengeId) {
        let _ = self.store.forgive(id).await;
    }

    /// The passkey that answers a registration.
    pub(in crate::use_cases) fn registered(
        &self,
        challenge: &Challenge,
        credential: &Value,
    ) -> Result<PasskeyCredential, NotAnswered> {
        let state = challenge.ceremony.as_ref().ok_or(NotAnswered::Gone)?;
        let registered = self.ceremonies.finish_registration(state, credential);
        registered.map_err(|_| NotAnswered::Refused)
    }

    /// A passkey did not count.
    pub(in crate::use_cases) fn refuse(&self, client: &ClientInfo) {
        self.recorder.record_event(SecurityEvent::FactorRefused {
            user: None,
            session: None,
            address: client.address,
        });
    }

    /// What was shown in a session did not count.
    pub(in crate::use_cases) fn refuse_in(&self, asking: &Authenticated, client: &ClientInfo) {
        self.recorder.record_event(SecurityEvent::FactorRefused {
            user: Some(asking.user.id),
            session: Some(asking.session.id),
            address: client.address,
        });
    }
}

/// What names the passkeys of an account in the options of a ceremony.
pub(in crate::use_cases) fn descriptors(passkeys: &[Passkey]) -> Vec<CredentialDescriptor> {
    let credentials = passkeys.iter().map(|passkey| &passkey.credential);
    credentials.map(PasskeyCredential::descriptor).collect()
}
