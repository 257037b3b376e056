//! A few connections that only read: on Tokio's blocking threads, or for a look-up by key on the calling thread.

use super::{error::SqliteError, open::BUSY};
use rusqlite::{Connection, ErrorCode};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// The longest wait for a free connection.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Readers {
    idle: Arc<Idle>,
    free: Arc<Semaphore>,
    all: u32,
}

struct Idle(Mutex<Vec<Connection>>);

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives its connection back when it is dropped.
struct Lease {
    conn: Option<Connection>,
    idle: Arc<Idle>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.idle.lock().extend(self.conn.take());
    }
}

impl Readers {
    pub(super) fn new(conns: Vec<Connection>) -> Self {
        let all = u32::try_from(conns.len()).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Semaphore::new(conns.len())),
            idle: Arc::new(Idle(Mutex::new(conns))),
            all,
        }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let permit = timeout(PATIENCE, Arc::clone(&self.free).acquire_owned())
            .await
            .map_err(|_| SqliteError::Busy)?;
        let permit = permit.map_err(|_| SqliteError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let reading = spawn_blocking(move || {
            // Dropped last, after the connection is back.
            let _permit = permit;
            let conn = idle.lock().pop();
            let lease = Lease { conn, idle };
            lease.conn.as_ref().map_or(Err(SqliteError::Closed), work)
        });
        reading.await.unwrap_or_else(|error| {
            Err(if error.is_panic() {
                SqliteError::Panicked
            } else {
                SqliteError::Closed
            })
        })
    }

    /// Runs `work` on the calling thread: a look-up by key takes a few microseconds, less than waking another thread. It never waits:
    /// `None` if all connections are in use, or if another process has locked the file.
    pub(super) fn look_up<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError>,
    ) -> Option<Result<T, SqliteError>> {
        let _permit = self.free.try_acquire().ok()?;
        let conn = self.idle.lock().pop();
        let lease = Lease {
            conn,
            idle: Arc::clone(&self.idle),
        };
        let conn = lease.conn.as_ref()?;
        conn.busy_timeout(Duration::ZERO).ok()?;
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or(Err(SqliteError::Panicked));
        conn.busy_timeout(BUSY).ok()?;
        match outcome {
            Err(SqliteError::Sql(error))
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) =>
            {
                None
            }
            outcome => Some(outcome),
        }
    }

    /// How many there are, and how many of them are in use.
    pub(super) fn count(&self) -> (usize, usize) {
        let all = usize::try_from(self.all).unwrap_or(usize::MAX);
        (all, all.saturating_sub(self.free.available_permits()))
    }

    /// Waits for the reads that are under way and closes the connections.
    pub(super) async fn close(&self) {
        let all = self.free.acquire_many(self.all).await;
        self.free.close();
        self.idle.lock().clear();
        drop(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{path::Path, sync::mpsc};
    use tempfile::TempDir;

    fn connect(path: &Path) -> Connection {
        let conn = Connection::open(path).unwrap();
        conn.busy_timeout(BUSY).unwrap();
        conn
    }

    /// One reader of a file with one row.
    fn one() -> (Readers, TempDir) {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("notes.db");
        connect(&path).execute_batch("PRAGMA journal_mode = wal; CREATE TABLE notes (id INTEGER); INSERT INTO notes VALUES (7);").unwrap();
        (Readers::new(vec![connect(&path)]), dir)
    }

    fn note(conn: &Connection) -> Result<i64, SqliteError> {
        Ok(conn.query_row("SELECT id FROM notes", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_look_up_gives_its_connection_back_and_waits_for_none() {
        let (readers, _dir) = one();
        assert_eq!(readers.look_up(note).unwrap().unwrap(), 7);
        assert_eq!(readers.count(), (1, 0));
        let (release, held) = mpsc::channel::<()>();
        let (began, begun) = tokio::sync::oneshot::channel();
        let hold = move |_: &Connection| {
            began.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        };
        let reading = async {
            begun.await.unwrap();
            assert!(readers.look_up(note).is_none(), "the only one is in use");
            drop(release);
        };
        let (held, ()) = tokio::join!(readers.run(hold), reading);
        held.unwrap();
        assert!(readers.look_up(note).is_some());
        readers.close().await;
        assert!(readers.look_up(note).is_none());
        assert!(matches!(readers.run(note).await, Err(SqliteError::Closed)));
    }

    #[tokio::test]
    async fn a_look_up_in_a_file_that_another_process_has_locked_does_not_wait() {
        let (readers, dir) = one();
        let other = connect(&dir.path().join("notes.db"));
        other
            .execute_batch("PRAGMA locking_mode = exclusive; UPDATE notes SET id = 8;")
            .unwrap();
        let begun = std::time::Instant::now();
        assert!(readers.look_up(note).is_none());
        assert!(begun.elapsed() < BUSY, "it did not wait");
        // The connection is patient again.
        let (read, ()) = tokio::join!(readers.run(note), async { drop(other) });
        assert_eq!(read.unwrap(), 8);
    }

    #[tokio::test]
    async fn a_panic_is_that_calls_own() {
        let (readers, _dir) = one();
        let outcome: Option<Result<(), SqliteError>> = readers.look_up(|_| panic!("on purpose"));
        assert!(matches!(outcome, Some(Err(SqliteError::Panicked))));
        assert_eq!(readers.look_up(note).unwrap().unwrap(), 7);
    }
}
