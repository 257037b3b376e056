//! The journal. The file has one writer, so that entries are numbered in the order of their commits.

use super::{
    SqliteStore,
    deliveries::{forget_mails, insert_mails},
    error::SqliteError,
    query::{all, exists, first, run},
};
use crate::sql::{self, journal_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::{NewMail, Tell},
    model::{Label, SessionId, Timestamp, UserId},
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, StoreError},
};
use rusqlite::{Connection, params};

const WRITE: &str = "
    INSERT INTO journal (id, at, actor, event, user_id, session_id, address, session_address, device, details, count)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET count = count + excluded.count";
const THERE: &str = "SELECT 1 FROM users WHERE id = ?1";
const SCRUB: &str = "
    UPDATE journal SET address = NULL, session_address = NULL, device = NULL, details = json_remove(details, '$.note') WHERE user_id = ?1";
const PLACE: &str = "
    SELECT at, number FROM journal WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) AND (?3 IS NULL OR event = ?3)";

/// A page of a list, before the place `?1`, `?2`; each by the index of what it names.
macro_rules! page {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            journal_columns!(),
            " FROM journal j WHERE (j.at, j.number) < (?1, ?2) AND j.at >= ?4",
            $condition,
            " ORDER BY j.at DESC, j.number DESC LIMIT ?3"
        )
    };
}
const PAGE: &str = page!("");
const PAGE_OF_USER: &str = page!(" AND j.user_id = ?5");
const PAGE_OF_EVENT: &str = page!(" AND j.event = ?5");
/// By the index of the account: an account has few entries, a name may have millions.
const PAGE_OF_BOTH: &str = page!(" AND j.user_id = ?5 AND +j.event = ?6");

/// Also when the last entry was pruned.
const NOW: &str =
    "SELECT 0 AS written_in, seq AS number FROM sqlite_sequence WHERE name = 'journal'";
const FOLLOW: &str = concat!(
    "SELECT ",
    journal_columns!(),
    ", 0 AS written_in, j.number FROM journal j WHERE j.number > ?1 ORDER BY j.number LIMIT ?2"
);
const PRUNE: &str =
    "DELETE FROM journal WHERE number IN (SELECT number FROM journal WHERE at < ?1 LIMIT ?2)";

#[async_trait]
impl Journal for SqliteStore {
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError> {
        let query = query.clone();
        self.read("read the journal", move |conn| page(conn, &query))
            .await
    }

    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError> {
        self.read("follow the journal", move |conn| follow(conn, after, limit))
            .await
    }

    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError> {
        let notes = notes.to_vec();
        let note = move |conn: &Connection| notes.into_iter().try_for_each(|one| note(conn, one));
        self.write("note events", note).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = move |conn: &Connection| {
            run(conn, PRUNE, params![before.as_millis(), limit]).map(|pruned| pruned as u64)
        };
        let pruned = self.write("prune the journal", prune).await?;
        // The last of what a pruning deletes.
        self.inner.writer.empty_log();
        Ok(pruned)
    }
}

impl SqliteStore {
    /// Runs `work` alone and writes what its outcome tells, all of it or nothing.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        operation: &'static str,
        tell: &Tell<T>,
        work: impl FnOnce(&Connection) -> Result<T, SqliteError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let tell = tell.clone();
        let change = move |conn: &Connection| {
            let outcome = work(conn)?;
            write_told(conn, &tell, &outcome)?;
            Ok(outcome)
        };
        self.write(operation, change).await
    }
}

/// Writes what an outcome tells: entries of the journal, then mails.
pub(super) fn write_told<T>(
    conn: &Connection,
    tell: &Tell<T>,
    outcome: &T,
) -> Result<Vec<NewMail>, SqliteError> {
    let (entries, mails) = tell.of(outcome);
    let mut records = entries.iter().map(JournalRecord::from);
    records.try_for_each(|record| write(conn, &record))?;
    insert_mails(conn, tell.at, &mails)?;
    Ok(mails)
}

/// Removes what identifies the person of an account.
pub(super) fn scrub(conn: &Connection, user: &str) -> Result<(), SqliteError> {
    run(conn, SCRUB, [user])?;
    forget_mails(conn, user)
}

/// The same, if the account is not there any more. Answers whether it is gone.
pub(super) fn scrub_if_gone(conn: &Connection, user: UserId) -> Result<bool, SqliteError> {
    let user = user.to_string();
    let is_gone = !exists(conn, THERE, [&user])?;
    if is_gone {
        scrub(conn, &user)?;
    }
    Ok(is_gone)
}

fn note(conn: &Connection, mut note: JournalRecord) -> Result<(), SqliteError> {
    if let Some(user) = note.user
        && !exists(conn, THERE, [user.to_string()])?
    {
        note.scrub();
    }
    write(conn, &note)
}

fn write(conn: &Connection, record: &JournalRecord) -> Result<(), SqliteError> {
    let row = params![
        record.id.to_string(),
        record.at.as_millis(),
        record.actor.to_string(),
        record.event,
        record.user.as_ref().map(UserId::to_string),
        record.session.as_ref().map(SessionId::to_string),
        record.address.map(|address| address.to_string()),
        record.session_address.map(|address| address.to_string()),
        record.device.as_ref().map(Label::as_str),
        sql::details(record),
        i64::try_from(record.count).unwrap_or(i64::MAX),
    ];
    run(conn, WRITE, row).map(drop)
}

fn page(conn: &Connection, query: &JournalQuery) -> Result<Vec<JournalRecord>, SqliteError> {
    let (user, event) = (query.user.map(|user| user.to_string()), &query.event);
    let mut before = (i64::MAX, i64::MAX);
    if let Some(after) = query.after {
        let asked = params![after.to_string(), user, event];
        let Some((at, number)) = first(conn, PLACE, asked, sql::place)? else {
            return Ok(Vec::new());
        };
        before = (at.as_millis(), number);
    }
    if let Some(to) = query.to {
        before = before.min((to.as_millis(), i64::MIN));
    }
    let (at, number) = before;
    let from = query.from.map_or(i64::MIN, Timestamp::as_millis);
    let limit = query.limit;
    let record = sql::journal_record;
    match (user, event) {
        (None, None) => all(conn, PAGE, params![at, number, limit, from], record),
        (Some(user), None) => {
            let asked = params![at, number, limit, from, user];
            all(conn, PAGE_OF_USER, asked, record)
        }
        (None, Some(event)) => {
            let asked = params![at, number, limit, from, event];
            all(conn, PAGE_OF_EVENT, asked, record)
        }
        (Some(user), Some(event)) => {
            let asked = params![at, number, limit, from, user, event];
            all(conn, PAGE_OF_BOTH, asked, record)
        }
    }
}

fn follow(
    conn: &Connection,
    after: Option<JournalCursor>,
    limit: u32,
) -> Result<Followed, SqliteError> {
    let Some(after) = after else {
        return Ok(Followed {
            entries: Vec::new(),
            cursor: first(conn, NOW, [], sql::cursor)?.unwrap_or_default(),
        });
    };
    let number = i64::try_from(after.number).unwrap_or(i64::MAX);
    let found = all(conn, FOLLOW, params![number, limit], |row| {
        Ok((sql::journal_record(row)?, sql::cursor(row)?))
    })?;
    Ok(Followed {
        cursor: found.last().map_or(after, |(_, cursor)| *cursor),
        entries: found.into_iter().map(|(entry, _)| entry).collect(),
    })
}
