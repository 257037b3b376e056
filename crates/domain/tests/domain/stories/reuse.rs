//! A stolen token is found out; what the store lost is not theft.

use super::{LATE, assert_unavailable, names, refusal, secs};
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::MailKind,
    model::{EndReason, Generation},
    policy::{AccountPolicy, SessionPolicy},
    ports::{Clearing, Deliveries, SecurityEvent, TokenRepository},
    rotation::{RetryPolicy, ReusePolicy},
    use_cases::Refusal,
};
use revolve_testkit::{World, memory::Fault};

fn reason(world: &World, client: &revolve_testkit::world::TestClient<'_>) -> Option<EndReason> {
    let row = world
        .accounts
        .inner()
        .rows(client.user)
        .into_iter()
        .find(|row| row.id == client.session);
    row.expect("the row stays")
        .ending
        .map(|ending| ending.reason)
}

#[tokio::test]
async fn reuse_ends_the_session_for_thief_and_client_alike() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.events.take();

    assert_eq!(
        refusal(ann.present(&stolen).await),
        Refusal::TokenReused,
        "its successor was used long ago"
    );
    let events = world.events.take();
    assert_eq!(
        names(&events),
        ["session.reused", "session.ended"],
        "what happened"
    );
    let SecurityEvent::SessionReused {
        presented,
        live,
        gap,
        revoked: true,
        session_address: Some(_),
        address: Some(_),
        ..
    } = events[0]
    else {
        panic!("expected the event to say it all, got {events:?}");
    };
    assert_eq!(
        (presented, live.number(), gap),
        (Generation::FIRST, 3, LATE),
        "who came when with what"
    );
    assert_eq!(
        reason(&world, &ann),
        Some(EndReason::Reused),
        "the row says why"
    );
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::TokenReused,
        "the client hears why, too"
    );
    assert_eq!(
        refusal(world.me.execute(&ann.id_token).await),
        Refusal::TokenReused,
        "its ID token is refused at once"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("signing in again works");
}

#[tokio::test]
async fn a_policy_that_rejects_keeps_the_session() {
    let retry = RetryPolicy {
        reuse: ReusePolicy::Reject,
        ..RetryPolicy::default()
    };
    let world = World::with_policy(SessionPolicy {
        retry,
        ..SessionPolicy::default()
    });
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.events.take();
    assert_eq!(
        refusal(ann.present(&stolen).await),
        Refusal::TokenReused,
        "the token is refused"
    );
    assert_eq!(
        world.events.take_names(),
        ["session.reused"],
        "the event is raised, the session has not ended"
    );
    assert_eq!(reason(&world, &ann), None, "the row lives");
    ann.refresh().await.expect("the client goes on");
}

#[tokio::test]
async fn with_the_user_database_down_reuse_is_committed_later() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.accounts.fail_on("end_session", Fault::Before);
    assert_unavailable(ann.present(&stolen).await);
    let pending = world.clearings.pending();
    assert!(
        matches!(&pending[..], [Clearing::Row { session, reason: EndReason::Reused, .. }] if *session == ann.session),
        "the commit is deferred: {pending:?}"
    );
    assert_unavailable(ann.refresh().await);
    assert!(
        TokenRepository::list(&*world.tokens, ann.user)
            .await
            .expect("the white list answers")
            .is_empty(),
        "until then nobody can refresh it"
    );
    world.accounts.recover();
    assert!(
        world.clearings.run(&world.clear).await > 0,
        "the commit is made"
    );
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::TokenReused,
        "now the row says why"
    );
}

