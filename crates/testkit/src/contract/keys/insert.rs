//! Insertion of keys: at most one next and one active key per use.

use super::{ID, active, next, promotion};
use crate::{contract::KeysSubject, untold};
use revolve_domain::{
    keys::{Algorithm, KeyKind, KeyState, find},
    ports::KeyOutcome,
};
use tokio::task::JoinSet;

/// A new store has no keys.
pub async fn an_empty_store_has_no_keys(subject: &impl KeysSubject) {
    assert_eq!(subject.keys().list().await.expect("list works"), vec![]);
}

/// Every field is stored unchanged, whatever the bytes, the algorithm and the phase.
pub async fn a_key_reads_back_as_stored(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let mut expected = Vec::new();
    let mut previous = None;
    for (i, algorithm) in (0..).zip(Algorithm::ALL) {
        let key = next(KeyKind::Id(algorithm), 10 * i);
        assert_eq!(
            keys.insert(&key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
        let promoted = keys
            .promote(&promotion(&key, previous.as_ref(), 10 * i + 5), &untold())
            .await
            .expect("promote works");
        assert_eq!(promoted, KeyOutcome::Done);
        expected.push((
            key.id.clone(),
            key.kind,
            key.sealed.clone(),
            key.token_life,
            key.created_at,
        ));
        previous = Some(key);
    }
    for key in [
        active(KeyKind::Refresh, 100),
        next(KeyKind::Refresh, 101),
        next(ID, 102),
    ] {
        assert_eq!(
            keys.insert(&key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
        assert!(
            keys.list().await.expect("list works").contains(&key),
            "the key is stored as it was given"
        );
        expected.push((key.id, key.kind, key.sealed, key.token_life, key.created_at));
    }
    let found = keys.list().await.expect("list works").into_iter();
    let found: Vec<_> = found
        .map(|key| (key.id, key.kind, key.sealed, key.token_life, key.created_at))
        .collect();
    assert_eq!(found, expected);
}

/// Keys are listed in the order of their creation.
pub async fn keys_come_oldest_first(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let (late, early) = (next(ID, 20), active(ID, 10));
    for key in [&late, &early] {
        assert_eq!(
            keys.insert(key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
    }
    assert_eq!(keys.list().await.expect("list works"), [early, late]);
}

/// A second one changes nothing; the other use is free.
pub async fn a_use_has_one_next_and_one_active_key(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let first = [active(ID, 0), next(ID, 1)];
    for key in &first {
        assert_eq!(
            keys.insert(key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
    }
    for key in [
        active(ID, 2),
        next(ID, 3),
        active(KeyKind::Id(Algorithm::Rs256), 4),
        next(KeyKind::Id(Algorithm::Rs256), 5),
    ] {
        assert_eq!(
            keys.insert(&key, &untold()).await.expect("insert works"),
            KeyOutcome::Changed
        );
    }
    assert_eq!(keys.list().await.expect("list works"), first);
    for key in [active(KeyKind::Refresh, 6), next(KeyKind::Refresh, 7)] {
        assert_eq!(
            keys.insert(&key, &untold()).await.expect("insert works"),
            KeyOutcome::Done
        );
    }
}

/// The same id is not stored twice, of whatever use.
pub async fn an_id_is_taken_once(subject: &impl KeysSubject) {
    let keys = subject.keys();
    let key = active(ID, 0);
    assert_eq!(
        keys.insert(&key, &untold()).await.expect("insert works"),
        KeyOutcome::Done
    );
    let mut same = active(KeyKind::Refresh, 0);
    same.id = key.id.clone();
    assert_eq!(
        keys.insert(&same, &untold()).await.expect("insert works"),
        KeyOutcome::Changed
    );
    assert_eq!(keys.list().await.expect("list works"), [key]);
}

/// Replicas that start at once make one first key.
pub async fn parallel_inserts_add_one(subject: &impl KeysSubject) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let keys = subject.keys();
        tasks.spawn(async move {
            keys.insert(&active(ID, 0), &untold())
                .await
                .expect("insert works")
        });
    }
    let done = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|outcome| *outcome == KeyOutcome::Done)
        .count();
    assert_eq!(done, 1);
    let stored = subject.keys().list().await.expect("list works");
    assert_eq!(stored.len(), 1);
    assert!(find(&stored, ID.usage(), KeyState::Active).is_some());
}
