//! A few connections that only read, on Tokio's blocking threads.

use super::error::Fault;
use rusqlite::Connection;
use std::{
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

/// Gives a connection back, whatever happens meanwhile.
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
        Self { free: Arc::new(Semaphore::new(conns.len())), idle: Arc::new(Idle(Mutex::new(conns))), all }
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = timeout(PATIENCE, Arc::clone(&self.free).acquire_owned()).await.map_err(|_| Fault::Busy)?;
        let permit = permit.map_err(|_| Fault::Closed)?;
        let idle = Arc::clone(&self.idle);
        let reading = spawn_blocking(move || {
            // Dropped last, after the connection is back.
            let _permit = permit;
            let conn = idle.lock().pop();
            let lease = Lease { conn, idle };
            lease.conn.as_ref().map_or(Err(Fault::Closed), work)
        });
        reading.await.unwrap_or_else(|error| Err(if error.is_panic() { Fault::Panicked } else { Fault::Closed }))
    }

    /// All of them, and those in use.
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
