//! Connections for the short reads of every request: shared, so that reads go out one behind the other without waiting for answers, which
//! costs half the CPU of a connection each. What takes long or changes anything has a connection of its own, from the pool.

use super::error::Fault;
use crate::per_thread;
use deadpool_postgres::{ClientWrapper, Object, Pool};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The connections, one of which serves a thread.
pub(super) struct Shared {
    /// Makes them. They are taken out of it for good, since a pool is for connections that one request holds at a time.
    source: Pool,
    lanes: Box<[Lane]>,
}

/// The place of one connection.
#[derive(Default)]
pub(super) struct Lane {
    client: Mutex<Option<Arc<ClientWrapper>>>,
    dialling: tokio::sync::Mutex<()>,
}

impl Shared {
    /// Nothing is dialled yet.
    pub(super) fn new(connections: usize, source: Pool) -> Self {
        Self {
            source,
            lanes: (0..connections).map(|_| Lane::default()).collect(),
        }
    }

    /// The place of the calling thread's connection, if there are any.
    pub(super) fn lane(&self) -> Option<&Lane> {
        self.lanes.get(per_thread::index(self.lanes.len()))
    }

    /// The connection of a lane; dials if there is none, one caller at a time.
    pub(super) async fn connection(&self, lane: &Lane) -> Result<Arc<ClientWrapper>, Fault> {
        if let Some(client) = lane.live() {
            return Ok(client);
        }
        let dialling = lane.dialling.lock().await;
        // Whoever was first has dialled for all.
        if let Some(client) = lane.live() {
            return Ok(client);
        }
        let client = Arc::new(Object::take(self.source.get().await?));
        *lane.client() = Some(Arc::clone(&client));
        drop(dialling);
        Ok(client)
    }

    /// How many there should be, and how many are open.
    pub(super) fn count(&self) -> (usize, usize) {
        (
            self.lanes.len(),
            self.lanes
                .iter()
                .filter(|lane| lane.live().is_some())
                .count(),
        )
    }

    /// Lets go of those there are. What is under way may finish; who comes next dials.
    pub(super) fn forget(&self) {
        self.lanes
            .iter()
            .for_each(|lane| drop(lane.client().take()));
    }

    /// Lets go of all for good.
    pub(super) fn close(&self) {
        self.source.close();
        self.forget();
    }
}

impl Lane {
    /// The connection is of no use any more. Whoever still waits for an answer over it may get it. Answers whether it was still in use.
    pub(super) fn forget(&self, lost: &Arc<ClientWrapper>) -> bool {
        self.client()
            .take_if(|client| Arc::ptr_eq(client, lost))
            .is_some()
    }

    fn live(&self) -> Option<Arc<ClientWrapper>> {
        self.client()
            .as_ref()
            .filter(|client| !client.is_closed())
            .cloned()
    }

    fn client(&self) -> MutexGuard<'_, Option<Arc<ClientWrapper>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
