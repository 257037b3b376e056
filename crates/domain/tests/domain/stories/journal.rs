//! What is written down: with each change, and of what changes nothing.

use super::{DAY, LATE, secs};
use revolve_domain::{
    journal::Actor,
    model::{DetailsChange, Label, SessionId, User, UserId},
    ports::{Clearing, Journal, JournalQuery, JournalRecord, SecurityEvent, SecurityEvents},
    use_cases::{NotedEvents, UpdateDetailsError, UpdateDetailsRequest},
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use std::net::IpAddr;

async fn entries(world: &World, user: Option<UserId>) -> Vec<JournalRecord> {
    let query = JournalQuery {
        user,
        limit: 10_000,
        ..JournalQuery::default()
    };
    let found = world.accounts.inner().read(&query).await;
    found.expect("the journal is in memory")
}

async fn names(world: &World, user: UserId) -> Vec<String> {
    let entries = entries(world, Some(user)).await;
    entries.into_iter().map(|entry| entry.event).collect()
}

/// A stranger's reuse ends the session in one commit.
fn told_by_commits(event: &str) -> bool {
    ["session.reused", "session.ended"].contains(&event)
}

/// Names and counts of what is noted.
async fn noted(world: &World) -> Vec<(String, u64)> {
    let flushed = world.noted.flush(&*world.accounts).await;
    flushed.expect("the journal is there");
    let entries = entries(world, None).await;
    let noted = entries
        .into_iter()
        .filter(|entry| entry.actor == Actor::Stranger && !told_by_commits(&entry.event));
    noted.map(|entry| (entry.event, entry.count)).collect()
}

async fn rename(world: &World, ann: &TestClient<'_>) -> Result<User, UpdateDetailsError> {
    let change = DetailsChange {
        name: Some(Some(Label::parse("Ann").expect("a label"))),
        ..DetailsChange::default()
    };
    let request = UpdateDetailsRequest {
        change,
        ..UpdateDetailsRequest::default()
    };
    let updated = world.update_details.execute(&ann.caller(), request).await;
    updated.map(|updated| updated.user)
}

#[tokio::test]
async fn a_refresh_writes_nothing() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let before = entries(&world, None).await;
    for _ in 0..3 {
        let parent = ann.refresh_token.clone();
        ann.refresh().await.expect("the session lives");
        ann.present(&parent).await.expect("a retry");
        world.advance(LATE);
    }
    world
        .noted
        .flush(&*world.accounts)
        .await
        .expect("nothing is down");
    assert_eq!(entries(&world, None).await, before);
}

#[tokio::test]
async fn reuse_is_told_by_the_commit_that_ends_the_session() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    ann.present(&stolen).await.expect_err("it is reuse");
    let found = entries(&world, Some(ann.user)).await;
    assert_eq!(
        names(&world, ann.user).await,
        ["session.ended", "session.reused", "account.created"]
    );
    assert_eq!(found[1].actor, Actor::Stranger);
    assert_eq!(found[1].details["presented"], "1");
    assert_eq!(noted(&world).await, [], "it is told once");
}

#[tokio::test]
async fn reuse_that_could_not_be_committed_is_told_later() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let stolen = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.accounts.fail_on("end_session", Fault::Before);
    ann.present(&stolen).await.expect_err("it is reuse");
    assert_eq!(
        names(&world, ann.user).await,
        ["account.created"],
        "what is not committed is not told"
    );
    assert!(matches!(
        &world.clearings.pending()[..],
        [Clearing::Row { cause: Some(_), .. }]
    ));
    world.accounts.recover();
    world.clearings.run(&world.clear).await;
    assert_eq!(
        names(&world, ann.user).await,
        ["session.ended", "session.reused", "account.created"]
    );
}

