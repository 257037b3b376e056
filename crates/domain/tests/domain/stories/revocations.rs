//! What services that verify ID tokens by themselves hear of ended sessions, and for how long.

use revolve_domain::{
    model::{Epoch, SessionId, Timestamp},
    policy::SessionPolicy,
    ports::Clock,
    revocations::{RaisedEpoch, RevocationLog, RevocationStatement, SLACK},
    use_cases::SignOutScope,
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use std::time::Duration;

async fn feed(world: &World) -> RevocationStatement {
    let read = world.revocation_feed.execute(None).await;
    RevocationLog::new(read.expect("the user database answers")).plain()
}

fn sessions(statement: &RevocationStatement) -> Vec<SessionId> {
    statement
        .sessions
        .iter()
        .map(|(session, _)| *session)
        .collect()
}

#[tokio::test]
async fn an_end_is_listed_for_as_long_as_an_id_token_could_live() {
    let world = World::new();
    let (ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    assert_eq!(sessions(&feed(&world).await), [], "nothing ended");
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("she is signed in");
    let statement = feed(&world).await;
    assert_eq!(sessions(&statement), [ann.session], "the one that ended");
    assert_eq!(statement.as_of, Clock::now(&*world.clock).whole_second());
    assert_eq!(
        statement.expires_at(),
        statement.as_of.plus(statement.window)
    );

    // Whatever token was issued last, it is over before its session leaves the list.
    world.advance(world.policy.id_lifetime + SLACK);
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
        at: Clock::now(&*world.clock),
    };
    assert_eq!(
        (sessions(&statement), statement.users.as_slice()),
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
    assert_eq!(feed(&world).await.users, [raised], "once, as it is now");
    world.advance(world.policy.id_lifetime + SLACK + Duration::from_secs(1));
    assert_eq!(feed(&world).await.users, []);
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
    assert!(statement.sessions.is_sorted() && statement.users.is_sorted());
    assert_eq!((statement.sessions.len(), statement.users.len()), (5, 5));
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
        Duration::from_secs(2) + SLACK
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
    assert!(world.revocation_feed.execute(None).await.is_err());
    world.accounts.recover();
    assert_eq!(sessions(&feed(&world).await), []);
}

/// Whether a verifier that has just read the whole refuses a session's tokens.
fn refuses(log: &RevocationLog, client: &TestClient<'_>, issued_at: Timestamp) -> bool {
    let whole = log.whole(usize::MAX).expect("it is short");
    let named = whole
        .ends
        .iter()
        .any(|ends| ends.sessions.contains(&client.session));
    let only = whole
        .only
        .users
        .iter()
        .find(|(user, _)| *user == client.user);
    named
        || only.is_some_and(|(_, living)| {
            issued_at < whole.only.issued_before && !living.contains(&client.session)
        })
}

async fn whole(world: &World) -> RevocationLog {
    let read = world.revocation_feed.execute(None).await;
    RevocationLog::new(read.expect("the user database answers"))
}

#[tokio::test]
async fn no_number_of_sign_ins_pushes_an_end_out_of_the_feed() {
    let world = World::new();
    let (stolen, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let issued_at = Clock::now(&*world.clock);
    world
        .sign_out
        .execute(&stolen.caller(), SignOutScope::This)
        .await
        .expect("she is signed in");
    let mut last = other;
    for second in 0..800 {
        last = last
            .sign_in_again("ann")
            .await
            .expect("the password is right");
        world.advance(Duration::from_secs(1));
        if second % 20 == 0 {
            let log = whole(&world).await;
            assert!(refuses(&log, &stolen, issued_at), "after {second} s");
            let issued_at = Clock::now(&*world.clock);
            assert!(!refuses(&log, &last, issued_at), "she is signed in");
        }
    }
    let rows = world.accounts.inner().rows(stolen.user);
    assert!(
        rows.iter().all(|row| row.id != stolen.session),
        "the row of the end is gone"
    );
    let log = whole(&world).await;
    assert!(refuses(&log, &stolen, issued_at));
    let many = log.plain().sessions.len();
    let few: usize = log
        .whole(usize::MAX)
        .expect("it is short")
        .ends
        .iter()
        .map(|ends| ends.sessions.len())
        .sum();
    assert!(many > 280 && few + 40 < many, "{few} of {many} are named");
}

#[tokio::test]
async fn a_session_that_began_after_the_read_is_never_refused_by_it() {
    let world = World::new();
    let mut last = world.signed_up("ann").await;
    for _ in 0..50 {
        last = last
            .sign_in_again("ann")
            .await
            .expect("the password is right");
        world.advance(Duration::from_secs(10));
    }
    let log = whole(&world).await;
    let crowded = log.whole(usize::MAX).expect("it is short").only.users;
    assert_eq!(crowded.len(), 1, "she is crowded");
    let next = world.signed_in("ann").await;
    // By a clock that is a minute behind.
    let issued_at = Clock::now(&*world.clock).minus(Duration::from_mins(1));
    assert!(!refuses(&log, &next, issued_at));
}

#[tokio::test]
async fn reads_that_go_on_from_one_another_know_what_a_whole_read_knows() {
    let world = World::new();
    let mut log = whole(&world).await;
    let mut told: Vec<SessionId> = Vec::new();
    let mut version = log.version().clone();
    for round in 0..40 {
        let name = ["ann", "bob", "cleo"][round % 3];
        let client = if round < 3 {
            world.signed_up(name).await
        } else {
            world.signed_in(name).await
        };
        let scope = [
            SignOutScope::This,
            SignOutScope::Others,
            SignOutScope::Everywhere,
        ][round % 3];
        world
            .sign_out
            .execute(&client.caller(), scope)
            .await
            .expect("they are signed in");
        world.advance(Duration::from_secs(31));
        let now = world.revocation_feed.now();
        let known = log.known(now).cloned();
        assert!(known.is_some(), "it was read half a minute ago");
        let read = world.revocation_feed.execute(known.as_ref()).await;
        log.apply(read.expect("the user database answers"));
        assert_eq!(log.plain(), whole(&world).await.plain(), "round {round}");
        let delta = log.delta(&version, log.version(), usize::MAX);
        let delta = delta.expect("it leads on");
        told.extend(delta.ends.iter().flat_map(|ends| &ends.sessions));
        assert!(
            !log.is_news_to(&delta.version, log.version()),
            "all has been told"
        );
        version = delta.version;
    }
    let mut all = told.clone();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), told.len(), "nothing is told twice");
    // A reader that was away for long is told everything.
    world.advance(Duration::from_secs(121));
    let read = world.revocation_feed.execute(None).await;
    log.apply(read.expect("the user database answers"));
    assert_eq!(log.delta(&version, log.version(), usize::MAX), None);
}
