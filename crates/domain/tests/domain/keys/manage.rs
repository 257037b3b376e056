//! What an operator does by hand.

use super::{ID, Installation, POLICY, Replica};
use revolve_domain::{
    keys::{Algorithm, IdKeys, KeyKind, KeyUse, Phase},
    ports::RevokedKeys,
    use_cases::{ManageKeys, NotDone, RetireOutcome, RotateOutcome},
};
use revolve_testkit::memory::Fault;

async fn manage(here: &Installation) -> ManageKeys {
    here.replica(1).keep.execute().await.expect("memory works");
    here.clock.advance(std::time::Duration::from_secs(1));
    let Replica { keep, .. } = here.replica(2);
    ManageKeys::new(keep)
}

#[tokio::test]
async fn there_is_one_next_key_at_a_time() {
    let here = Installation::new();
    let manage = manage(&here).await;
    let next = manage.generate(ID).await.unwrap();
    assert!(
        matches!(manage.generate(KeyKind::Id(Algorithm::EdDsa)).await, Err(NotDone::NextExists(id)) if id == next.id)
    );
    assert!(manage.generate(KeyKind::Refresh).await.is_ok());
}

#[tokio::test]
async fn a_rotation_waits_for_the_readers_unless_it_must_not() {
    let here = Installation::new();
    let manage = manage(&here).await;
    let RotateOutcome::Waits(id, not_yet) = manage.rotate(ID, false).await.unwrap() else {
        panic!("it waits")
    };
    assert_eq!(
        manage.rotate(ID, false).await.unwrap(),
        RotateOutcome::Waits(id.clone(), not_yet),
        "no second key is made"
    );
    let RotateOutcome::Rotated(promotion) = manage.rotate(ID, true).await.unwrap() else {
        panic!("it rotates")
    };
    assert_eq!(promotion.next, id);
    assert_eq!(here.states(KeyUse::Id).await, ["retired", "active"]);

    manage.rotate(ID, false).await.unwrap();
    here.clock.advance(POLICY.lead(KeyUse::Id));
    assert!(matches!(
        manage.rotate(ID, false).await.unwrap(),
        RotateOutcome::Rotated(_)
    ));
}

#[tokio::test]
async fn a_key_is_taken_out_of_use_as_its_state_allows() {
    let here = Installation::new();
    let manage = manage(&here).await;
    let active = here.stored(KeyUse::Id).await.remove(0).id;
    assert!(matches!(
        manage.retire(&active, true).await,
        Err(NotDone::Signs(_))
    ));
    let next = manage.generate(ID).await.unwrap().id;
    assert!(matches!(
        manage.retire(&next, false).await,
        Ok(RetireOutcome::Gone)
    ));
    assert!(matches!(
        manage.retire(&next, false).await,
        Err(NotDone::NotFound(_))
    ));
    manage.rotate(ID, true).await.unwrap();
    assert!(matches!(
        manage.retire(&active, false).await,
        Err(NotDone::Needed(..))
    ));
    assert!(matches!(
        manage.retire(&active, true).await,
        Ok(RetireOutcome::Gone)
    ));
    assert_eq!(here.states(KeyUse::Id).await, ["active"]);
}

#[tokio::test]
async fn a_key_that_is_retired_at_once_is_revoked() {
    let here = Installation::new();
    let manage = manage(&here).await;
    let stolen = here.stored(KeyUse::Id).await.remove(0).id;
    let discarded = manage.generate(ID).await.unwrap().id;
    assert!(matches!(
        manage.retire(&discarded, false).await,
        Ok(RetireOutcome::Gone)
    ));
    manage.rotate(ID, true).await.unwrap();
    let active = here.stored(KeyUse::Id).await.remove(1).id;
    assert!(matches!(
        manage.retire(&active, true).await,
        Err(NotDone::Signs(_))
    ));
    assert!(matches!(
        manage.retire(&stolen, true).await,
        Ok(RetireOutcome::Gone)
    ));
    let keys = [stolen.clone(), discarded, active];
    let revoked = here.revoked.among(&keys).await.unwrap();
    assert_eq!(revoked, [stolen], "and no other");
}

#[tokio::test]
async fn a_stolen_key_goes_though_it_cant_be_revoked() {
    let here = Installation::new();
    let manage = manage(&here).await;
    let stolen = here.stored(KeyUse::Id).await.remove(0).id;
    manage.rotate(ID, true).await.unwrap();
    here.revoked.fail(Fault::Before);
    assert!(matches!(
        manage.retire(&stolen, true).await,
        Ok(RetireOutcome::NotRevoked(_))
    ));
    assert_eq!(here.states(KeyUse::Id).await, ["active"], "it is gone");
    assert!(matches!(
        manage.retire(&stolen, true).await,
        Err(NotDone::Failed(_))
    ));
    here.revoked.recover();
    assert!(matches!(
        manage.retire(&stolen, true).await,
        Ok(RetireOutcome::Revoked)
    ));
    assert_eq!(
        here.revoked
            .among(std::slice::from_ref(&stolen))
            .await
            .unwrap(),
        [stolen]
    );
}

#[tokio::test]
async fn where_a_file_signs_the_stored_key_can_retire_and_no_other_is_made() {
    let here = Installation::new();
    manage(&here).await;
    let manage = ManageKeys::new(here.replica_with(3, POLICY, IdKeys::File).keep);
    assert!(matches!(manage.generate(ID).await, Err(NotDone::File)));
    assert!(matches!(manage.rotate(ID, true).await, Err(NotDone::File)));
    let active = here.stored(KeyUse::Id).await.remove(0).id;
    assert!(matches!(
        manage.retire(&active, false).await,
        Ok(RetireOutcome::Retired(_))
    ));
    assert!(matches!(
        here.stored(KeyUse::Id).await[0].phase,
        Phase::Retired(_)
    ));
    assert!(manage.rotate(KeyKind::Refresh, true).await.is_ok());
}
