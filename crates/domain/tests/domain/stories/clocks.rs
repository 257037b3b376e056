//! No clock of a replica decides anything that the stores decide.

use super::{DAY, LATE, refusal, secs};
use revolve_domain::use_cases::{Refusal, SignOutScope};
use revolve_testkit::World;

#[tokio::test]
async fn a_replica_whose_clock_is_ahead_refreshes_what_the_white_list_knows() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world.clock.advance(4 * DAY);
    ann.refresh()
        .await
        .expect("past its exp on the replica's clock only");
}

#[tokio::test]
async fn a_replica_whose_clock_is_behind_refreshes_too() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.refresh().await.expect("the session lives");
    let parent = ann.refresh_token.clone();
    world.clock.step_back(secs(3600));
    ann.refresh().await.expect("order is by generation");
    ann.present(&parent).await.expect("a free retry");
    world.advance(LATE);
    ann.present(&parent).await.expect("a late retry");
    ann.refresh().await.expect("the newest token works");
}

#[tokio::test]
async fn windows_run_on_the_clock_of_the_white_list() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let parent = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    world.clock.advance(DAY);
    ann.present(&parent)
        .await
        .expect("for the white list no time has passed");
    world.store_clock.advance(DAY);
    assert_eq!(
        refusal(ann.present(&parent).await),
        Refusal::TokenReused,
        "now it has"
    );
}

#[tokio::test]
async fn a_token_that_expired_on_the_white_lists_clock_is_over_though_the_replica_disagrees() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world.store_clock.advance(4 * DAY);
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::SessionUnknown,
        "the entry is dead"
    );
}

#[tokio::test]
async fn an_epoch_ends_sessions_whatever_the_clocks_say() {
    let world = World::new();
    let (ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world.clock.step_back(secs(600));
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await
        .expect("signing out works");
    assert_eq!(
        refusal(other.refresh().await),
        Refusal::SessionRevoked,
        "though it began after the end, by the clock"
    );
    let mut newer = world.signed_in("ann").await;
    newer
        .refresh()
        .await
        .expect("though it began before the others, by the clock");
}
