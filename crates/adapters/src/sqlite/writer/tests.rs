//! Groups, made on purpose: the first call of each waits until all others are in the queue.

use super::*;
use std::{
    future::Future,
    sync::{Arc, mpsc},
    time::Duration,
};
use tempfile::TempDir;

struct Fixture {
    writer: Arc<Writer>,
    dir: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let conn = Self::open(&dir);
        conn.execute_batch(
            "PRAGMA journal_mode = wal;
             CREATE TABLE notes (id INTEGER PRIMARY KEY);
             CREATE TABLE promises (id INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED);",
        )
        .unwrap();
        conn.pragma_update(None, "foreign_keys", true).unwrap();
        Self {
            writer: Arc::new(Writer::start(conn).unwrap()),
            dir,
        }
    }

    fn open(dir: &TempDir) -> Connection {
        let conn = Connection::open(dir.path().join("notes.db")).unwrap();
        conn.busy_timeout(Duration::from_millis(20)).unwrap();
        conn
    }

    /// Begins a group that takes no calls in until the answer is dropped.
    async fn hold(
        &self,
    ) -> (
        mpsc::Sender<()>,
        impl Future<Output = Result<(), SqliteError>> + use<>,
    ) {
        let (release, held) = mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let writer = Arc::clone(&self.writer);
        let first = tokio::spawn(async move {
            writer
                .run(move |_| {
                    began.send(()).unwrap();
                    let _ = held.recv();
                    Ok(())
                })
                .await
        });
        begun.await.unwrap();
        (release, async { first.await.unwrap() })
    }

    /// Puts a call into the queue at once.
    fn call<F>(&self, work: F) -> impl Future<Output = Result<(), SqliteError>> + use<F>
    where
        F: FnOnce(&Connection) -> Result<(), SqliteError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            work: Some(work),
            result: None,
            answer,
        };
        let sent = self.writer.queue.try_send(Message::Do(Box::new(call)));
        async move {
            sent.map_err(|_| SqliteError::Busy)?;
            answered.await.unwrap_or(Err(SqliteError::Closed))
        }
    }

    fn note(&self, id: i64) -> impl Future<Output = Result<(), SqliteError>> + use<> {
        self.call(move |conn| insert(conn, id))
    }

    fn notes(&self) -> Vec<i64> {
        let conn = Self::open(&self.dir);
        let mut statement = conn.prepare("SELECT id FROM notes ORDER BY id").unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

fn insert(conn: &Connection, id: i64) -> Result<(), SqliteError> {
    conn.execute("INSERT INTO notes VALUES (?1)", [id])?;
    Ok(())
}

#[tokio::test]
async fn a_call_that_fails_or_panics_is_undone_alone() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let before = fixture.note(1);
    let failing = fixture.call(|conn| insert(conn, 2).and_then(|()| insert(conn, 1)));
    let panicking = fixture.call(|conn| {
        insert(conn, 3).unwrap();
        panic!("on purpose");
    });
    let after = fixture.note(4);
    drop(release);
    first.await.unwrap();
    before.await.unwrap();
    assert!(matches!(failing.await, Err(SqliteError::Sql(_))));
    assert!(matches!(panicking.await, Err(SqliteError::Panicked)));
    after.await.unwrap();
    assert_eq!(fixture.notes(), [1, 4]);
    fixture.note(5).await.unwrap();
}

#[tokio::test]
async fn a_group_is_one_commit_and_answers_nobody_before_it() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let (seen, notes) = (Arc::new(Mutex::new(None)), Fixture::open(&fixture.dir));
    let one = fixture.note(1);
    let look = Arc::clone(&seen);
    let two = fixture.call(move |_| {
        let count: i64 = notes.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))?;
        *look.lock().unwrap() = Some(count);
        Ok(())
    });
    drop(release);
    first.await.unwrap();
    one.await.unwrap();
    assert_eq!(fixture.notes(), [1], "acknowledged means there");
    two.await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        Some(0),
        "nothing of the group is there before its commit"
    );
}

#[tokio::test]
async fn a_failed_commit_fails_the_whole_group() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let note = fixture.note(1);
    let promise = fixture.call(|conn| {
        conn.execute("INSERT INTO promises VALUES (99)", [])?;
        Ok(())
    });
    drop(release);
    for outcome in [first.await, note.await, promise.await] {
        assert!(
            matches!(outcome, Err(SqliteError::Abandoned(_))),
            "{outcome:?}"
        );
    }
    assert_eq!(fixture.notes(), [0_i64; 0]);
    fixture.note(2).await.unwrap();
    assert_eq!(fixture.notes(), [2]);
}

#[tokio::test]
async fn a_transaction_that_sqlite_gives_up_fails_the_whole_group() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let note = fixture.note(1);
    let fatal =
        fixture.call(|conn| Ok(conn.execute_batch("INSERT OR ROLLBACK INTO notes VALUES (1)")?));
    drop(release);
    assert!(matches!(first.await, Err(SqliteError::Abandoned(_))));
    assert!(matches!(note.await, Err(SqliteError::Abandoned(_))));
    assert!(
        matches!(fatal.await, Err(SqliteError::Sql(_))),
        "its own failure says more"
    );
    fixture.note(2).await.unwrap();
    assert_eq!(fixture.notes(), [2]);
}

#[tokio::test]
async fn callers_that_went_away_are_passed_over() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    drop(fixture.note(1));
    let stays = fixture.note(2);
    drop(release);
    drop(first);
    stays.await.unwrap();
    assert_eq!(fixture.notes(), [2]);
}

#[tokio::test]
async fn a_file_that_somebody_else_writes_is_unavailable() {
    let fixture = Fixture::new();
    let other = Fixture::open(&fixture.dir);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = fixture
        .note(1)
        .await
        .unwrap_err()
        .into_store_error("write a note");
    assert_eq!(
        error.kind(),
        revolve_domain::ports::StoreErrorKind::Unavailable
    );
    other.execute_batch("ROLLBACK").unwrap();
    fixture.note(1).await.unwrap();
}

#[tokio::test]
async fn a_full_queue_turns_away_at_once() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let waiting: Vec<_> = (0..QUEUE)
        .map(|id| fixture.note(i64::try_from(id).unwrap()))
        .collect();
    assert!(matches!(
        fixture.writer.run(|_| Ok(())).await,
        Err(SqliteError::Busy)
    ));
    drop(release);
    first.await.unwrap();
    for note in waiting {
        note.await.unwrap();
    }
    assert_eq!(fixture.notes().len(), QUEUE);
}

#[tokio::test]
async fn who_is_dropped_leaves_a_file_without_a_log() {
    let fixture = Fixture::new();
    fixture.note(1).await.unwrap();
    let log = fixture.dir.path().join("notes.db-wal");
    assert!(log.exists());
    drop(fixture.writer);
    assert!(!log.exists());
}

#[tokio::test]
async fn close_finishes_what_waits() {
    let fixture = Fixture::new();
    let (release, first) = fixture.hold().await;
    let note = fixture.note(1);
    let writer = Arc::clone(&fixture.writer);
    let closing = tokio::spawn(async move { writer.close().await });
    drop(release);
    first.await.unwrap();
    note.await.unwrap();
    closing.await.unwrap();
    assert!(matches!(
        fixture.writer.run(|_| Ok(())).await,
        Err(SqliteError::Closed)
    ));
    assert_eq!(fixture.notes(), [1]);
}
