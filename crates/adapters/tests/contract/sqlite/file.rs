//! What only a file promises: it outlives its process, several may have it open, and it says what is wrong with it.

use super::{
    given::{BeginLive, hash, session, told, user},
    subject::{Subject, make},
};
use revolve_adapters::sqlite::SqliteStore;
use revolve_domain::{
    journal::{Actor, Tell},
    model::{AppData, EndReason, EventId, Timestamp, User},
    ports::{
        CreateOutcome, EndOutcome, Journal, SecurityEvent, SessionRepository, StoreErrorKind,
        TokenRepository, UserRepository,
    },
};
use revolve_testkit::untold;
use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

async fn created(subject: &Subject, number: u8) {
    let user = user(number);
    let session = session(&user, 1);
    assert_eq!(
        subject
            .store
            .create(&user, &hash(), &session, &untold())
            .await
            .expect("create works"),
        CreateOutcome::Created
    );
    subject.store.begin_live(&session).await;
}

#[tokio::test]
async fn data_survive_close_and_reopen() {
    let subject = make().await;
    created(&subject, 1).await;
    subject.store.close().await;
    let wal = subject.dir.path().join("revolve.db-wal");
    assert!(!wal.exists(), "the log has become part of the file");

    let store = subject.open().await;
    let (user, again) = (user(1), session(&user(1), 1));
    let found = store
        .find(user.id, again.id)
        .await
        .expect("find works")
        .expect("the session is there");
    assert_eq!(
        (found.session, found.user),
        (again.clone(), Some(user.clone()))
    );
    assert_eq!(
        store.list(user.id).await.expect("list works").len(),
        1,
        "the white list is there"
    );
}

#[tokio::test]
async fn what_is_deleted_is_zeroed_in_its_page() {
    let subject = make().await;
    created(&subject, 1).await;
    created(&subject, 2).await;
    let gone = user(1);
    let deleted = subject
        .store
        .delete(gone.id, None, gone.created_at, &untold())
        .await;
    assert!(deleted.expect("delete works"));
    subject.store.close().await;
    let file = std::fs::read(subject.path()).expect("the file is there");
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds(gone.email.key()), "of the account that is gone");
    assert!(holds(user(2).email.key()), "of the one that is there");
}

/// A row that does not fit into a page has pages of its own, which become free with it.
#[tokio::test]
async fn what_is_deleted_is_zeroed_in_pages_that_become_free() {
    let subject = make().await;
    let [gone, there] = [(1, "gone"), (2, "there")].map(|(number, mark)| User {
        app: AppData::parse(&format!(r#"{{"note":"{}{mark}"}}"#, "x".repeat(3500)))
            .expect("app data"),
        ..user(number)
    });
    for user in [&gone, &there] {
        let added = subject.store.add(user, &hash(), &untold()).await;
        added.expect("add works");
    }
    let deleted = subject
        .store
        .delete(gone.id, None, gone.created_at, &untold())
        .await;
    assert!(deleted.expect("delete works"));
    subject.store.close().await;
    let file = std::fs::read(subject.path()).expect("the file is there");
    let holds = |text: &str| file.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!holds("xgone"), "of the account that is gone");
    assert!(holds("xthere"), "of the one that is there");
}

#[tokio::test]
async fn a_pruning_empties_the_log_of_what_was_deleted() {
    let subject = make().await;
    created(&subject, 1).await;
    let log = subject.dir.path().join("revolve.db-wal");
    let size = || std::fs::metadata(&log).expect("the log is there").len();
    assert!(size() > 0);
    let pruned = Journal::prune(&subject.store, user(1).created_at, 10).await;
    assert_eq!(pruned.expect("prune works"), 0);
    let begun = Instant::now();
    while size() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "{} bytes",
            size()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let session = session(&user(1), 1);
    let listed = subject.store.list(session.user).await;
    assert_eq!(listed.expect("list works").len(), 1, "nothing is lost");
}

/// Calls that wait behind it are carried out, and in order.
#[tokio::test]
async fn a_log_that_is_emptied_among_calls_loses_none() {
    let subject = make().await;
    let store = &subject.store;
    let all = (1..=20).map(|number| async move {
        if number % 5 == 0 {
            let pruned = Journal::prune(store, user(number).created_at, 10).await;
            pruned.expect("prune works");
        }
        let added = store.add(&user(number), &hash(), &untold()).await;
        added.expect("add works");
    });
    futures_util::future::join_all(all).await;
    for number in 1..=20 {
        let found = store.credentials(user(number).id).await;
        assert!(found.expect("it is read").is_some(), "{number}");
    }
}

#[tokio::test]
async fn data_survive_without_a_close() {
    let subject = make().await;
    created(&subject, 1).await;
    // What another process finds when this one is killed: nothing was closed or checkpointed.
    let copy = tempfile::TempDir::new().expect("a directory can be made");
    for name in ["revolve.db", "revolve.db-wal"] {
        std::fs::copy(subject.dir.path().join(name), copy.path().join(name))
            .expect("the file is there");
    }
    let store = SqliteStore::open(copy.path().join("revolve.db"), subject.clock.clone())
        .await
        .expect("the copy opens");
    assert_eq!(store.list(user(1).id).await.expect("list works").len(), 1);
}

#[tokio::test]
async fn a_closed_store_is_unavailable() {
    let subject = make().await;
    let other = subject.store.clone();
    subject.store.close().await;
    subject.store.close().await;
    let read = other
        .credentials(user(1).id)
        .await
        .expect_err("nothing is read");
    let written = other
        .create(&user(1), &hash(), &session(&user(1), 1), &untold())
        .await
        .expect_err("nothing is written");
    assert_eq!(
        (read.kind(), written.kind()),
        (StoreErrorKind::Unavailable, StoreErrorKind::Unavailable)
    );
}

#[tokio::test]
async fn eight_may_open_a_new_file_at_once() {
    let dir = tempfile::TempDir::new().expect("a directory can be made");
    let clock = std::sync::Arc::new(revolve_testkit::memory::FakeClock::default());
    let opening: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(SqliteStore::open(
                dir.path().join("revolve.db"),
                clock.clone(),
            ))
        })
        .collect();
    for opened in opening {
        opened
            .await
            .expect("no panic")
            .expect("the store opens")
            .ping_both()
            .await;
    }
    let look = rusqlite::Connection::open(dir.path().join("revolve.db")).expect("the file opens");
    let applied: i64 = look
        .query_row("SELECT count(*) FROM refinery_schema_history", [], |row| {
            row.get(0)
        })
        .expect("the history is there");
    assert_eq!(
        applied,
        crate::migrations("sqlite"),
        "each migration ran once"
    );
}

