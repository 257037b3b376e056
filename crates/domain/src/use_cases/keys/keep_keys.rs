//! The upkeep of the keys: makes the first ones, promotes and removes those that are due, and loads the ring. Every replica does the
//! same, and the store makes sure that each step is taken once.

use crate::{
    journal::Tell,
    keys::{
        Active, IdKeys, KeyId, KeyKind, KeyPolicy, KeyState, KeyUse, Next, Phase, Promotion, Step,
        StoredKey, due, find,
    },
    model::{EventId, Timestamp},
    ports::{KeyFault, KeyOutcome, NewKey, SecurityEvent, StoreError},
    use_cases::parts::KeyPorts,
};
use std::{
    collections::BTreeSet,
    slice,
    sync::{Mutex, PoisonError},
};

/// A change of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyChange {
    /// It was made.
    Made(StoredKey),
    /// The first key is active now; the second, if any, is retired.
    Promoted(KeyId, Option<KeyId>),
    /// It was deleted.
    Removed(KeyId),
    /// It was deleted because it is revoked: it had come back, as with an old backup of the user database.
    Refused(KeyId),
}

/// The upkeep failed.
#[derive(Debug, thiserror::Error)]
pub enum KeysFailed {
    /// The user database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key could not be made or opened.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

/// Keeps the keys.
pub struct KeepKeys {
    pub(super) ports: KeyPorts,
    /// The revoked keys that were met, for when it can't be asked which ones are.
    refused: Mutex<BTreeSet<KeyId>>,
}

/// The keys of the user database.
struct Found {
    /// Those in use.
    keys: Vec<StoredKey>,
    /// Those that are revoked.
    refused: Vec<StoredKey>,
}

impl KeepKeys {
    /// Keeps the keys of these ports.
    pub const fn new(ports: KeyPorts) -> Self {
        Self {
            ports,
            refused: Mutex::new(BTreeSet::new()),
        }
    }

    /// Takes the steps that are due and loads the ring. Call it before the first token, and then every few seconds.
    ///
    /// # Errors
    /// [`KeysFailed`]; then the ring is as it was, and trying again is safe.
    pub async fn execute(&self) -> Result<Vec<KeyChange>, KeysFailed> {
        let Found { mut keys, refused } = self.find().await?;
        let mut changes = Vec::new();
        for key in refused {
            if self.remove(&key.id, key.phase.state()).await? == KeyOutcome::Done {
                changes.push(KeyChange::Refused(key.id));
            }
        }
        // One step may make another one due. The next round sees the steps of other replicas.
        for _ in 0..3 {
            let steps = due(
                &keys,
                self.ports.id_keys,
                &self.ports.policy,
                self.ports.clock.now(),
            );
            if steps.is_empty() {
                break;
            }
            for step in steps {
                changes.extend(self.take(step, &keys).await?);
            }
            keys = self.load().await?;
        }
        Ok(changes)
    }

    /// Makes the next key if the active one is for another algorithm than the one that is configured: once per start, so
    /// that replicas with different configurations do not replace each other's keys again and again.
    ///
    /// # Errors
    /// [`KeysFailed`].
    pub async fn adopt_algorithm(&self) -> Result<Option<KeyChange>, KeysFailed> {
        let IdKeys::Stored(algorithm) = self.ports.id_keys else {
            return Ok(None);
        };
        let (keys, kind) = (self.load().await?, KeyKind::Id(algorithm));
        let is_other =
            find(&keys, KeyUse::Id, KeyState::Active).is_some_and(|key| key.kind != kind);
        if !is_other || find(&keys, KeyUse::Id, KeyState::Next).is_some() {
            return Ok(None);
        }
        let change = self.take(Step::Make(kind), &keys).await?;
        self.load().await?;
        Ok(change)
    }

    /// Reads the keys and loads the ring with those that are not revoked. A replica that can't open them must not add any, either.
    ///
    /// # Errors
    /// [`KeysFailed`].
    pub async fn load(&self) -> Result<Vec<StoredKey>, KeysFailed> {
        Ok(self.find().await?.keys)
    }

    async fn find(&self) -> Result<Found, KeysFailed> {
        let stored = self.ports.repository.list().await?;
        let ids: Vec<_> = stored.iter().map(|key| key.id.clone()).collect();
        let revoked = self.revoked(&ids).await;
        let (refused, keys) = stored
            .into_iter()
            .partition::<Vec<_>, _>(|key| revoked.contains(&key.id));
        self.ports.ring.load(&keys)?;
        Ok(Found { keys, refused })
    }

