//! Operators' management of API keys.

use crate::{
    journal::{Actor, SecurityEvent},
    model::{ApiKey, ApiKeyId, ApiKeyScope, ApiKeyStanding, Label, ShownApiKey},
    ports::{ApiKeys, Clock, Entropy, RevokeOutcome, StoredApiKey},
    use_cases::parts::{Failure, OperatorPorts, Recorder},
};
use secrecy::SecretString;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// A key to make.
#[derive(Clone, Debug)]
pub struct ApiKeyRequest {
    /// What to call it.
    pub name: Label,
    /// What it may do.
    pub scopes: BTreeSet<ApiKeyScope>,
    /// How long it counts; at most [`ApiKey::LONGEST`].
    pub lifetime: Duration,
}

/// A key that was just made.
#[derive(Debug)]
pub struct CreatedApiKey {
    /// The key.
    pub key: ApiKey,
    /// What its program shows. It is nowhere else.
    pub secret: SecretString,
}

/// Makes, lists and revokes API keys.
pub struct ManageApiKeys {
    keys: Arc<dyn ApiKeys>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
}

impl ManageApiKeys {
    pub(crate) fn new(ports: &OperatorPorts, keys: Arc<dyn ApiKeys>) -> Self {
        Self {
            keys,
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), None),
        }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`Failure`]; then there may be a key whose secret nobody knows.
    pub async fn create(&self, request: ApiKeyRequest) -> Result<CreatedApiKey, Failure> {
        let now = self.clock.now();
        let id = ApiKeyId::from_random(self.entropy.bytes());
        let halves = [self.entropy.bytes(), self.entropy.bytes()];
        let (secret, shown) = ShownApiKey::make(id, halves);
        let key = ApiKey {
            id,
            name: request.name,
            scopes: request.scopes,
            created_at: now,
            expires_at: now.plus(request.lifetime.min(ApiKey::LONGEST)),
            revoked_at: None,
            used_at: None,
        };
        let stored = StoredApiKey {
            key: key.clone(),
            fingerprint: shown.fingerprint,
        };
        let told = move |(): &()| vec![SecurityEvent::ApiKeyCreated { api_key: id }];
        let tell = self.recorder.tell(now, Actor::Operator, told);
        self.keys.add(&stored, &tell).await?;
        self.recorder.record(&tell, &());
        Ok(CreatedApiKey { key, secret })
    }

    /// Every key, those that do not count any more included, the oldest first, each with whether it counts.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn list(&self) -> Result<Vec<(ApiKey, ApiKeyStanding)>, Failure> {
        let now = self.clock.now();
        let keys = self.keys.list().await?.into_iter();
        let with_standing = keys.map(|key| {
            let standing = key.standing(now);
            (key, standing)
        });
        Ok(with_standing.collect())
    }

    /// Revokes a key: no request that begins after the answer is carried out with it.
    ///
    /// # Errors
    /// [`Failure`]; doing it again is safe.
    pub async fn revoke(&self, id: ApiKeyId) -> Result<RevokeOutcome, Failure> {
        let now = self.clock.now();
        let told = move |outcome: &RevokeOutcome| match outcome {
            RevokeOutcome::Revoked => vec![SecurityEvent::ApiKeyRevoked { api_key: id }],
            RevokeOutcome::AlreadyRevoked | RevokeOutcome::NotFound => Vec::new(),
        };
        let tell = self.recorder.tell(now, Actor::Operator, told);
        let outcome = self.keys.revoke(id, now, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }
}