/// `ping` is a method of two of the ports.
trait PingBoth {
    async fn ping_both(&self);
}

impl PingBoth for SqliteStore {
    async fn ping_both(&self) {
        UserRepository::ping(self)
            .await
            .expect("the accounts answer");
        TokenRepository::ping(self)
            .await
            .expect("the white list answers");
    }
}

#[tokio::test]
async fn the_files_are_their_owners_only() {
    let subject = make().await;
    created(&subject, 1).await;
    let entries: Vec<_> = std::fs::read_dir(subject.dir.path())
        .expect("the directory is there")
        .flatten()
        .collect();
    assert!(entries.len() >= 3, "database, log and lock");
    for entry in entries {
        let mode = entry
            .metadata()
            .expect("the file is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_handles_see_each_others_writes() {
    let one = make().await;
    let two = one.open().await;
    let tasks: Vec<_> = (0..100)
        .map(|number| {
            let (writes, reads) = if number % 2 == 0 {
                (one.store.clone(), two.clone())
            } else {
                (two.clone(), one.store.clone())
            };
            tokio::spawn(async move {
                let user = user(number);
                writes
                    .create(&user, &hash(), &session(&user, 1), &untold())
                    .await
                    .expect("create works");
                let ended = reads.end_row(&session(&user, 1)).await;
                assert_eq!(
                    ended,
                    EndOutcome::Ended,
                    "what one acknowledged the other sees at once"
                );
                let record = writes
                    .find(user.id, session(&user, 1).id)
                    .await
                    .expect("find works")
                    .expect("the session is there");
                assert_eq!(
                    record.session.ending.map(|ending| ending.reason),
                    Some(EndReason::SignedOut)
                );
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}

/// `end` is a method of two of the ports.
trait EndRow {
    async fn end_row(&self, session: &revolve_domain::model::Session) -> EndOutcome;
}

impl EndRow for SqliteStore {
    async fn end_row(&self, session: &revolve_domain::model::Session) -> EndOutcome {
        SessionRepository::end(
            self,
            session.user,
            session.id,
            EndReason::SignedOut,
            session.began_at,
            &untold(),
        )
        .await
        .expect("end works")
    }
}

/// The second account's id is taken, which no port foresees: its call fails, and nothing else does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_call_does_not_harm_its_neighbours() {
    let subject = make().await;
    created(&subject, 0).await;
    let tasks: Vec<_> = (1..=60)
        .map(|number| {
            let store = subject.store.clone();
            tokio::spawn(async move {
                let mut new = user(number);
                if number % 3 == 0 {
                    new.id = user(0).id;
                }
                let outcome = store
                    .create(&new, &hash(), &session(&user(number), 2), &untold())
                    .await;
                (number, outcome)
            })
        })
        .collect();
    for task in tasks {
        let (number, outcome) = task.await.expect("no panic");
        let row = subject
            .store
            .find(user(number).id, session(&user(number), 2).id)
            .await
            .expect("find works");
        if number % 3 == 0 {
            assert_eq!(
                outcome.expect_err("the id is taken").kind(),
                StoreErrorKind::Broken
            );
            assert_eq!(row, None, "a failed call leaves nothing behind");
        } else {
            assert_eq!(outcome.expect("create works"), CreateOutcome::Created);
            assert!(row.is_some(), "an acknowledged one is there");
        }
    }
}

#[tokio::test]
async fn a_corrupt_row_is_named() {
    let subject = make().await;
    created(&subject, 1).await;
    let (user, session) = (user(1), session(&user(1), 1));
    let look = subject.look();
    for (spoil, named) in [
        (
            "UPDATE white_list SET gen = 0",
            format!("white_list.gen of row {}", session.id),
        ),
        (
            "UPDATE sessions SET ended_at = 1, end_reason = 'bored'",
            format!("sessions.end_reason of row {}", session.id),
        ),
        (
            "UPDATE sessions SET ended_at = NULL, end_reason = NULL, address = 'nowhere'",
            format!("sessions.address of row {}", session.id),
        ),
        (
            "UPDATE sessions SET address = NULL, epoch = -1",
            format!("sessions.epoch of row {}", session.id),
        ),
        (
            "UPDATE sessions SET epoch = 0; UPDATE users SET email = 'nobody'",
            format!("users.email of row {}", user.id),
        ),
    ] {
        look.execute_batch(spoil).expect("the file takes anything");
        let error = if spoil.contains("white_list") {
            subject
                .store
                .list(user.id)
                .await
                .expect_err("the entry is corrupt")
        } else {
            subject
                .store
                .find(user.id, session.id)
                .await
                .expect_err("the row is corrupt")
        };
        assert_eq!(error.kind(), StoreErrorKind::Broken);
        assert!(told(&error).contains(&named), "{}", told(&error));
        assert!(
            !told(&error).contains("nobody") && !told(&error).contains("bored"),
            "no value is told: {}",
            told(&error)
        );
    }
}

#[tokio::test]
async fn the_dead_of_others_are_swept_in_the_end() {
    let subject = make().await;
    for number in 1..=30 {
        subject.store.begin_live(&session(&user(number), 1)).await;
    }
    subject.clock.advance(Duration::from_hours(1));
    for number in 31..=36 {
        subject.store.begin_live(&session(&user(number), 1)).await;
    }
    let left: i64 = subject
        .look()
        .query_row("SELECT count(*) FROM white_list", [], |row| row.get(0))
        .expect("the table is there");
    assert_eq!(left, 6, "only the living are left");
}

#[tokio::test]
async fn a_file_that_cant_be_opened_is_named() {
    let dir = tempfile::TempDir::new().expect("a directory can be made");
    let clock = std::sync::Arc::new(revolve_testkit::memory::FakeClock::default());
    let nowhere = dir.path().join("missing").join("revolve.db");
    let error = SqliteStore::open(&nowhere, clock.clone())
        .await
        .err()
        .expect("there is no such directory");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(
        told(&error).contains(&nowhere.display().to_string()),
        "{}",
        told(&error)
    );

    let letter = dir.path().join("letter");
    std::fs::write(&letter, "Dear reader, this is no database. ".repeat(100))
        .expect("a file can be written");
    let error = SqliteStore::open(&letter, clock)
        .await
        .err()
        .expect("this is no database");
    assert_eq!(error.kind(), StoreErrorKind::Broken);
}

/// Of every outcome.
fn tell<O>() -> Tell<O> {
    Tell::new(
        EventId::from_random([1; 16]),
        Timestamp::from_seconds(1_900_000_000),
        Actor::System,
        |_| vec![SecurityEvent::AccountEnabled { user: user(1).id }],
    )
}

#[tokio::test]
async fn what_can_not_be_told_is_not_done() {
    let subject = make().await;
    created(&subject, 1).await;
    let (look, owner) = (subject.look(), user(1));
    look.execute_batch(
        "CREATE TRIGGER refusal BEFORE INSERT ON journal BEGIN SELECT raise(ABORT, 'on purpose'); END",
    )
    .expect("a trigger can be made");
    let (store, one) = (&subject.store, session(&owner, 1));
    let second = user(2);
    store
        .create(&second, &hash(), &session(&second, 1), &tell())
        .await
        .expect_err("it can't be told");
    let end = async || {
        let (at, tell) = (one.began_at, tell());
        SessionRepository::end(store, owner.id, one.id, EndReason::SignedOut, at, &tell).await
    };
    end().await.expect_err("it can't be told");
    store
        .delete(owner.id, None, one.began_at, &tell())
        .await
        .expect_err("it can't be told");
    let found = store.credentials(second.id).await.expect("a read works");
    assert!(found.is_none(), "there is no account");
    let found = store.find(owner.id, one.id).await.expect("a read works");
    let found = found.expect("the session is there");
    assert_eq!(
        (found.session, found.user),
        (one.clone(), Some(owner.clone()))
    );
    look.execute_batch("DROP TRIGGER refusal")
        .expect("a trigger can be dropped");
    assert_eq!(end().await.expect("end works"), EndOutcome::Ended);
}