#[tokio::test]
async fn a_change_that_fails_is_not_told_and_one_whose_answer_is_lost_is() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    for (fault, told) in [(Fault::Before, 1), (Fault::After, 2)] {
        world.accounts.fail_on("update_account", fault);
        let renamed = rename(&world, &ann).await;
        renamed.expect_err("the store fails");
        world.accounts.recover();
        assert_eq!(names(&world, ann.user).await.len(), told, "{fault:?}");
    }
}

#[tokio::test]
async fn notes_of_a_minute_are_one() {
    let world = World::new();
    let refused = |address: u8| SecurityEvent::SignInRefused {
        user: None,
        address: Some(IpAddr::from([192, 0, 2, address])),
    };
    for _ in 0..3 {
        world.noted.record(refused(1));
    }
    world.noted.record(refused(2));
    let mut found = noted(&world).await;
    found.sort();
    assert_eq!(
        found,
        [
            ("sign_in.refused".to_owned(), 1),
            ("sign_in.refused".to_owned(), 3)
        ]
    );
    // Another replica counts in the same row.
    let other = NotedEvents::new(world.events.clone(), world.clock.clone());
    other.record(refused(1));
    other
        .flush(&*world.accounts)
        .await
        .expect("nothing is down");
    let counts: Vec<_> = noted(&world)
        .await
        .into_iter()
        .map(|(_, count)| count)
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 5);
    assert_eq!(counts.len(), 2);
    world.advance(secs(60));
    world.noted.record(refused(1));
    assert_eq!(noted(&world).await.len(), 3, "another minute");
}

#[tokio::test]
async fn a_flood_makes_few_rows() {
    let world = World::new();
    let flood: u64 = 5000;
    for number in 0..flood {
        world.noted.record(SecurityEvent::SignInRefused {
            user: None,
            address: Some(IpAddr::from(u128::from(number).to_be_bytes())),
        });
        if number % 500 == 0 {
            let flushed = world.noted.flush(&*world.accounts).await;
            flushed.expect("nothing is down");
        }
    }
    let found = noted(&world).await;
    assert_eq!(found.len(), NotedEvents::MAX_KEYS + 1);
    let counted: u64 = found.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, flood, "all are counted");
}

#[tokio::test]
async fn notes_wait_for_a_journal_that_is_down() {
    let world = World::new();
    let session = SessionId::from_random([1; 16]);
    let user = world.signed_up("ann").await.user;
    world.accounts.fail(Fault::Before);
    for _ in 0..3 {
        world.noted.record(SecurityEvent::DeviceMismatch {
            user,
            session,
            address: None,
        });
        let flushed = world.noted.flush(&*world.accounts).await;
        flushed.expect_err("the journal is down");
    }
    world.accounts.recover();
    assert_eq!(noted(&world).await, [("device.mismatch".to_owned(), 3)]);
}

#[tokio::test]
async fn old_entries_go_with_the_retention() {
    let world = World::new();
    world.signed_up("ann").await;
    world.advance(DAY * 50);
    let ann = world.signed_in("ann").await;
    let renamed = rename(&world, &ann).await;
    renamed.expect("the session lives");
    world.advance(DAY * 41);
    world.prune.execute().await.expect("nothing is down");
    let left = names(&world, ann.user).await;
    assert!(!left.contains(&"account.created".to_owned()), "{left:?}");
    assert!(left.contains(&"account.changed".to_owned()), "{left:?}");
}

#[tokio::test]
async fn a_deleted_account_leaves_no_address_behind() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world
        .manage_accounts
        .delete(ann.user, Actor::Operator)
        .await
        .expect("nothing is down");
    world.noted.record(SecurityEvent::SignInRefused {
        user: Some(ann.user),
        address: Some(IpAddr::from([192, 0, 2, 1])),
    });
    assert_eq!(noted(&world).await.len(), 1);
    let found = entries(&world, Some(ann.user)).await;
    assert_eq!(found.len(), 3);
    assert!(
        found
            .iter()
            .all(|entry| entry.address.is_none() && entry.device.is_none()),
        "{found:?}"
    );
}
