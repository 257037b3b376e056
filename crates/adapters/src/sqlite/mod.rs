//! The embedded store: accounts, sessions' rows and the white list in one SQLite file. Writes go through one thread that
//! commits them in groups, reads through a few connections of their own; what rows mean is the domain's to say.

mod begin;
mod directory;
mod error;
mod inspect;
mod keys;
mod open;
mod query;
mod readers;
mod rows;
mod sessions;
mod tokens;
mod users;
mod writer;

use error::Fault;
pub use inspect::{SqliteFacts, inspect};
use readers::Readers;
use revolve_domain::ports::{Clock, StoreError};
use rusqlite::Connection;
use std::{path::Path, sync::Arc};
use writer::Writer;

/// How errors call this store.
const STORE: &str = "sqlite";

/// The embedded store. A clone is the same one; several of them, in several processes too, may have one file open.
///
/// It needs a Tokio runtime to be called in. Whoever drops the last clone without [`close`](Self::close) waits for what was begun.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

struct Inner {
    readers: Readers,
    writer: Writer,
    clock: Arc<dyn Clock>,
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
            inner: Arc::new(Inner {
                readers: Readers::new(opened.readers),
                writer,
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
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .readers
            .run(work)
            .await
            .map_err(|fault| fault.into_store_error(operation))
    }

    /// The same for `work` that finds its row by key, at once where that is possible.
    async fn glance<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Fn(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.inner.readers.glance(&work) {
            Some(outcome) => outcome.map_err(|fault| fault.into_store_error(operation)),
            None => self.read(operation, work).await,
        }
    }

    /// Runs `work` alone, whole or not at all, and answers once it is durable.
    async fn write<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner
            .writer
            .run(work)
            .await
            .map_err(|fault| fault.into_store_error(operation))
    }
}
