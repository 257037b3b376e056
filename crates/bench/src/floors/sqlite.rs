//! Rotations one after the other, each on the disk before the next: what the embedded store would do without groups; and as many to a
//! commit as there are connections, which is what groups can gain on this disk.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Figures, cpu, micros};

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
    Ok(())
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
