//! The embedded store: accounts, sessions' rows, keys and the white list in one SQLite file. Writes go through one thread
//! that commits them in groups, reads through a few connections of their own.

mod api_keys;
mod begin;
mod deliveries;
mod directory;
mod error;
mod factors;
mod inspect;
mod journal;
mod keys;
mod open;
mod personal_data;
mod proofs;
mod query;
mod readers;
mod row;
mod sessions;
mod tokens;
mod users;
mod webhooks;
mod writer;

use error::{STORE, SqliteError};
pub use inspect::{SqliteFacts, inspect};
use readers::Readers;
use revolve_domain::{
    model::Timestamp,
    ports::{Clock, StoreError},
};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use writer::Writer;

/// The embedded store. A clone is the same one; several of them, in several processes too, may have one file open.
///
/// Calls need a Tokio runtime. Dropping the last clone without [`close`](Self::close) blocks until the calls under way are done.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<SqliteInner>,
}

struct SqliteInner {
    readers: Readers,
    writer: Writer,
    clock: Arc<dyn Clock>,
    /// Tells the numbers of ends apart from those that a file had before a restart: it may be another one.
    opened_at: Timestamp,
    migrated: Vec<String>,
}

impl SqliteStore {
    /// Opens the file, which is made if there is none, readable by its owner only; its directory must be there. Brings
    /// the tables up to date. The white list's windows and expiry run on `clock`.
    ///
    /// # Errors
    /// If the file can't be used; a source names it.
    pub async fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let opened = tokio::task::spawn_blocking(move || open::open(&path)).await;
        let opened =
            opened.map_err(|error| StoreError::unavailable(STORE, open::OPERATION, error))??;
        let writer = Writer::start(opened.writer)
            .map_err(|error| StoreError::unavailable(STORE, open::OPERATION, error))?;
        Ok(Self {
            inner: Arc::new(SqliteInner {
                readers: Readers::new(opened.readers),
                writer,
                opened_at: clock.now(),
                clock,
                migrated: opened.migrated,
            }),
        })
    }

    /// The migrations that opening the file applied, in order.
    pub fn migrated(&self) -> &[String] {
        &self.inner.migrated
    }

    /// How many connections there are to read with, and how many of them are in use.
    pub fn readers(&self) -> (usize, usize) {
        self.inner.readers.count()
    }

    /// Finishes what was begun and closes the file. Later calls fail as unavailable.
    pub async fn close(&self) {
        self.inner.readers.close().await;
        self.inner.writer.close().await;
    }

    /// Runs `work` on a connection that sees every acknowledged write.
    async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .readers
            .run(work)
            .await
            .map_err(|error| error.into_store_error(operation))
    }

    /// The same for `work` that finds its row by key, on the calling thread where that is possible.
    async fn look_up<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Fn(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.inner.readers.look_up(&work) {
            Some(outcome) => outcome.map_err(|error| error.into_store_error(operation)),
            None => self.read(operation, work).await,
        }
    }

    /// Runs `work` alone, whole or not at all, and answers once it is durable.
    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .writer
            .run(work)
            .await
            .map_err(|error| error.into_store_error(operation))
    }
}
