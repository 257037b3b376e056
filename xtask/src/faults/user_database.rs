//! The user database beside the service that uses it.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use rusqlite::Connection;
use tokio::task::spawn_blocking;

/// The longest wait for the file's writer, or for an answer of Postgres.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Works on the embedded profile's file.
pub(super) async fn with_file<T: Send + 'static>(
    file: &Path,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> Result<T> {
    let file = file.to_owned();
    let done = spawn_blocking(move || {
        let mut connection = Connection::open(file)?;
        connection.busy_timeout(BUSY)?;
        work(&mut connection)
    });
    done.await?.context("the file can't be used")
}
