//! What replicas do by themselves.

use super::{ID, Installation, POLICY, Replica};
use revolve_domain::{
    journal::Actor,
    keys::{Algorithm, IdKeys, KeyKind, KeyPolicy, KeyState, KeyUse, StoredKey, find},
    ports::{Clock, KeyFault, KeyMaker, KeyOutcome, KeyRepository, NewKey, RevokedKeys},
    use_cases::{KeepKeys, KeyChange, KeyPorts, ManageKeys},
};
use revolve_testkit::{
    memory::{Fault, RecordedRing, SeededEntropy, TestKeyMaker},
    untold,
};
use std::{sync::Arc, time::Duration};

#[tokio::test]
async fn the_first_replica_makes_the_first_keys_and_they_sign_at_once() {
    let here = Installation::new();
    let (one, two) = (here.replica(1), here.replica(2));
    assert_eq!(one.keep.execute().await.unwrap().len(), 2);
    assert_eq!(two.keep.execute().await.unwrap(), []);
    for usage in KeyUse::ALL {
        assert_eq!(here.states(usage).await, ["active"]);
    }
    assert_eq!(one.ring.keys(), two.ring.keys());
}

#[tokio::test]
async fn replicas_that_start_at_once_agree_on_the_first_keys() {
    let here = Installation::new();
    let replicas = [here.replica(1), here.replica(2), here.replica(3)];
    // All of them have found nothing before the first of them stores something.
    let key = |seed| {
        let (maker, now) = (
            revolve_testkit::memory::TestKeyMaker::new(seed),
            here.clock.now(),
        );
        let new = revolve_domain::ports::KeyMaker::make(&maker, ID).unwrap();
        revolve_domain::keys::StoredKey {
            id: new.id,
            kind: ID,
            sealed: new.sealed,
            token_life: POLICY.id_lifetime,
            created_at: now,
            phase: revolve_domain::keys::Phase::Active(revolve_domain::keys::Active::begin(now)),
        }
    };
    assert_eq!(
        here.keys.insert(&key(1), &untold()).await.unwrap(),
        KeyOutcome::Done
    );
    assert_eq!(
        here.keys.insert(&key(2), &untold()).await.unwrap(),
        KeyOutcome::Changed
    );
    for replica in &replicas {
        replica.keep.execute().await.unwrap();
    }
    assert_eq!(replicas[0].ring.keys(), replicas[2].ring.keys());
    assert_eq!(here.states(KeyUse::Id).await, ["active"]);
}

#[tokio::test]
async fn a_next_key_takes_over_when_it_is_due_and_its_predecessor_goes_when_nobody_needs_it() {
    let here = Installation::new();
    let (one, two) = (here.replica(1), here.replica(2));
    one.keep.execute().await.unwrap();
    here.clock.advance(Duration::from_secs(1));
    let next = ManageKeys::new(here.replica(3).keep)
        .generate(ID)
        .await
        .unwrap();

    here.clock.advance(
        POLICY
            .lead(KeyUse::Id)
            .saturating_sub(Duration::from_millis(1)),
    );
    assert_eq!(two.keep.execute().await.unwrap(), []);
    assert_eq!(here.states(KeyUse::Id).await, ["active", "next"]);
    here.clock.advance(Duration::from_millis(1));
    let old = find(&two.ring.keys(), KeyUse::Id, KeyState::Active)
        .unwrap()
        .id
        .clone();
    assert_eq!(
        two.keep.execute().await.unwrap(),
        [KeyChange::Promoted(next.id.clone(), Some(old.clone()))]
    );
    assert_eq!(one.keep.execute().await.unwrap(), [], "once");
    assert_eq!(here.states(KeyUse::Id).await, ["retired", "active"]);

    here.clock
        .advance((POLICY.id_lifetime + POLICY.margin).saturating_sub(Duration::from_millis(1)));
    assert_eq!(one.keep.execute().await.unwrap(), []);
    here.clock.advance(Duration::from_millis(1));
    assert_eq!(one.keep.execute().await.unwrap(), [KeyChange::Removed(old)]);
    assert_eq!(two.keep.execute().await.unwrap(), []);
    assert_eq!(here.states(KeyUse::Id).await, ["active"]);
    assert_eq!(two.ring.keys(), one.ring.keys());
}

