//! What services that verify ID tokens by themselves hear of ended sessions, and for how long.

use revolve_domain::{
    model::{Epoch, SessionId},
    policy::SessionPolicy,
    ports::{RaisedEpoch, RevocationStatement},
    use_cases::{RevocationFeed, SignOutScope},
};
use revolve_testkit::{World, memory::Fault};
use std::time::Duration;

async fn feed(world: &World) -> RevocationStatement {
    world
        .revocation_feed
        .execute()
        .await
        .expect("the user database answers")
}

fn sessions(statement: &RevocationStatement) -> Vec<SessionId> {
    statement
        .revocations
        .sessions
        .iter()
        .map(|(session, _)| *session)
        .collect()
}

#[tokio::test]
async fn an_end_is_listed_for_as_long_as_an_id_token_could_live() {
    let world = World::new();
    let (ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    assert_eq!(
        feed(&world).await.revocations,
        revolve_domain::ports::Revocations::default(),
        "nothing ended"
    );
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("she is signed in");
    let statement = feed(&world).await;
    assert_eq!(sessions(&statement), [ann.session], "the one that ended");
    assert_eq!(
        statement.as_of,
        revolve_domain::ports::Clock::now(&*world.clock).whole_second()
    );
    assert_eq!(
        statement.expires_at(),
        statement.as_of.plus(statement.window)
    );

    // Whatever token was issued last, it is over before its session leaves the list.
    world.advance(world.policy.id_lifetime + RevocationFeed::MARGIN);
    assert_eq!(sessions(&feed(&world).await), [ann.session]);
    world.advance(Duration::from_secs(1));
    assert_eq!(sessions(&feed(&world).await), []);
    drop(bob);
}

#[tokio::test]
async fn an_epoch_that_rose_is_listed_with_the_session_that_goes_on() {
    let world = World::new();
    let (one, two) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .sign_out
        .execute(&one.caller(), SignOutScope::Others)
        .await
        .expect("she is signed in");
    let statement = feed(&world).await;
    let raised = RaisedEpoch {
        user: one.user,
        epoch: Epoch::new(1),
        kept: Some(one.session),
    };
    assert_eq!(
        (sessions(&statement), statement.revocations.users.as_slice()),
        (vec![two.session], &[raised][..])
    );
    world
        .sign_out
        .execute(&one.caller(), SignOutScope::Everywhere)
        .await
        .expect("she is still signed in");
    let raised = RaisedEpoch {
        epoch: Epoch::new(2),
        kept: None,
        ..raised
    };
    assert_eq!(
        feed(&world).await.revocations.users,
        [raised],
        "once, as it is now"
    );
    world.advance(world.policy.id_lifetime + RevocationFeed::MARGIN + Duration::from_secs(1));
    assert_eq!(feed(&world).await.revocations.users, []);
}

#[tokio::test]
async fn the_same_content_comes_in_the_same_order() {
    let world = World::new();
    for name in ["ann", "bob", "cleo", "dan", "eve"] {
        let somebody = world.signed_up(name).await;
        world
            .sign_out
            .execute(&somebody.caller(), SignOutScope::Everywhere)
            .await
            .expect("they are signed in");
    }
    let statement = feed(&world).await;
    assert!(statement.revocations.sessions.is_sorted() && statement.revocations.users.is_sorted());
    assert_eq!(
        (
            statement.revocations.sessions.len(),
            statement.revocations.users.len()
        ),
        (5, 5)
    );
    assert_eq!(feed(&world).await, statement);
}

#[tokio::test]
async fn the_window_is_in_whole_seconds_and_never_shorter_than_a_token_lives() {
    let policy = SessionPolicy {
        id_lifetime: Duration::from_millis(1500),
        ..SessionPolicy::default()
    };
    assert_eq!(
        World::with_policy(policy).revocation_feed.window(),
        Duration::from_secs(2) + RevocationFeed::MARGIN
    );
    let policy = SessionPolicy {
        id_lifetime: Duration::MAX,
        ..SessionPolicy::default()
    };
    assert!(World::with_policy(policy).revocation_feed.window() >= Duration::from_secs(u64::MAX));
}

#[tokio::test]
async fn without_the_user_database_nobody_knows_what_ended() {
    let world = World::new();
    world.accounts.fail(Fault::Before);
    assert!(world.revocation_feed.execute().await.is_err());
    world.accounts.recover();
    assert_eq!(sessions(&feed(&world).await), []);
}
