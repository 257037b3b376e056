//! Opens the file: its mode, its connections' settings, its tables.

use super::error::STORE;
use crate::sql::{
    Cause,
    error::{Located, store_error},
    migrations::{self, APPLIED, Script},
    missing_key,
};
use revolve_domain::ports::StoreError;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    error::Error,
    ffi::OsString,
    fs::{File, OpenOptions},
    io,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tracing::{
    callsite::rebuild_interest_cache,
    subscriber::{NoSubscriber, with_default},
};

pub(super) const OPERATION: &str = "open the file and bring its tables up to date";

const MIGRATIONS: [Script; 20] = migrations::scripts!("sqlite":
    "V1__accounts_sessions_white_list",
    "V2__signing_keys",
    "V3__epoch_raised_at",
    "V4__known_devices",
    "V5__disabled_accounts",
    "V6__replaced_tokens",
    "V7__devices",
    "V8__ended_in",
    "V9__email_keys",
    "V10__journal",
    "V11__deliveries",
    "V12__proofs",
    "V13__session_amr",
    "V14__deferred_deliveries",
    "V15__roles",
    "V16__api_keys",
    "V17__journal_of_event",
    "V18__webhooks",
    "V19__quiet_mailboxes",
    "V20__factors",
);

/// The version of the tables once all have run.
pub(super) const LATEST: i64 = 20;

/// How long a connection waits for another process to unlock the file.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// More than all statements of this adapter.
const STATEMENTS: usize = 200;

/// A few are enough: a read takes microseconds.
const READERS: std::ops::RangeInclusive<usize> = 2..=8;

/// An open file.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    /// The migrations that were applied.
    pub(super) migrated: Vec<String>,
}

/// Opens the file and migrates its tables. Blocks; a second process that does the same waits for this one.
pub(super) fn open(path: &Path) -> Result<Opened, StoreError> {
    try_open(path).map_err(|source| {
        let passes = passes(source.as_ref());
        let place = format!("the file {}", path.display());
        store_error(STORE, OPERATION, passes, Located { place, source })
    })
}

fn try_open(path: &Path) -> Result<Opened, Cause> {
    let path = &without_links(path)?;
    let lock = private(
        OpenOptions::new().create(true).truncate(false),
        &beside(path),
    )?;
    lock.lock()?;
    create(path)?;
    let mut writer = connect(path)?;
    let mode: String = writer
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get("journal_mode"))?;
    if mode != "wal" {
        return Err(format!(
            "a write-ahead log is not possible here, only the journal mode {mode}"
        )
        .into());
    }
    let migrated = if migrations::are_all(&applied(&writer)?, &MIGRATIONS) {
        Vec::new()
    } else {
        migrate(&mut writer)?
    };
    set_keys(&mut writer)?;
    drop(lock);

    let readers = thread::available_parallelism()
        .map_or(*READERS.start(), NonZeroUsize::get)
        .clamp(*READERS.start(), *READERS.end());
    let readers = (0..readers).map(|_| {
        let reader = connect(path)?;
        reader.pragma_update(None, "query_only", true)?;
        Ok(reader)
    });
    Ok(Opened {
        writer,
        readers: readers.collect::<rusqlite::Result<_>>()?,
        migrated,
    })
}

/// None if there are no tables yet.
fn applied(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    if conn.table_exists(None, "refinery_schema_history")? {
        conn.prepare(APPLIED)?
            .query_map([], |row| row.get("migration"))?
            .collect()
    } else {
        Ok(Vec::new())
    }
}

/// Runs what is missing; answers the names of what it ran.
fn migrate(writer: &mut Connection) -> Result<Vec<String>, refinery::Error> {
    // All in one transaction: one by one, the library commits a migration before the note that it was applied, and a process that is
    // killed in between never starts again.
    let runner = migrations::runner(&MIGRATIONS)?.set_grouped(true);
    let report = with_default(NoSubscriber::new(), || runner.run(writer));
    rebuild_interest_cache();
    Ok(migrations::log("SQLite", &report?))
}