#[tokio::test]
async fn a_schedule_makes_keys_early_enough_to_sign_in_time() {
    let every = Duration::from_hours(24 * 30);
    let policy = KeyPolicy {
        rotate_every: Some(every),
        ..POLICY
    };
    let here = Installation::new();
    let replica = here.replica_with(1, policy, IdKeys::Stored(Algorithm::Rs256));
    replica.keep.execute().await.unwrap();
    let began = here.clock.now();
    let mut signing = Vec::new();
    for _ in 0..3 * 30 * 24 * 2 {
        here.clock.advance(Duration::from_mins(30));
        replica.keep.execute().await.unwrap();
        let active = find(&replica.ring.keys(), KeyUse::Id, KeyState::Active)
            .unwrap()
            .clone();
        if signing.last() != Some(&active.id) {
            assert!(
                signing.is_empty()
                    || here.clock.now().since(active.created_at) >= POLICY.key_set_max_age,
                "published before it signs"
            );
            signing.push(active.id);
        }
    }
    assert_eq!(
        signing.len(),
        3,
        "two rotations and a bit in {} days",
        here.clock.now().since(began).as_secs() / 86_400
    );
    assert!(
        here.stored(KeyUse::Id).await.len() <= 2 && here.stored(KeyUse::Refresh).await.len() <= 2,
        "old ones go"
    );
}

#[tokio::test]
async fn a_refresh_secret_stays_as_long_as_the_longest_token_it_was_made_for() {
    let here = Installation::new();
    here.replica(1).keep.execute().await.unwrap();
    // Meanwhile shorter lives were configured; tokens that were issued before keep theirs.
    let short = KeyPolicy {
        refresh_lifetime: Duration::from_mins(1),
        ..POLICY
    };
    let replica = here.replica_with(2, short, IdKeys::Stored(Algorithm::Rs256));
    here.clock.advance(Duration::from_secs(1));
    ManageKeys::new(here.replica(3).keep)
        .generate(KeyKind::Refresh)
        .await
        .unwrap();
    here.clock.advance(POLICY.margin);
    replica.keep.execute().await.unwrap();
    assert_eq!(here.states(KeyUse::Refresh).await, ["retired", "active"]);
    here.clock.advance(POLICY.refresh_lifetime);
    replica.keep.execute().await.unwrap();
    assert_eq!(here.states(KeyUse::Refresh).await, ["retired", "active"]);
    here.clock.advance(POLICY.margin);
    replica.keep.execute().await.unwrap();
    assert_eq!(here.states(KeyUse::Refresh).await, ["active"]);
}

#[tokio::test]
async fn another_algorithm_in_the_configuration_is_adopted_without_a_gap() {
    let here = Installation::new();
    here.replica(1).keep.execute().await.unwrap();
    let replica = here.replica_with(2, POLICY, IdKeys::Stored(Algorithm::EdDsa));
    replica.keep.execute().await.unwrap();
    assert_eq!(
        here.states(KeyUse::Id).await,
        ["active"],
        "only a start looks at the algorithm"
    );
    assert!(replica.keep.adopt_algorithm().await.unwrap().is_some());
    assert_eq!(replica.keep.adopt_algorithm().await.unwrap(), None, "once");
    here.clock.advance(POLICY.lead(KeyUse::Id));
    replica.keep.execute().await.unwrap();
    let keys = here.stored(KeyUse::Id).await;
    assert_eq!(
        find(&keys, KeyUse::Id, KeyState::Active).unwrap().kind,
        KeyKind::Id(Algorithm::EdDsa)
    );
    assert_eq!(
        replica.keep.adopt_algorithm().await.unwrap(),
        None,
        "it fits"
    );
}

#[tokio::test]
async fn where_a_file_signs_no_key_for_id_tokens_is_made_and_old_ones_go() {
    let here = Installation::new();
    let replica = here.replica_with(1, POLICY, IdKeys::File);
    replica.keep.execute().await.unwrap();
    assert_eq!(
        (
            here.states(KeyUse::Id).await,
            here.states(KeyUse::Refresh).await
        ),
        (vec![], vec!["active"])
    );
    assert_eq!(replica.keep.adopt_algorithm().await.unwrap(), None);
}