    /// Those of these keys that are revoked; if that can't be asked, those that were met before. An outage of that store must not keep a key
    /// in use that an operator has just removed.
    async fn revoked(&self, keys: &[KeyId]) -> BTreeSet<KeyId> {
        let answer = match &self.ports.revoked {
            Some(revoked) if !keys.is_empty() => revoked.among(keys).await.unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.extend(answer);
        refused.clone()
    }

    async fn take(&self, step: Step, keys: &[StoredKey]) -> Result<Option<KeyChange>, KeysFailed> {
        let now = self.ports.clock.now();
        let (done, change) = match step {
            Step::Begin(kind) => {
                let is_first = keys.iter().all(|key| key.kind.usage() != kind.usage());
                let new = if is_first {
                    self.first(kind).await?
                } else {
                    self.ports.maker.make(kind)?
                };
                let key = stored(
                    new,
                    &self.ports.policy,
                    now,
                    Phase::Active(Active::begin(now)),
                );
                (self.insert(&key).await?, KeyChange::Made(key))
            }
            Step::Make(kind) => {
                let key = next(self.ports.maker.make(kind)?, &self.ports.policy, now);
                (self.insert(&key).await?, KeyChange::Made(key))
            }
            Step::Promote(promotion) => {
                let done = self.promote(&promotion).await?;
                (
                    done,
                    KeyChange::Promoted(promotion.next, promotion.retires.map(|(id, _)| id)),
                )
            }
            Step::Remove(id) => (
                self.remove(&id, KeyState::Retired).await?,
                KeyChange::Removed(id),
            ),
        };
        Ok((done == KeyOutcome::Done).then_some(change))
    }

    pub(super) async fn insert(&self, key: &StoredKey) -> Result<KeyOutcome, StoreError> {
        let added = SecurityEvent::KeyAdded {
            key: key.id.clone(),
        };
        let tell = self.tell(vec![added]);
        self.ports.repository.insert(key, &tell).await
    }

    pub(super) async fn promote(&self, promotion: &Promotion) -> Result<KeyOutcome, StoreError> {
        let promoted = SecurityEvent::KeyPromoted {
            key: promotion.next.clone(),
        };
        let retired = promotion.retires.as_ref().map(|(id, _)| id.clone());
        let retired = retired.map(|key| SecurityEvent::KeyRetired { key });
        let tell = self.tell(retired.into_iter().chain([promoted]).collect());
        self.ports.repository.promote(promotion, &tell).await
    }

    pub(super) async fn remove(
        &self,
        key: &KeyId,
        state: KeyState,
    ) -> Result<KeyOutcome, StoreError> {
        let tell = self.tell(vec![SecurityEvent::KeyRemoved { key: key.clone() }]);
        self.ports.repository.remove(key, state, &tell).await
    }

    /// What a change of keys tells, if it is made.
    pub(super) fn tell(&self, events: Vec<SecurityEvent>) -> Tell<KeyOutcome> {
        let told = move |outcome: &KeyOutcome| match outcome {
            KeyOutcome::Done => events.clone(),
            KeyOutcome::Changed => Vec::new(),
        };
        Tell::new(
            EventId::from_random(self.ports.entropy.bytes()),
            self.ports.clock.now(),
            self.ports.actor,
            told,
        )
    }

    /// The first key of a use. It may be the same each time, and has been revoked if that one was stolen.
    async fn first(&self, kind: KeyKind) -> Result<NewKey, KeysFailed> {
        let first = self.ports.maker.first(kind)?;
        if self
            .revoked(slice::from_ref(&first.id))
            .await
            .contains(&first.id)
        {
            return Ok(self.ports.maker.make(kind)?);
        }
        Ok(first)
    }
}

/// A key that is published now.
pub(super) fn next(new: NewKey, policy: &KeyPolicy, now: Timestamp) -> StoredKey {
    let lead = policy.lead(new.kind.usage());
    stored(new, policy, now, Phase::Next(Next::publish(now, lead)))
}

fn stored(new: NewKey, policy: &KeyPolicy, now: Timestamp, phase: Phase) -> StoredKey {
    let NewKey { id, kind, sealed } = new;
    StoredKey {
        id,
        kind,
        sealed,
        token_life: policy.token_life(kind.usage()),
        created_at: now,
        phase,
    }
}
