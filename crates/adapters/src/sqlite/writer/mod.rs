//! The one thread that writes. It commits waiting calls in groups, so that many share one flush of the disk, and answers
//! them after the commit: what was acknowledged is durable.

use super::{
    error::{Abandoned, SqliteError},
    open::BUSY,
};
use rusqlite::Connection;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};
use tokio::{sync::oneshot, task::spawn_blocking};

/// The most calls that share a commit.
const GROUP: usize = 256;

/// The most calls that wait; more are refused at once.
const QUEUE: usize = 16 * GROUP;

pub(super) struct Writer {
    queue: SyncSender<Message>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

enum Message {
    Do(Box<dyn Work>),
    EmptyLog,
    Stop,
}

/// A call in the group of a commit.
trait Work: Send {
    /// Runs within the group's transaction. On an error that transaction is lost.
    fn run(&mut self, conn: &Connection) -> Result<(), Abandoned>;

    /// Answers the caller, now that the group's outcome is known.
    fn deliver(self: Box<Self>, group: &Result<(), Abandoned>);
}

struct Call<T, F> {
    work: Option<F>,
    result: Option<Result<T, SqliteError>>,
    answer: oneshot::Sender<Result<T, SqliteError>>,
}

impl<T, F> Work for Call<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, SqliteError> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), Abandoned> {
        // The caller has gone away: it is not begun.
        let Some(work) = self.work.take().filter(|_| !self.answer.is_closed()) else {
            return Ok(());
        };
        conn.prepare_cached("SAVEPOINT call")?.execute([])?;
        let result =
            catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or(Err(SqliteError::Panicked));
        let failed = result.is_err();
        self.result = Some(result);
        if conn.is_autocommit() {
            return Err(Abandoned::rolled_back());
        }
        if failed {
            conn.prepare_cached("ROLLBACK TO call")?.execute([])?;
        }
        conn.prepare_cached("RELEASE call")?.execute([])?;
        Ok(())
    }

    fn deliver(self: Box<Self>, group: &Result<(), Abandoned>) {
        let result = match (self.result, group) {
            // Its own failure is more precise than the group's.
            (Some(Err(error)), _) => Err(error),
            (_, Err(abandoned)) => Err(abandoned.clone().into()),
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (None, Ok(())) => return,
        };
        // The caller may have gone away meanwhile.
        drop(self.answer.send(result));
    }
}

impl Writer {
    pub(super) fn start(conn: Connection) -> io::Result<Self> {
        let (queue, messages) = sync_channel(QUEUE);
        let thread = thread::Builder::new()
            .name("revolve-sqlite".to_owned())
            .spawn(move || serve(&conn, &messages))?;
        Ok(Self {
            queue,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs `work` whole or not at all.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            work: Some(work),
            result: None,
            answer,
        };
        self.queue
            .try_send(Message::Do(Box::new(call)))
            .map_err(|error| match error {
                TrySendError::Full(_) => SqliteError::Busy,
                TrySendError::Disconnected(_) => SqliteError::Closed,
            })?;
        answered.await.unwrap_or(Err(SqliteError::Closed))
    }

    /// Empties the write-ahead log soon, which has what was deleted until it is overwritten; not if somebody is reading of it then.
    pub(super) fn empty_log(&self) {
        // If the queue is full, it is overwritten soon.
        drop(self.queue.try_send(Message::EmptyLog));
    }

    /// Finishes the waiting calls, then ends the thread.
    pub(super) async fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        let queue = self.queue.clone();
        // If the thread panicked, its calls have failed already.
        drop(spawn_blocking(move || queue.send(Message::Stop).map(|()| thread.join())).await);
    }
}

impl Drop for Writer {
    /// Waits for the thread, unless it was closed: SQLite removes the index of its log before the log, and a process that ended in between
    /// would leave a log that can't be read without making an index.
    fn drop(&mut self) {
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            drop(self.queue.send(Message::Stop).map(|()| thread.join()));
        }
    }
}

/// Runs until [`Message::Stop`].
fn serve(conn: &Connection, messages: &Receiver<Message>) {
    let mut next = None;
    while let Some(message) = next.take().or_else(|| messages.recv().ok()) {
        match message {
            Message::Do(first) => next = serve_group(conn, first, messages),
            Message::EmptyLog => {
                // Calls wait meanwhile: it must not wait for readers.
                drop(conn.busy_timeout(Duration::ZERO));
                empty_log(conn);
                drop(conn.busy_timeout(BUSY));
            }
            Message::Stop => break,
        }
    }
    // If another process has the file open, that one does it later.
    empty_log(conn);
}

/// The log becomes part of the file again.
fn empty_log(conn: &Connection) {
    drop(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
}

/// Answers what came behind the group.
fn serve_group(
    conn: &Connection,
    first: Box<dyn Work>,
    messages: &Receiver<Message>,
) -> Option<Message> {
    let mut group = vec![first];
    let mut behind = None;
    let mut more = || {
        if behind.is_some() {
            return None;
        }
        match messages.try_recv() {
            Ok(Message::Do(work)) => Some(work),
            other => {
                behind = other.ok();
                None
            }
        }
    };
    let outcome = commit(conn, &mut group, &mut more);
    if let Err(abandoned) = &outcome {
        if !conn.is_autocommit() {
            // If that fails, too, the next BEGIN fails with the reason.
            drop(conn.execute_batch("ROLLBACK"));
        }
        tracing::warn!(%abandoned, calls = group.len(), "a group of writes failed");
    }
    for work in group {
        work.deliver(&outcome);
    }
    behind
}

fn commit(
    conn: &Connection,
    group: &mut Vec<Box<dyn Work>>,
    more: &mut dyn FnMut() -> Option<Box<dyn Work>>,
) -> Result<(), Abandoned> {
    if let Err(error) = conn.execute_batch("BEGIN IMMEDIATE") {
        // The waiting calls would fail the same way, each after a wait of its own.
        group.extend(std::iter::from_fn(more).take(GROUP - 1));
        return Err(error.into());
    }
    for at in 0..GROUP {
        let Some(work) = group.get_mut(at) else { break };
        work.run(conn)?;
        if group.len() < GROUP {
            group.extend(more());
        }
    }
    Ok(conn.execute_batch("COMMIT")?)
}

#[cfg(test)]
mod tests;
