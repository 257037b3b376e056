//! Inspects an embedded file without changing it or making a file beside it, whether a service has it open or not.

use super::{
    error::{STORE, SqliteError},
    open::{LATEST, UNKEYED},
    query::{all, first},
};
use crate::sql;
use revolve_domain::{
    deliveries::Backlog, keys::StoredKey, model::UserId, ports::StoreError, webhooks::Webhook,
};
use rusqlite::{Connection, OpenFlags};
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    time::Duration,
};

const OPERATION: &str = "look at the file";
const SCHEMA: &str = "SELECT coalesce(max(version), 0) AS schema FROM refinery_schema_history";

const ENDED: &str =
    "SELECT count(*) AS ended FROM sessions WHERE ended_at >= (unixepoch() - 3600) * 1000";
const HOLDER: &str = "SELECT id, email FROM users WHERE email = ?1";

/// The bytes of the header with the format versions, and their values if there is a write-ahead log (SQLite's file format, §1.3.3).
const VERSIONS: std::ops::Range<usize> = 18..20;
const WITH_LOG: [u8; 2] = [2, 2];

/// The state of a file.
#[derive(Debug)]
pub struct SqliteFacts {
    /// `wal`, if the service made it.
    pub journal_mode: String,
    /// The version of its tables; `None` if there are none yet.
    pub schema: Option<i64>,
    /// The version of the tables that this program works with.
    pub wanted_schema: i64,
    /// The stored keys, sealed as they are, or why they can't be read; `None` if the tables are of another version.
    pub keys: Option<Result<Vec<StoredKey>, StoreError>>,
    /// The sessions that ended within the last hour; `None` if the tables are of another version.
    pub ended_last_hour: Option<u64>,
    /// How full the outbox is; `None` if the tables are of another version.
    pub backlog: Option<Backlog>,
    /// The endpoints of webhooks; `None` if the tables are of another version.
    pub webhooks: Option<Vec<Webhook>>,
    /// Accounts of an earlier release whose address has the same key as another account's, each before that one; `None` if the tables are of
    /// another version.
    pub same_address: Option<Vec<(UserId, UserId)>>,
}

/// Inspects a file.
///
/// # Errors
/// Broken if it is no database. Unavailable if this user may not read it, another process locks it for long, or its write-ahead log was left
/// behind without the index beside it, so that reading it would make one.
pub async fn inspect(path: impl AsRef<Path>) -> Result<SqliteFacts, StoreError> {
    let path = path.as_ref().to_owned();
    let looked = tokio::task::spawn_blocking(move || look(&path)).await;
    looked.map_err(|error| StoreError::broken(STORE, OPERATION, error))?
}

fn look(path: &Path) -> Result<SqliteFacts, StoreError> {
    let unreadable = |error: io::Error| StoreError::unavailable(STORE, OPERATION, error);
    let with_log = has_log(path).map_err(unreadable)?;
    let beside = |end| beside(path, end).try_exists().map_err(unreadable);
    let (log, index) = (beside("-wal")?, beside("-shm")?);
    if with_log && log && !index {
        return Err(StoreError::unavailable(
            STORE,
            OPERATION,
            "its write-ahead log is there without the index beside it",
        ));
    }
    read(path, with_log, log).map_err(|error| error.into_store_error(OPERATION))
}

fn read(path: &Path, with_log: bool, log: bool) -> Result<SqliteFacts, SqliteError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // The log is there as long as a process has the file open. Without one SQLite would make it for us, unless the file is said to be
    // immutable.
    let rests = with_log && !log;
    let mut conn = if rests {
        Connection::open_with_flags(immutable(path), flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    conn.busy_timeout(Duration::from_secs(5))?;
    let journal_mode = if rests {
        "wal".to_owned()
    } else {
        conn.pragma_query_value(None, "journal_mode", |row| row.get("journal_mode"))?
    };
    // All of it as of one instant, although another process may migrate the tables meanwhile.
    let conn = conn.transaction()?;
    let schema = conn
        .table_exists(None, "refinery_schema_history")?
        .then(|| conn.query_row(SCHEMA, [], |row| row.get("schema")))
        .transpose()?;
    let is_latest = schema == Some(LATEST);
    let keys = is_latest.then(|| {
        all(&conn, sql::LIST_KEYS, [], sql::key)
            .map_err(|error| error.into_store_error("list keys"))
    });
    let ended: Option<i64> = is_latest
        .then(|| conn.query_row(ENDED, [], |row| row.get("ended")))
        .transpose()?;
    let same_address = is_latest.then(|| same_address(&conn)).transpose()?;
    let backlog = is_latest.then(|| backlog(&conn)).transpose()?;
    let webhooks = is_latest.then(|| all(&conn, sql::LIST_WEBHOOKS, [], sql::webhook));
    Ok(SqliteFacts {
        backlog,
        webhooks: webhooks.transpose()?,
        same_address,
        journal_mode,
        schema,
        wanted_schema: LATEST,
        keys,
        ended_last_hour: ended.and_then(|ended| u64::try_from(ended).ok()),
    })
}

fn backlog(conn: &Connection) -> Result<Backlog, SqliteError> {
    let count = first(conn, sql::BACKLOG, [], sql::whole_backlog)?;
    Ok(count.unwrap_or_default())
}

fn same_address(conn: &Connection) -> Result<Vec<(UserId, UserId)>, SqliteError> {
    let mut same = Vec::new();
    for (id, stored) in all(conn, UNKEYED, [], sql::stored_address)? {
        let Some(address) = sql::missing_key(&stored) else {
            continue;
        };
        let holder = first(conn, HOLDER, [address.key()], sql::stored_address)?;
        same.extend(holder.map(|(holder, _)| (id, holder)));
    }
    Ok(same)
}

fn has_log(path: &Path) -> io::Result<bool> {
    let mut header = Vec::new();
    File::open(path)?
        .take(VERSIONS.end as u64)
        .read_to_end(&mut header)?;
    Ok(header
        .get(VERSIONS)
        .is_some_and(|versions| versions == WITH_LOG))
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// The file as a URI that says that nothing writes to it.
fn immutable(path: &Path) -> OsString {
    let mut uri = OsString::from("file:");
    // Characters with a meaning in URIs are escaped. A path that is not UTF-8 stays as it is.
    match path.to_str() {
        Some(text) => uri.push(
            text.replace('%', "%25")
                .replace('?', "%3f")
                .replace('#', "%23"),
        ),
        None => uri.push(path),
    }
    uri.push("?immutable=1");
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_paths() {
        assert_eq!(
            immutable(Path::new("/a b/c?d#e%20/f.sqlite3")),
            "file:/a b/c%3fd%23e%2520/f.sqlite3?immutable=1"
        );
    }
}