#[tokio::test]
async fn reuse_that_is_committed_later_is_mailed_then() {
    let world = World::with_mail(AccountPolicy::default());
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    let told = async || {
        let query = DeliveryQuery {
            state: None,
            limit: 100,
        };
        let waiting = Deliveries::list(world.accounts.inner(), query).await;
        let waiting = waiting.expect("the outbox is in memory").into_iter();
        let told = waiting.filter(|one| one.mail.kind == MailKind::SessionReused);
        told.map(|one| one.mail.to.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    world.accounts.fail_on("end_session", Fault::Before);
    assert_unavailable(ann.present(&stolen).await);
    assert!(told().await.is_empty(), "nothing is committed yet");
    world.accounts.recover();
    world.clearings.run(&world.clear).await;
    assert_eq!(told().await, ["ann@example.org"]);
    world.clearings.run(&world.clear).await;
    assert_eq!(told().await.len(), 1, "once");
}

#[tokio::test]
async fn a_shadow_that_lives_on_retries_is_found() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    for _ in 0..world.policy.retry.late_retries {
        let parent = ann.refresh_token.clone();
        ann.refresh().await.expect("the client refreshes");
        world.advance(secs(300));
        ann.present(&parent)
            .await
            .expect("the shadow fetches the answer again, late");
    }
    let parent = ann.refresh_token.clone();
    ann.refresh().await.expect("the client refreshes");
    world.advance(secs(300));
    assert_eq!(
        refusal(ann.present(&parent).await),
        Refusal::TokenReused,
        "one late retry too many in a row"
    );
    assert_eq!(
        reason(&world, &ann),
        Some(EndReason::Reused),
        "the session has ended"
    );
}

#[tokio::test]
async fn a_white_list_that_lost_rotations_is_healed_by_the_newest_token() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.refresh().await.expect("the session lives");
    let old = ann.entry();
    for _ in 0..3 {
        ann.refresh().await.expect("the session lives");
    }
    world.tokens.inner().restore(ann.user, ann.session, old);
    world.advance(LATE);
    world.events.take();
    ann.refresh()
        .await
        .expect("a signed token proves the later generation");
    let events = world.events.take();
    let [
        SecurityEvent::SessionHealed {
            presented, lost, ..
        },
    ] = events.as_slice()
    else {
        panic!("one event, got {events:?}")
    };
    assert_eq!(
        (presented.number(), lost.number()),
        (5, 2),
        "what was presented, and what the store still had"
    );
    ann.refresh().await.expect("and on it goes");
    assert!(world.events.take().is_empty(), "as if nothing had happened");
}

#[tokio::test]
async fn after_a_rollback_a_thief_that_catches_up_does_not_share_the_session() {
    for lost in 1..=5 {
        // Level with the client, or one ahead: then the client's token is a sibling of the live one's parent.
        for ahead in 0..=1 {
            let world = World::new();
            let mut ann = world.signed_up("ann").await;
            ann.refresh().await.expect("the session lives");
            world.advance(secs(2));
            let (old, mut stolen) = (ann.entry(), ann.refresh_token.clone());
            for _ in 0..lost {
                ann.refresh().await.expect("the session lives");
                world.advance(secs(2));
            }
            world.tokens.inner().restore(ann.user, ann.session, old);
            for _ in 0..lost + ahead {
                let successor = ann.present(&stolen).await;
                stolen = successor
                    .expect("the store has not seen that token used")
                    .tokens
                    .refresh_token;
                world.advance(secs(2));
            }
            world.events.take();

            assert_eq!(
                refusal(ann.refresh().await),
                Refusal::TokenReused,
                "{lost} lost, {ahead} ahead: the client gets no successor of the thief's"
            );
            assert_eq!(
                names(&world.events.take()),
                ["session.reused", "session.ended"],
                "what happened"
            );
            assert_eq!(
                reason(&world, &ann),
                Some(EndReason::Reused),
                "the row says why"
            );
            assert_eq!(
                refusal(ann.present(&stolen).await),
                Refusal::TokenReused,
                "the thief does not go on either"
            );
        }
    }
}

#[tokio::test]
async fn an_expired_token_proves_nothing_to_a_white_list_that_lost_rotations() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let old = ann.entry();
    ann.refresh().await.expect("the session lives");
    world.tokens.inner().restore(ann.user, ann.session, old);
    world.clock.advance(4 * super::DAY);
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::TokenExpired,
        "past its exp"
    );
    assert_eq!(ann.entry(), old, "nothing changed");
}

#[tokio::test]
async fn a_lost_answer_does_not_hide_the_finding() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.tokens.fail_on("rotate", Fault::After);
    assert_unavailable(ann.present(&stolen).await);
    assert_eq!(reason(&world, &ann), None, "nobody has heard of it yet");
    world.tokens.recover();
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::TokenReused,
        "whoever comes next is told"
    );
    assert_eq!(
        reason(&world, &ann),
        Some(EndReason::Reused),
        "and the session has ended"
    );
}
