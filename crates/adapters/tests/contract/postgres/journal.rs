//! The journal beside transactions that take long, fail or are cut off.

use super::{
    Schema,
    given::{START, created, session, told, user},
};
use revolve_adapters::postgres::PostgresAccounts;
use revolve_domain::{
    journal::{Actor, Tell},
    model::{EndReason, EventId, PasswordHash},
    ports::{
        AccountDirectory, EndOutcome, Followed, Journal, JournalCursor, JournalQuery,
        SecurityEvent, SessionRepository, UserRepository,
    },
};
use std::time::Duration;
use tokio::task::yield_now;

/// Of every outcome.
fn tell<O>(number: u8) -> Tell<O> {
    Tell::new(
        EventId::from_random([number; 16]),
        START,
        Actor::System,
        |_| vec![SecurityEvent::AccountEnabled { user: user().id }],
    )
}

fn hash() -> PasswordHash {
    PasswordHash::from_phc("$test$v=1$hash".to_owned())
}

async fn follow(accounts: &PostgresAccounts, after: Option<JournalCursor>) -> Followed {
    let followed = accounts.follow(after, 100).await;
    followed.expect("follow works")
}

async fn entries(accounts: &PostgresAccounts) -> usize {
    let query = JournalQuery {
        user: Some(user().id),
        limit: 100,
        ..JournalQuery::default()
    };
    accounts.read(&query).await.expect("read works").len()
}

/// Inserts an entry that somebody else tells.
const INSERT: &str = "INSERT INTO journal (id, at, actor, event, details, count)
    VALUES ('00000000-0000-4000-8000-000000000000', now(), 'system', 'late', '{}', 1)";

#[tokio::test]
async fn an_entry_whose_transaction_commits_late_is_not_missed() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, mut look) = (schema.accounts().await, schema.look().await);
    created(&accounts).await;
    let mut cursor = follow(&accounts, None).await.cursor;
    let late = look.transaction().await.expect("a transaction begins");
    late.execute(INSERT, &[]).await.expect("it can be written");
    let tell = tell(1);
    let end = accounts.end(user().id, session(1).id, EndReason::SignedOut, START, &tell);
    assert_eq!(end.await.expect("end works"), EndOutcome::Ended);
    assert_eq!(
        follow(&accounts, Some(cursor)).await.entries,
        [],
        "what was committed waits for what is older"
    );
    late.commit().await.expect("it commits");
    let mut found = Vec::new();
    while found.len() < 2 {
        let followed = follow(&accounts, Some(cursor)).await;
        cursor = followed.cursor;
        found.extend(followed.entries.into_iter().map(|entry| entry.event));
        yield_now().await;
    }
    assert_eq!(found, ["late", "account.enabled"]);
}

#[tokio::test]
async fn what_can_not_be_told_is_not_done() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    let refuse = "ALTER TABLE journal ADD CONSTRAINT nothing CHECK (false) NOT VALID";
    look.batch_execute(refuse)
        .await
        .expect("a constraint can be added");
    accounts
        .create(&user(), &hash(), &session(1), &tell(1))
        .await
        .expect_err("it can't be told");
    let found = accounts.credentials(user().id).await.expect("a read works");
    assert!(found.is_none(), "there is no account");
    created(&accounts).await;
    let (id, one) = (user().id, session(1).id);
    accounts
        .end(id, one, EndReason::SignedOut, START, &tell(2))
        .await
        .expect_err("it can't be told");
    accounts
        .end_all(id, None, EndReason::SignedOut, START, &tell(3))
        .await
        .expect_err("it can't be told");
    accounts
        .disable(id, START, &tell(4))
        .await
        .expect_err("it can't be told");
    accounts
        .delete(id, None, START, &tell(5))
        .await
        .expect_err("it can't be told");
    let record = accounts.find(id, one).await.expect("a read works");
    let record = record.expect("the session is there");
    assert_eq!(record.session, session(1));
    assert_eq!(record.user, Some(user()));
    look.batch_execute("ALTER TABLE journal DROP CONSTRAINT nothing")
        .await
        .expect("a constraint can be dropped");
    let ended = accounts
        .end(id, one, EndReason::SignedOut, START, &tell(2))
        .await;
    assert_eq!(ended.expect("end works"), EndOutcome::Ended);
    assert_eq!(entries(&accounts).await, 1);
}

/// Whichever statement a cut comes after: the transaction is tried again, whole.
#[tokio::test]
async fn a_change_that_is_cut_off_before_its_commit_tells_once() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, mut look) = (schema.accounts().await, schema.look().await);
    let watch = schema.look().await;
    let lock = look.transaction().await.expect("a transaction begins");
    lock.batch_execute("LOCK TABLE journal")
        .await
        .expect("it can be locked");
    let creating = {
        let accounts = accounts.clone();
        tokio::spawn(async move {
            accounts
                .create(&user(), &hash(), &session(1), &tell(1))
                .await
        })
    };
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = $1 AND wait_event_type = 'Lock'";
    while watch
        .query(cut, &[&schema.name])
        .await
        .expect("connections can be cut")
        .is_empty()
    {
        yield_now().await;
    }
    let found = accounts.credentials(user().id).await.expect("a read works");
    assert!(found.is_none(), "nothing was committed");
    lock.rollback().await.expect("the lock goes");
    let created = creating.await.expect("no panic");
    if let Err(error) = &created {
        panic!("a second connection does it: {}", told(error));
    }
    assert_eq!(entries(&accounts).await, 1);
}

/// As after `pg_restore` into another server, whose transactions have smaller numbers.
#[tokio::test]
async fn numbers_of_another_server_hide_no_entries() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    look.execute(INSERT, &[]).await.expect("it can be written");
    look.execute("UPDATE journal SET written_in = 1::bigint << 61", &[])
        .await
        .expect("it can be changed");
    let before = START.minus(Duration::from_hours(24 * 365 * 50));
    let pruned = Journal::prune(&accounts, before, 10).await;
    assert_eq!(pruned.expect("prune works"), 1, "one was put in order");
    let all = follow(&accounts, Some(JournalCursor::default())).await;
    assert_eq!(all.entries.len(), 1);
    assert_eq!(all.cursor.commit, 0);
}
