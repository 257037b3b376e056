//! The life of keys: the transitions, what is due when, and several replicas that keep the same keys.

mod keep;
mod life;
mod manage;

use revolve_domain::{
    journal::Actor,
    keys::{Algorithm, IdKeys, KeyKind, KeyPolicy, KeyUse, StoredKey},
    ports::KeyRepository,
    use_cases::{KeepKeys, KeyPorts},
};
use revolve_testkit::memory::{
    FakeClock, Faulty, MemoryKeys, MemoryRevokedKeys, RecordedRing, SeededEntropy, TestKeyMaker,
};
use std::{sync::Arc, time::Duration};

const ID: KeyKind = KeyKind::Id(Algorithm::Rs256);

const POLICY: KeyPolicy = KeyPolicy {
    key_set_max_age: Duration::from_mins(5),
    margin: Duration::from_mins(1),
    id_lifetime: Duration::from_mins(15),
    refresh_lifetime: Duration::from_hours(72),
    rotate_every: None,
};

/// Replicas over one store.
struct Installation {
    clock: Arc<FakeClock>,
    keys: Arc<MemoryKeys>,
    revoked: Arc<Faulty<MemoryRevokedKeys>>,
}

struct Replica {
    keep: KeepKeys,
    ring: Arc<RecordedRing>,
}

impl Installation {
    fn new() -> Self {
        Self {
            clock: Arc::default(),
            keys: Arc::default(),
            revoked: Arc::new(Faulty::new(MemoryRevokedKeys::default())),
        }
    }

    fn replica(&self, seed: u64) -> Replica {
        self.replica_with(seed, POLICY, IdKeys::Stored(Algorithm::Rs256))
    }

    fn replica_with(&self, seed: u64, policy: KeyPolicy, id_keys: IdKeys) -> Replica {
        let ring = Arc::new(RecordedRing::default());
        let keep = KeepKeys::new(KeyPorts {
            repository: self.keys.clone(),
            revoked: Some(self.revoked.clone()),
            maker: Arc::new(TestKeyMaker::new(seed)),
            ring: ring.clone(),
            clock: self.clock.clone(),
            entropy: Arc::new(SeededEntropy::new(7)),
            actor: Actor::System,
            policy,
            id_keys,
        });
        Replica { keep, ring }
    }

    /// The states of the keys of a use, oldest first.
    async fn states(&self, usage: KeyUse) -> Vec<&'static str> {
        self.stored(usage)
            .await
            .iter()
            .map(|key| key.phase.state().name())
            .collect()
    }

    async fn stored(&self, usage: KeyUse) -> Vec<StoredKey> {
        let keys = self.keys.list().await.expect("memory works");
        keys.into_iter()
            .filter(|key| key.kind.usage() == usage)
            .collect()
    }
}