/// Addresses that may be stored under the form of an earlier release: by the index that has only those.
pub(super) const UNKEYED: &str = "SELECT id, email FROM users WHERE email_typed IS NULL \
    AND (length(CAST(email AS BLOB)) <> length(email) OR substr(email, 1, 1) = '\"') ORDER BY id";
/// Nothing if another account has the key: then this one is found as it signed up.
const SET_KEY: &str =
    "UPDATE OR IGNORE users SET email = ?2, email_typed = ?3 WHERE id = ?1 AND email = ?3";

/// Stores addresses of an earlier release under their keys.
fn set_keys(writer: &mut Connection) -> rusqlite::Result<()> {
    let rows = |row: &rusqlite::Row<'_>| Ok((row.get("id")?, row.get("email")?));
    let found: Vec<(String, String)> = writer
        .prepare(UNKEYED)?
        .query_map([], rows)?
        .collect::<rusqlite::Result<_>>()?;
    let tx = writer.transaction()?;
    for (id, stored) in &found {
        if let Some(address) = missing_key(stored) {
            tx.execute(SET_KEY, (id, address.key(), stored))?;
        }
    }
    tx.commit()
}

/// The file whose lock keeps other processes from migrating at the same time. It is not the database itself: closing any
/// handle to that would drop the locks that SQLite has on it for this process.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    name.into()
}

/// Makes the file, readable by its owner only, before SQLite does; SQLite's other files take over its mode.
fn create(path: &Path) -> io::Result<()> {
    match private(OpenOptions::new().create_new(true), path) {
        Ok(file) => file.sync_all(),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The path with no link on the way to the file: the file itself may not be one, and SQLite refuses both.
fn without_links(path: &Path) -> io::Result<PathBuf> {
    let (folder, name) = (path.parent(), path.file_name());
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let name = name.ok_or(io::ErrorKind::InvalidFilename)?;
    Ok(folder.unwrap_or(Path::new(".")).canonicalize()?.join(name))
}

/// Opens or makes a file for its owner only, and follows no link, which may lead to a file that others chose.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        options.mode(0o600).custom_flags(flags);
    }
    options.write(true).open(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW,
    )?;
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    // A commit is on the disk when it is acknowledged: that is what FULL means with a write-ahead log.
    conn.pragma_update(None, "synchronous", "full")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // What is deleted or overwritten is zeroed, in pages that become free, too: a write of each, which is a small part of what filled them.
    conn.pragma_update(None, "secure_delete", true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(conn)
}

/// Whether trying again later makes sense.
fn passes(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rusqlite::Error>() {
            return super::error::passes(error);
        }
        if error.is::<io::Error>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_is_never_edited() {
        let (last, _) = MIGRATIONS[MIGRATIONS.len() - 1];
        assert!(last.starts_with(&format!("V{LATEST}__")), "{last}");
        migrations::assert_unchanged(
            &MIGRATIONS,
            &[
                4_086_134_192_406_902_562,
                4_828_112_101_743_365_679,
                9_236_602_618_776_488_404,
                8_141_056_308_703_867_599,
                8_594_679_555_467_291_214,
                2_421_557_819_927_497_366,
                2_044_734_865_734_182_020,
                7_670_245_519_757_552_091,
                9_259_414_758_810_938_700,
                3_175_282_717_251_064_780,
                4_397_979_502_306_079_865,
                5_782_385_877_136_718_178,
                8_880_399_763_371_741_115,
                7_573_101_448_548_642_016,
                16_187_140_329_540_046_335,
                14_895_123_087_345_020_673,
                1_433_828_853_817_055_074,
                17_097_957_778_499_116_920,
                9_795_512_207_288_010_581,
                13_487_605_445_851_686_969,
            ],
        );
    }
}
