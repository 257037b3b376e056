//! Changes of keys: each finds the keys as it expects them, or changes nothing.

use super::{ID, active, at, next, promotion};
use crate::{
    contract::{KeysSubject, given::random},
    untold,
};
use revolve_domain::{
    journal::{Actor, Tell},
    keys::{Active, KeyKind, KeyState, Phase, Retired, SealedKey, StoredKey},
    model::EventId,
    ports::{JournalQuery, KeyOutcome, KeyRepository, SecurityEvent},
};
use std::sync::Arc;
use tokio::task::JoinSet;

async fn insert(keys: &Arc<dyn KeyRepository>, key: StoredKey) -> StoredKey {
    assert_eq!(
        keys.insert(&key, &untold()).await.expect("insert works"),
        KeyOutcome::Done
    );
    key
}

async fn phase(keys: &Arc<dyn KeyRepository>, key: &StoredKey) -> Option<Phase> {
    keys.list()
        .await
        .expect("list works")
        .into_iter()
        .find(|found| found.id == key.id)
        .map(|found| found.phase)
}

/// Both keys change, and nothing else of them.
pub async fn a_promotion_swaps_two_keys(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (mut old, mut new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    let promotion = promotion(&new, Some(&old), 70);
    assert_eq!(
        keys.promote(&promotion, &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Done
    );
    old.phase = Phase::Retired(Retired {
        since: at(70),
        until: at(70 + 960),
    });
    new.phase = Phase::Active(Active { since: at(70) });
    assert_eq!(keys.list().await.expect("list works"), [old, new]);
}

/// Without an active key the next one is promoted alone.
pub async fn a_first_promotion_retires_nothing(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let new = insert(&keys, next(ID, 10)).await;
    assert_eq!(
        keys.promote(&promotion(&new, None, 20), &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Done
    );
    assert_eq!(
        phase(&keys, &new).await,
        Some(Phase::Active(Active { since: at(20) }))
    );
}

/// A promotion that was computed before another one changes nothing.
pub async fn a_promotion_needs_the_keys_as_they_were(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (old, new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    let before = keys.list().await.expect("list works");
    let stranger = next(ID, 10);
    for wrong in [
        promotion(&new, None, 70),
        promotion(&new, Some(&stranger), 70),
        promotion(&new, Some(&new), 70),
        promotion(&old, Some(&old), 70),
        promotion(&old, None, 70),
        promotion(&stranger, Some(&old), 70),
    ] {
        assert_eq!(
            keys.promote(&wrong, &untold())
                .await
                .expect("promote works"),
            KeyOutcome::Changed,
            "{wrong:?}"
        );
    }
    assert_eq!(keys.list().await.expect("list works"), before);

    let right = promotion(&new, Some(&old), 70);
    assert_eq!(
        keys.promote(&right, &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Done
    );
    let after = keys.list().await.expect("list works");
    assert_eq!(
        keys.promote(&right, &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Changed,
        "once"
    );
    assert_eq!(keys.list().await.expect("list works"), after);
}

/// Replicas that see a key due at once promote it once.
pub async fn parallel_promotions_happen_once(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (old, new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    let mut tasks = JoinSet::new();
    for i in 0..8 {
        let (keys, promotion) = (Arc::clone(&keys), promotion(&new, Some(&old), 70 + i));
        tasks.spawn(async move {
            (
                i,
                keys.promote(&promotion, &untold())
                    .await
                    .expect("promote works"),
            )
        });
    }
    let done: Vec<u64> = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|(_, outcome)| *outcome == KeyOutcome::Done)
        .map(|(i, _)| i)
        .collect();
    let [first] = done[..] else {
        panic!("one of the promotions happens, not {done:?}")
    };
    assert_eq!(
        phase(&keys, &new).await,
        Some(Phase::Active(Active {
            since: at(70 + first)
        }))
    );
    assert_eq!(
        phase(&keys, &old).await,
        Some(Phase::Retired(Retired {
            since: at(70 + first),
            until: at(70 + first + 960)
        }))
    );
}

/// Keys of ID tokens and of refresh tokens are independent.
pub async fn a_promotion_leaves_the_other_use_alone(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (old, new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    let others = [
        insert(&keys, active(KeyKind::Refresh, 0)).await,
        insert(&keys, next(KeyKind::Refresh, 10)).await,
    ];
    let crossed = promotion(&new, Some(&others[0]), 70);
    assert_eq!(
        keys.promote(&crossed, &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Changed
    );
    assert_eq!(
        keys.promote(&promotion(&new, Some(&old), 70), &untold())
            .await
            .expect("promote works"),
        KeyOutcome::Done
    );
    for other in &others {
        assert_eq!(phase(&keys, other).await, Some(other.phase));
    }
}

/// Neither a next nor a retired key retires.
pub async fn only_an_active_key_retires(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (old, new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    let (first, later) = (
        Retired {
            since: at(20),
            until: at(30),
        },
        Retired {
            since: at(21),
            until: at(31),
        },
    );
    assert_eq!(
        keys.retire(&new.id, first, &untold())
            .await
            .expect("retire works"),
        KeyOutcome::Changed
    );
    assert_eq!(
        keys.retire(&old.id, first, &untold())
            .await
            .expect("retire works"),
        KeyOutcome::Done
    );
    assert_eq!(
        keys.retire(&old.id, later, &untold())
            .await
            .expect("retire works"),
        KeyOutcome::Changed
    );
    assert_eq!(
        (phase(&keys, &old).await, phase(&keys, &new).await),
        (Some(Phase::Retired(first)), Some(new.phase))
    );
}

/// A key that was promoted meanwhile is not discarded.
pub async fn a_key_is_removed_in_its_state_only(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (old, new) = (
        insert(&keys, active(ID, 0)).await,
        insert(&keys, next(ID, 10)).await,
    );
    for state in [KeyState::Active, KeyState::Retired] {
        assert_eq!(
            keys.remove(&new.id, state, &untold())
                .await
                .expect("remove works"),
            KeyOutcome::Changed
        );
    }
    assert_eq!(
        keys.remove(&old.id, KeyState::Next, &untold())
            .await
            .expect("remove works"),
        KeyOutcome::Changed
    );
    assert_eq!(
        keys.remove(&new.id, KeyState::Next, &untold())
            .await
            .expect("remove works"),
        KeyOutcome::Done
    );
    assert_eq!(
        keys.remove(&new.id, KeyState::Next, &untold())
            .await
            .expect("remove works"),
        KeyOutcome::Changed
    );
    assert_eq!(keys.list().await.expect("list works"), [old]);
}

/// A removed key takes no place.
pub async fn a_removed_key_can_be_followed(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let first = insert(&keys, next(ID, 0)).await;
    assert_eq!(
        keys.remove(&first.id, KeyState::Next, &untold())
            .await
            .expect("remove works"),
        KeyOutcome::Done
    );
    let second = insert(&keys, next(ID, 1)).await;
    assert_eq!(keys.list().await.expect("list works"), [second]);
}

/// Two that reseal at once do it once, and nothing else of the key changes.
pub async fn a_key_is_resealed_only_as_it_was(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (key, other) = (active(ID, 1), active(KeyKind::Refresh, 2));
    for key in [&key, &other] {
        assert_eq!(
            keys.insert(key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
    }
    let (new, newer) = (
        SealedKey::new(vec![1, 0, 255]),
        SealedKey::new(vec![1, 0, 254]),
    );
    for (from, to, outcome) in [
        (&new, &newer, KeyOutcome::Changed),
        (&key.sealed, &new, KeyOutcome::Done),
        (&key.sealed, &newer, KeyOutcome::Changed),
    ] {
        assert_eq!(
            keys.reseal(&key.id, from, to, &untold())
                .await
                .expect("reseal works"),
            outcome
        );
    }
    let gone = next(KeyKind::Refresh, 3);
    assert_eq!(
        keys.reseal(&gone.id, &gone.sealed, &new, &untold())
            .await
            .expect("reseal works"),
        KeyOutcome::Changed
    );
    let resealed = StoredKey { sealed: new, ..key };
    assert_eq!(
        keys.list().await.expect("list works"),
        vec![resealed, other]
    );
}

/// Each change that is made, in its commit; one that is not made tells nothing.
pub async fn every_change_of_a_key_tells(subject: &impl KeysSubject) {
    let (keys, journal) = (subject.keys(), subject.journal_of_keys());
    let told = |number: u8, key: &StoredKey| {
        let added = SecurityEvent::KeyAdded {
            key: key.id.clone(),
        };
        let at = at(u64::from(number));
        let id = EventId::from_random(random());
        Tell::new(
            id,
            at,
            Actor::System,
            move |outcome: &KeyOutcome| match outcome {
                KeyOutcome::Done => vec![added.clone()],
                KeyOutcome::Changed => Vec::new(),
            },
        )
    };
    let (old, new, discarded) = (active(ID, 0), next(ID, 10), next(ID, 20));
    let resealed = SealedKey::new(vec![7]);
    let retired = Retired {
        since: at(80),
        until: at(90),
    };
    for outcome in [
        keys.insert(&old, &told(1, &old)).await,
        keys.insert(&new, &told(2, &new)).await,
        keys.promote(&promotion(&new, Some(&old), 70), &told(3, &new))
            .await,
        keys.reseal(&new.id, &new.sealed, &resealed, &told(4, &new))
            .await,
        keys.retire(&new.id, retired, &told(5, &new)).await,
        keys.remove(&old.id, KeyState::Retired, &told(6, &old))
            .await,
    ] {
        assert_eq!(outcome.expect("the change works"), KeyOutcome::Done);
    }
    let tell = told(7, &discarded);
    let remove = keys.remove(&discarded.id, KeyState::Next, &tell);
    assert_eq!(remove.await.expect("remove works"), KeyOutcome::Changed);
    let query = JournalQuery {
        limit: 100,
        ..JournalQuery::default()
    };
    let entries = journal.read(&query).await.expect("read works");
    let found: Vec<_> = entries
        .iter()
        .rev()
        .map(|entry| entry.details["key"].as_str())
        .collect();
    let expected = [&old, &new, &new, &new, &new, &old].map(|key| key.id.as_str());
    assert_eq!(found, expected);
}
