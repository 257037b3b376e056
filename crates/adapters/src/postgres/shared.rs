//! Connections for the short reads of every request: shared, so that reads go out one behind the other without waiting
//! for answers, which costs half the CPU of a connection each. Long reads and writes take a connection from the pool.

use super::error::PostgresError;
use crate::per_thread;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections, one per thread.
pub(super) struct SharedConnections {
    /// Makes them. They are taken out of it for good, since a pool is for connections that one request holds at a time.
    source: Pool,
    connections: Box<[SharedConnection]>,
}

/// One of them, which is made again after it was lost.
#[derive(Default)]
pub(super) struct SharedConnection {
    client: Mutex<Option<Arc<ClientWrapper>>>,
    connecting: tokio::sync::Mutex<()>,
}

impl SharedConnections {
    /// Nothing is connected yet.
    pub(super) fn new(connections: usize, source: Pool) -> Self {
        Self {
            source,
            connections: (0..connections)
                .map(|_| SharedConnection::default())
                .collect(),
        }
    }

    /// That of the calling thread; `None` if nothing is shared.
    pub(super) fn of_this_thread(&self) -> Option<&SharedConnection> {
        self.connections
            .get(per_thread::index(self.connections.len()))
    }

    /// Connects if it is not open, one caller at a time.
    pub(super) async fn client(
        &self,
        connection: &SharedConnection,
    ) -> Result<Arc<ClientWrapper>, PostgresError> {
        if let Some(client) = connection.open() {
            return Ok(client);
        }
        let connecting = connection.connecting.lock().await;
        // Another caller may have connected meanwhile.
        if let Some(client) = connection.open() {
            return Ok(client);
        }
        let client = Arc::new(Object::take(self.source.get().await?));
        *connection.lock() = Some(Arc::clone(&client));
        drop(connecting);
        Ok(client)
    }

    /// How many there are, and how many of them are open.
    pub(super) fn count(&self) -> (usize, usize) {
        let open = self.connections.iter().filter(|one| one.open().is_some());
        (self.connections.len(), open.count())
    }

    /// Drops those that are open. Reads under way may finish; the next ones connect again.
    pub(super) fn forget(&self) {
        self.connections
            .iter()
            .for_each(|connection| drop(connection.lock().take()));
    }

    /// Drops all for good.
    pub(super) fn close(&self) {
        self.source.close();
        self.forget();
    }
}

impl SharedConnection {
    /// Drops a client that is of no use any more; reads that wait for its answer may still get it. Whether it was in use.
    pub(super) fn forget(&self, lost: &Arc<ClientWrapper>) -> bool {
        self.lock()
            .take_if(|client| Arc::ptr_eq(client, lost))
            .is_some()
    }

    fn open(&self) -> Option<Arc<ClientWrapper>> {
        self.lock()
            .as_ref()
            .filter(|client| !client.is_closed())
            .cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<ClientWrapper>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
