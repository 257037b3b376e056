//! Keys in memory, and stand-ins for keys.

use super::{SeededEntropy, lock};
use async_trait::async_trait;
use revolve_domain::{
    keys::{KeyId, KeyKind, KeyState, Phase, Promotion, Retired, SealedKey, StoredKey, find},
    ports::{
        Entropy, KeyFault, KeyMaker, KeyOutcome, KeyRepository, KeyRing, NewKey, RevokedKeys,
        StoreError,
    },
};
use std::{collections::BTreeSet, sync::Mutex};

/// The keys of a user database, behind one lock, so that every method is one commit.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    keys: Mutex<Vec<StoredKey>>,
}

#[async_trait]
impl KeyRepository for MemoryKeys {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = lock(&self.keys).clone();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn insert(&self, key: &StoredKey) -> Result<KeyOutcome, StoreError> {
        let mut keys = lock(&self.keys);
        let taken = find(&keys, key.kind.usage(), key.phase.state()).is_some()
            || keys.iter().any(|other| other.id == key.id);
        if !taken {
            keys.push(key.clone());
        }
        Ok(outcome(!taken))
    }

    async fn promote(&self, promotion: &Promotion) -> Result<KeyOutcome, StoreError> {
        let mut keys = lock(&self.keys);
        let Some(next) = keys.iter().find(|key| key.id == promotion.next) else {
            return Ok(KeyOutcome::Changed);
        };
        let active = find(&keys, next.kind.usage(), KeyState::Active).map(|key| key.id.clone());
        let expected = promotion.retires.as_ref().map(|(id, _)| id);
        if next.phase.state() != KeyState::Next || active.as_ref() != expected {
            return Ok(KeyOutcome::Changed);
        }
        for key in keys.iter_mut() {
            match &promotion.retires {
                Some((id, retired)) if *id == key.id => key.phase = Phase::Retired(*retired),
                _ if key.id == promotion.next => key.phase = Phase::Active(promotion.active),
                _ => {}
            }
        }
        Ok(KeyOutcome::Done)
    }

    async fn retire(&self, id: &KeyId, retired: Retired) -> Result<KeyOutcome, StoreError> {
        let mut keys = lock(&self.keys);
        let key = keys
            .iter_mut()
            .find(|key| key.id == *id && key.phase.state() == KeyState::Active);
        Ok(outcome(
            key.map(|key| key.phase = Phase::Retired(retired)).is_some(),
        ))
    }

    async fn reseal(
        &self,
        id: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
    ) -> Result<KeyOutcome, StoreError> {
        let mut keys = lock(&self.keys);
        let key = keys
            .iter_mut()
            .find(|key| key.id == *id && key.sealed == *from);
        Ok(outcome(key.map(|key| key.sealed = to.clone()).is_some()))
    }

    async fn remove(&self, id: &KeyId, state: KeyState) -> Result<KeyOutcome, StoreError> {
        let mut keys = lock(&self.keys);
        let before = keys.len();
        keys.retain(|key| key.id != *id || key.phase.state() != state);
        Ok(outcome(keys.len() < before))
    }
}

fn outcome(done: bool) -> KeyOutcome {
    if done {
        KeyOutcome::Done
    } else {
        KeyOutcome::Changed
    }
}

/// The keys that are revoked.
#[derive(Debug, Default)]
pub struct MemoryRevokedKeys {
    revoked: Mutex<BTreeSet<KeyId>>,
}

#[async_trait]
impl RevokedKeys for MemoryRevokedKeys {
    async fn revoke(&self, key: &KeyId) -> Result<(), StoreError> {
        lock(&self.revoked).insert(key.clone());
        Ok(())
    }

    async fn among(&self, keys: &[KeyId]) -> Result<Vec<KeyId>, StoreError> {
        let revoked = lock(&self.revoked);
        Ok(keys
            .iter()
            .filter(|key| revoked.contains(key))
            .cloned()
            .collect())
    }
}

/// Makes keys with random names and no secret.
#[derive(Debug)]
pub struct TestKeyMaker(SeededEntropy);

impl TestKeyMaker {
    /// Starts with this seed.
    pub const fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }
}

impl KeyMaker for TestKeyMaker {
    fn make(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        let id = format!("{}-{}", kind.usage(), u128::from_be_bytes(self.0.bytes()));
        Ok(NewKey {
            id: id.parse().expect("a key's name"),
            kind,
            sealed: SealedKey::new(vec![1, 2, 3]),
        })
    }

    fn reseal(&self, key: &StoredKey) -> Result<Option<SealedKey>, KeyFault> {
        let present = SealedKey::new(vec![1, 2, 3]);
        Ok((key.sealed != present).then_some(present))
    }
}

/// Records the keys that it was loaded with.
#[derive(Debug, Default)]
pub struct RecordedRing {
    keys: Mutex<Vec<StoredKey>>,
}

impl RecordedRing {
    /// The loaded keys.
    pub fn keys(&self) -> Vec<StoredKey> {
        lock(&self.keys).clone()
    }
}

impl KeyRing for RecordedRing {
    fn load(&self, keys: &[StoredKey]) -> Result<(), KeyFault> {
        *lock(&self.keys) = keys.to_vec();
        Ok(())
    }
}