/// The ID key that was active at a backup, was retired at once since, and is active again after a restore.
async fn restored(here: &Installation) -> StoredKey {
    here.replica(1).keep.execute().await.expect("memory works");
    let stolen = here.stored(KeyUse::Id).await.remove(0);
    here.clock.advance(Duration::from_secs(1));
    let manage = ManageKeys::new(here.replica(2).keep);
    manage.rotate(ID, true).await.expect("memory works");
    manage.retire(&stolen.id, true).await.expect("memory works");
    let later = here.stored(KeyUse::Id).await.remove(0);
    let removed = here
        .keys
        .remove(&later.id, KeyState::Active, &untold())
        .await;
    assert_eq!(removed.expect("memory works"), KeyOutcome::Done);
    assert_eq!(
        here.keys
            .insert(&stolen, &untold())
            .await
            .expect("memory works"),
        KeyOutcome::Done
    );
    stolen
}

fn loaded(replica: &Replica) -> Vec<String> {
    let keys = replica.ring.keys().into_iter();
    keys.filter(|key| key.kind.usage() == KeyUse::Id)
        .map(|key| key.id.to_string())
        .collect()
}

#[tokio::test]
async fn a_revoked_key_that_a_restore_brings_back_is_refused_and_removed() {
    let here = Installation::new();
    let stolen = restored(&here).await;
    let (one, two) = (here.replica(3), here.replica(4));
    // A look for the key that a token names finds nothing.
    one.keep.load().await.unwrap();
    assert_eq!(loaded(&one), [""; 0]);

    let changes = one.keep.execute().await.unwrap();
    let [KeyChange::Refused(refused), KeyChange::Made(made)] = changes.as_slice() else {
        panic!("expected it to be removed and another one to be made, got {changes:?}")
    };
    assert_eq!(*refused, stolen.id);
    assert_eq!(here.states(KeyUse::Id).await, ["active"]);
    assert_eq!(two.keep.execute().await.unwrap(), [], "once");
    for replica in [&one, &two] {
        assert_eq!(loaded(replica), [made.id.to_string()]);
    }
}

#[tokio::test]
async fn what_was_refused_stays_so_while_nobody_can_say_what_is_revoked() {
    let here = Installation::new();
    let stolen = restored(&here).await;
    let replica = here.replica(3);
    replica.keep.load().await.unwrap();
    here.revoked.fail(Fault::Before);
    replica.keep.load().await.unwrap();
    assert_eq!(loaded(&replica), [""; 0], "it was met before");

    // What an operator removes meanwhile goes, too.
    let removed = here
        .keys
        .remove(&stolen.id, KeyState::Active, &untold())
        .await;
    assert_eq!(removed.unwrap(), KeyOutcome::Done);
    replica.keep.execute().await.unwrap();
    let made = here.stored(KeyUse::Id).await.remove(0).id;
    assert_eq!(loaded(&replica), [made.to_string()]);
    assert_eq!(
        here.keys
            .remove(&made, KeyState::Active, &untold())
            .await
            .unwrap(),
        KeyOutcome::Done
    );
    replica.keep.load().await.unwrap();
    assert_eq!(loaded(&replica), [""; 0]);
}

/// Its first key of a use is always the same.
struct SameFirst(TestKeyMaker);

impl KeyMaker for SameFirst {
    fn make(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        self.0.make(kind)
    }

    fn first(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        Ok(NewKey {
            id: format!("first-{}", kind.usage())
                .parse()
                .expect("a key's name"),
            ..self.0.make(kind)?
        })
    }

    fn reseal(&self, key: &StoredKey) -> Result<Option<revolve_domain::keys::SealedKey>, KeyFault> {
        self.0.reseal(key)
    }
}

#[tokio::test]
async fn the_first_key_is_not_made_once_more_when_it_is_revoked() {
    let here = Installation::new();
    let revoked = "first-refresh".parse().unwrap();
    here.revoked.revoke(&revoked).await.unwrap();
    let keep = KeepKeys::new(KeyPorts {
        repository: here.keys.clone(),
        revoked: Some(here.revoked.clone()),
        maker: Arc::new(SameFirst(TestKeyMaker::new(1))),
        ring: Arc::new(RecordedRing::default()),
        clock: here.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(7)),
        actor: Actor::System,
        policy: POLICY,
        id_keys: IdKeys::Stored(Algorithm::Rs256),
    });
    assert_eq!(keep.execute().await.unwrap().len(), 2);
    assert_ne!(here.stored(KeyUse::Refresh).await[0].id, revoked);
    assert_eq!(here.stored(KeyUse::Id).await[0].id.as_str(), "first-id");
}
