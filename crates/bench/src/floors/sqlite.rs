//! Rotations one after the other, each on the disk before the next: what the embedded store would do without groups; and as many to a
//! commit as there are connections, which is what groups can gain on this disk. And a read by key, that of a refresh.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Figures, cpu, each, micros};

const SESSIONS: u32 = 1000;
/// Requests that may wait for the same commit.
const GROUP: u32 = 64;
const TABLE: &str = "
    CREATE TABLE white_list (user_id TEXT NOT NULL, session_id TEXT NOT NULL, gen INTEGER NOT NULL, iat INTEGER NOT NULL,
        exp INTEGER NOT NULL, rotated_at INTEGER NOT NULL, dies_at INTEGER NOT NULL, late INTEGER NOT NULL, charged INTEGER NOT NULL,
        PRIMARY KEY (user_id, session_id)) STRICT, WITHOUT ROWID;
    CREATE INDEX white_list_dies ON white_list (dies_at)";
const READ: &str = "SELECT gen, iat, exp, rotated_at, late, charged FROM white_list WHERE user_id = ?1 AND session_id = ?2";
const PUT: &str = "
    INSERT INTO white_list VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (user_id, session_id) DO UPDATE SET gen = excluded.gen, iat = excluded.iat, exp = excluded.exp,
        rotated_at = excluded.rotated_at, dies_at = excluded.dies_at, late = excluded.late, charged = excluded.charged";
/// Rows like those of a session and its user, as many as the Postgres floor has.
const ROWS: u32 = 10_000;
const TABLES: &str = "
    CREATE TABLE users (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL, password_hash TEXT NOT NULL, name TEXT, website TEXT,
        image_url TEXT, created_at INTEGER NOT NULL, disabled_at INTEGER, session_epoch INTEGER NOT NULL, kept_sid TEXT) STRICT;
    CREATE TABLE sessions (id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL, device_id TEXT NOT NULL, device_name TEXT,
        user_agent TEXT, address TEXT, origin TEXT, epoch INTEGER NOT NULL, began_at INTEGER NOT NULL, ends_at INTEGER NOT NULL,
        bound_at INTEGER, ended_at INTEGER, end_reason TEXT) STRICT;
    WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < 10000)
    INSERT INTO users SELECT printf('%036d', n), 'person-' || n || '@example.org', printf('%.97c', 'x'), NULL, NULL, NULL, 1, NULL, 0, NULL
    FROM numbers;
    INSERT INTO sessions SELECT id, id, id, NULL, NULL, '127.0.0.1', NULL, 0, 1, 2, NULL, NULL, NULL FROM users";
/// Two look-ups by primary key, every column that a refresh looks at.
const FIND: &str = "
    SELECT s.id, s.user_id, s.device_id, s.device_name, s.user_agent, s.address, s.origin, s.epoch, s.began_at, s.ends_at, s.bound_at,
        s.ended_at, s.end_reason, u.id, u.email, u.name, u.website, u.image_url, u.created_at, u.disabled_at, u.session_epoch, u.kept_sid
    FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.id = ?2 AND s.user_id = ?1";

pub(super) fn measure(figures: &mut Figures, folder: &Path, lasts: Duration) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("floor-")
        .tempdir_in(folder)?;
    let database = Connection::open(folder.path().join("floor.sqlite3"))?;
    database.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    database.pragma_update(None, "synchronous", "full")?;
    database.execute_batch(TABLE)?;
    for (name, group) in [("one_by_one", 1), ("in_groups", GROUP)] {
        let (begun, before) = (Instant::now(), cpu());
        let mut count = 0;
        while begun.elapsed() < lasts {
            database.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for _ in 0..group {
                rotate(&database, count % SESSIONS, count / SESSIONS)?;
                count += 1;
            }
            database.prepare_cached("COMMIT")?.execute([])?;
        }
        figures.insert(
            format!("sqlite.{name}_per_second"),
            f64::from(count) / begun.elapsed().as_secs_f64(),
        );
        figures.insert(
            format!("sqlite.{name}_cpu"),
            micros(cpu().saturating_sub(before), count),
        );
    }
    figures.insert("sqlite.read".to_owned(), read(&database, lasts)?);
    Ok(())
}

fn read(database: &Connection, lasts: Duration) -> Result<f64> {
    database.execute_batch(&format!("BEGIN; {TABLES}; COMMIT"))?;
    let mut number = 0;
    each(lasts, || {
        number = (number + 1) % ROWS;
        let id = format!("{number:036}");
        let email: String = database
            .prepare_cached(FIND)?
            .query_row([&id, &id], |row| row.get(14))?;
        anyhow::ensure!(!email.is_empty(), "no address");
        Ok(())
    })
}

fn rotate(database: &Connection, session: u32, generation: u32) -> Result<()> {
    let (user, session) = (format!("{session:036}"), format!("{session:036}"));
    let found: Option<u32> = database
        .prepare_cached(READ)?
        .query_row([&user, &session], |row| row.get(0))
        .optional()?;
    let next = found.map_or(generation, |found| found + 1);
    let now = 1_800_000_000_000_i64 + i64::from(next);
    database.prepare_cached(PUT)?.execute(params![
        user,
        session,
        next,
        now,
        now + 259_200_000,
        now,
        now + 259_200_000,
        0,
        0
    ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_is_asked_for_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut figures = Figures::new();
        measure(&mut figures, folder.path(), Duration::from_millis(100)).unwrap();
        assert!(figures["sqlite.read"] > 0.0, "{figures:?}");
        assert!(figures["sqlite.in_groups_cpu"] > 0.0, "{figures:?}");
    }
}
