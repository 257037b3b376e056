//! The upkeep of the keys: makes the first ones, promotes and removes those that are due, and loads the ring. Every replica does the
//! same, and the store makes sure that each step is taken once.

use crate::{
    keys::{
        Active, IdKeys, KeyId, KeyKind, KeyPolicy, KeyState, KeyUse, Next, Phase, Step, StoredKey,
        due, find,
    },
    model::Timestamp,
    ports::{KeyFault, KeyOutcome, NewKey, StoreError},
    use_cases::parts::KeyPorts,
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
}

impl KeepKeys {
    /// Keeps the keys of these ports.
    pub const fn new(ports: KeyPorts) -> Self {
        Self { ports }
    }

    /// Takes the steps that are due and loads the ring. Call it before the first token, and then every few seconds.
    ///
    /// # Errors
    /// [`KeysFailed`]; then the ring is as it was, and trying again is safe.
    pub async fn execute(&self) -> Result<Vec<KeyChange>, KeysFailed> {
        let mut keys = self.load().await?;
        let mut changes = Vec::new();
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

    /// Reads the keys and loads the ring with them. A replica that can't open them must not add any, either.
    ///
    /// # Errors
    /// [`KeysFailed`].
    pub async fn load(&self) -> Result<Vec<StoredKey>, KeysFailed> {
        let keys = self.ports.repository.list().await?;
        self.ports.ring.load(&keys)?;
        Ok(keys)
    }

    async fn take(&self, step: Step, keys: &[StoredKey]) -> Result<Option<KeyChange>, KeysFailed> {
        let now = self.ports.clock.now();
        let (done, change) = match step {
            Step::Begin(kind) => {
                let is_first = keys.iter().all(|key| key.kind.usage() != kind.usage());
                let new = if is_first {
                    self.ports.maker.first(kind)?
                } else {
                    self.ports.maker.make(kind)?
                };
                let key = stored(
                    new,
                    &self.ports.policy,
                    now,
                    Phase::Active(Active::begin(now)),
                );
                (
                    self.ports.repository.insert(&key).await?,
                    KeyChange::Made(key),
                )
            }
            Step::Make(kind) => {
                let key = next(self.ports.maker.make(kind)?, &self.ports.policy, now);
                (
                    self.ports.repository.insert(&key).await?,
                    KeyChange::Made(key),
                )
            }
            Step::Promote(promotion) => {
                let done = self.ports.repository.promote(&promotion).await?;
                (
                    done,
                    KeyChange::Promoted(promotion.next, promotion.retires.map(|(id, _)| id)),
                )
            }
            Step::Remove(id) => (
                self.ports.repository.remove(&id, KeyState::Retired).await?,
                KeyChange::Removed(id),
            ),
        };
        Ok((done == KeyOutcome::Done).then_some(change))
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
