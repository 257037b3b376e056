//! A look at an embedded file that changes nothing, made beside a service that may have it open.

use super::{STORE, open::LATEST};
use revolve_domain::ports::StoreError;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::{path::Path, time::Duration};

const TABLES: &str = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'refinery_schema_history'";
const SCHEMA: &str = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteFacts {
    /// `wal`, if the service made it.
    pub journal_mode: String,
    /// The version of its tables; `None` if there are none yet.
    pub schema: Option<i64>,
    /// The version of the tables that this program works with.
    pub wanted_schema: i64,
}

/// Looks at a file that is there.
///
/// # Errors
/// If it can't be read or is no database.
pub async fn inspect(path: impl AsRef<Path>) -> Result<SqliteFacts, StoreError> {
    let path = path.as_ref().to_owned();
    let looked = tokio::task::spawn_blocking(move || look(&path)).await;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| StoreError::broken(STORE, "look at the file", error);
    looked.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))
}

fn look(path: &Path) -> rusqlite::Result<SqliteFacts> {
    let conn = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let journal_mode = conn.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let tables: Option<i64> = conn.query_row(TABLES, [], |row| row.get(0)).optional()?;
    let schema = tables.map(|_| conn.query_row(SCHEMA, [], |row| row.get(0))).transpose()?;
    Ok(SqliteFacts { journal_mode, schema, wanted_schema: LATEST })
}
