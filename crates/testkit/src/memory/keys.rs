//! Keys in memory, and stand-ins for keys.

use super::{SeededEntropy, journal::Entries, lock};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    keys::{KeyId, KeyKind, KeyState, Phase, Promotion, Retired, SealedKey, StoredKey, find},
    model::Timestamp,
    ports::{
        Entropy, Followed, Journal, JournalCursor, JournalQuery, JournalRecord, KeyFault, KeyMaker,
        KeyOutcome, KeyRepository, KeyRing, NewKey, RevokedKeys, StoreError,
    },
};
use std::{collections::BTreeSet, sync::Mutex};

/// The keys of a user database and what was told of them, behind one lock, so that every method is one commit.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    tables: Mutex<KeyTables>,
}

#[derive(Debug, Default)]
struct KeyTables {
    keys: Vec<StoredKey>,
    journal: Entries,
}

impl MemoryKeys {
    /// One commit, with what its outcome tells.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the methods of ports answer it as it is"
    )]
    fn change(
        &self,
        tell: &Tell<KeyOutcome>,
        work: impl FnOnce(&mut Vec<StoredKey>) -> bool,
    ) -> Result<KeyOutcome, StoreError> {
        let mut tables = lock(&self.tables);
        let outcome = outcome(work(&mut tables.keys));
        tables.journal.tell(tell, &outcome);
        Ok(outcome)
    }
}

#[async_trait]
impl KeyRepository for MemoryKeys {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = lock(&self.tables).keys.clone();
        keys.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(keys)
    }

    async fn insert(
        &self,
        key: &StoredKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.change(tell, |keys| {
            let taken = find(keys, key.kind.usage(), key.phase.state()).is_some()
                || keys.iter().any(|other| other.id == key.id);
            if !taken {
                keys.push(key.clone());
            }
            !taken
        })
    }

    async fn promote(
        &self,
        promotion: &Promotion,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.change(tell, |keys| promote(keys, promotion))
    }

    async fn retire(
        &self,
        id: &KeyId,
        retired: Retired,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.change(tell, |keys| {
            let key = keys
                .iter_mut()
                .find(|key| key.id == *id && key.phase.state() == KeyState::Active);
            key.map(|key| key.phase = Phase::Retired(retired)).is_some()
        })
    }

    async fn reseal(
        &self,
        id: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.change(tell, |keys| {
            let key = keys
                .iter_mut()
                .find(|key| key.id == *id && key.sealed == *from);
            key.map(|key| key.sealed = to.clone()).is_some()
        })
    }

    async fn remove(
        &self,
        id: &KeyId,
        state: KeyState,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.change(tell, |keys| {
            let before = keys.len();
            keys.retain(|key| key.id != *id || key.phase.state() != state);
            keys.len() < before
        })
    }
}

fn promote(keys: &mut [StoredKey], promotion: &Promotion) -> bool {
    let Some(next) = keys.iter().find(|key| key.id == promotion.next) else {
        return false;
    };
    let active = find(keys, next.kind.usage(), KeyState::Active).map(|key| key.id.clone());
    let expected = promotion.retires.as_ref().map(|(id, _)| id);
    if next.phase.state() != KeyState::Next || active.as_ref() != expected {
        return false;
    }
    for key in keys.iter_mut() {
        match &promotion.retires {
            Some((id, retired)) if *id == key.id => key.phase = Phase::Retired(*retired),
            _ if key.id == promotion.next => key.phase = Phase::Active(promotion.active),
            _ => {}
        }
    }
    true
}

#[async_trait]
impl Journal for MemoryKeys {
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError> {
        Ok(lock(&self.tables).journal.read(query))
    }

    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError> {
        Ok(lock(&self.tables).journal.follow(after, limit))
    }

    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError> {
        let mut tables = lock(&self.tables);
        for note in notes {
            tables.journal.note(note.clone());
        }
        Ok(())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        Ok(lock(&self.tables).journal.prune(before, limit))
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
