//! The number of sessions is limited; the least recently refreshed one is evicted.

use super::{DAY, refusal, secs};
use revolve_domain::{
    model::EndReason, policy::SessionPolicy, ports::SecurityEvent, use_cases::Refusal,
};
use revolve_testkit::World;

fn world_of(max_per_user: usize) -> World {
    World::with_policy(SessionPolicy {
        max_per_user,
        ..SessionPolicy::default()
    })
}

#[tokio::test]
async fn one_too_many_evicts_the_least_recently_refreshed_and_names_it() {
    let world = world_of(3);
    let mut first = world.signed_up("ann").await;
    world.advance(secs(60));
    let mut second = world.signed_in("ann").await;
    world.advance(secs(60));
    let mut third = world.signed_in("ann").await;
    world.advance(secs(60));
    first.refresh().await.expect("all three live");
    world.events.take();

    let begun = world
        .sign_in
        .execute(World::request("ann"))
        .await
        .expect("a fourth sign-in");
    assert_eq!(
        begun.evicted,
        [second.session],
        "the one that was not refreshed for longest"
    );
    let events = world.events.take();
    assert_eq!(
        super::names(&events),
        ["session.evicted", "session.begun"],
        "what happened"
    );
    assert!(
        matches!(events[0], SecurityEvent::SessionEnded { session, .. } if session == second.session),
        "the event names it"
    );
    assert_eq!(
        refusal(second.refresh().await),
        Refusal::SessionEvicted,
        "it says why"
    );
    assert_eq!(second.entry(), None, "it has left the white list");
    first.refresh().await.expect("refreshed lately");
    third.refresh().await.expect("begun lately");
}

#[tokio::test]
async fn what_was_not_refreshed_in_time_takes_no_slot() {
    let world = world_of(2);
    let mut idle = world.signed_up("ann").await;
    world.advance(2 * DAY);
    let mut active = world.signed_in("ann").await;
    world.advance(2 * DAY);
    world.events.take();
    let begun = world
        .sign_in
        .execute(World::request("ann"))
        .await
        .expect("a third sign-in");
    let events = world.events.take();
    assert_eq!(super::names(&events), ["session.ended", "session.begun"]);
    assert!(
        matches!(
            events[0],
            SecurityEvent::SessionEnded { session, reason: EndReason::Expired, .. } if session == idle.session
        ),
        "it is told in the commit that ends it"
    );
    assert!(
        begun.evicted.is_empty(),
        "the idle one made room, got {:?}",
        begun.evicted
    );
    assert_eq!(
        refusal(idle.refresh().await),
        Refusal::SessionExpired,
        "it was not refreshed in time"
    );
    active.refresh().await.expect("the active one lives");
}

#[tokio::test]
async fn a_white_list_that_lost_everything_evicts_by_sign_in() {
    let world = world_of(2);
    let first = world.signed_up("ann").await;
    world.advance(secs(60));
    let second = world.signed_in("ann").await;
    for lost in [&first, &second] {
        world.tokens.inner().restore(lost.user, lost.session, None);
    }
    world.advance(secs(60));
    let begun = world
        .sign_in
        .execute(World::request("ann"))
        .await
        .expect("a third sign-in");
    assert_eq!(begun.evicted, [first.session], "the one that began first");
}
