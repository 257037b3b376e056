//! The one thread that writes. It commits what is waiting in groups, so that many calls share one flush of the disk, and
//! answers nobody before the commit: what was acknowledged is durable.

use super::error::{Abandoned, Fault};
use rusqlite::Connection;
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};
use tokio::{sync::oneshot, task::spawn_blocking};

/// So many calls share a commit at most.
const GROUP: usize = 256;

/// So many may wait; more are turned away at once.
const QUEUE: usize = 16 * GROUP;

pub(super) struct Writer {
    queue: SyncSender<Message>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

enum Message {
    Do(Box<dyn Work>),
    Stop,
}

/// A call in the group of a commit.
trait Work: Send {
    /// Does it within the group's transaction. On an error that transaction is lost.
    fn run(&mut self, conn: &Connection) -> Result<(), Abandoned>;

    /// Answers the caller, now that the group's outcome is known.
    fn deliver(self: Box<Self>, group: &Result<(), Abandoned>);
}

struct Call<T, F> {
    work: Option<F>,
    result: Option<Result<T, Fault>>,
    answer: oneshot::Sender<Result<T, Fault>>,
}

impl<T, F> Work for Call<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), Abandoned> {
        // Nobody waits for it any more: it is not begun.
        let Some(work) = self.work.take().filter(|_| !self.answer.is_closed()) else {
            return Ok(());
        };
        conn.prepare_cached("SAVEPOINT call")?.execute([])?;
        let result = catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or(Err(Fault::Panicked));
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
            // Its own failure says more than the group's.
            (Some(Err(fault)), _) => Err(fault),
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

    /// Whether the work is done or not, it is so whole.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let call = Call {
            work: Some(work),
            result: None,
            answer,
        };
        self.queue
            .try_send(Message::Do(Box::new(call)))
            .map_err(|error| match error {
                TrySendError::Full(_) => Fault::Busy,
                TrySendError::Disconnected(_) => Fault::Closed,
            })?;
        answered.await.unwrap_or(Err(Fault::Closed))
    }

    /// Finishes what is waiting, then ends the thread.
    pub(super) async fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        let queue = self.queue.clone();
        // Nothing to do about a thread that panicked: its calls have failed.
        drop(spawn_blocking(move || queue.send(Message::Stop).map(|()| thread.join())).await);
    }
}

impl Drop for Writer {
    /// Waits for the thread, if nobody has closed it: SQLite takes away the index of its log before the log, and a process that ended in
    /// between would leave a log that nobody can look into without making an index.
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

/// Until it is told to stop.
fn serve(conn: &Connection, messages: &Receiver<Message>) {
    let mut going = true;
    while going && let Ok(Message::Do(first)) = messages.recv() {
        going = serve_group(conn, first, messages);
    }
    // The log becomes part of the file again. If somebody else has it open, that is for them to do.
    drop(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
}

/// Whether to go on.
fn serve_group(conn: &Connection, first: Box<dyn Work>, messages: &Receiver<Message>) -> bool {
    let mut group = vec![first];
    let mut going = true;
    let mut more = || match messages.try_recv() {
        Ok(Message::Do(work)) => Some(work),
        Ok(Message::Stop) => {
            going = false;
            None
        }
        Err(_) => None,
    };
    let outcome = commit(conn, &mut group, &mut more);
    if let Err(abandoned) = &outcome {
        if !conn.is_autocommit() {
            // If not even that works, the next BEGIN says so.
            drop(conn.execute_batch("ROLLBACK"));
        }
        tracing::warn!(%abandoned, calls = group.len(), "a group of writes failed");
    }
    for work in group {
        work.deliver(&outcome);
    }
    going
}

fn commit(
    conn: &Connection,
    group: &mut Vec<Box<dyn Work>>,
    more: &mut dyn FnMut() -> Option<Box<dyn Work>>,
) -> Result<(), Abandoned> {
    if let Err(error) = conn.execute_batch("BEGIN IMMEDIATE") {
        // Those who wait would find the same, each after a wait of its own.
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
