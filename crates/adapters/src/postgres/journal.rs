//! The journal.

use super::{
    PostgresAccounts,
    database::{Database, Intent},
    deliveries::{forget_mails, insert_mails},
    error::PostgresError,
    statement::{Param, Params},
    transaction::Transaction,
    values::PgTimestamp,
};
use crate::sql::{self, journal_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::{JournalEntry, NewMail, Tell, Told},
    model::{Label, Timestamp, UserId},
    ports::{Followed, Journal, JournalCursor, JournalQuery, JournalRecord, StoreError},
};
use std::net::IpAddr;
use tokio_postgres::Row;
use uuid::Uuid;

/// Records as arrays, in their order.
macro_rules! records {
    () => {
        "unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::inet[], $8::inet[], $9::text[], \
         $10::text[], $11::bigint[]) WITH ORDINALITY \
         AS r (id, at, actor, event, user_id, session_id, address, session_address, device, details, count, place)"
    };
}

macro_rules! insert_into {
    () => {
        "INSERT INTO journal AS j (id, at, actor, event, user_id, session_id, address, session_address, device, details, count) "
    };
}

const WRITE: &str = concat!(
    insert_into!(),
    "SELECT r.id, r.at, r.actor, r.event, r.user_id, r.session_id, r.address, r.session_address, r.device, r.details, r.count \
     FROM ",
    records!(),
    " ORDER BY r.place"
);

/// The lock holds off deletions of the accounts, so that none scrubs before these are there. In the order of ids, as replicas note the
/// same ones at once.
const NOTE: &str = concat!(
    "WITH there AS MATERIALIZED (SELECT id FROM users WHERE id = ANY ($5) ORDER BY id FOR KEY SHARE) ",
    insert_into!(),
    "SELECT r.id, r.at, r.actor, r.event, r.user_id, r.session_id,
        CASE WHEN kept THEN r.address END, CASE WHEN kept THEN r.session_address END, CASE WHEN kept THEN r.device END,
        CASE WHEN kept THEN r.details ELSE (r.details::jsonb - 'note')::text END, r.count
     FROM (SELECT *, user_id IS NULL OR user_id IN (SELECT id FROM there) AS kept FROM ",
    records!(),
    ") r ORDER BY r.id ON CONFLICT (id) DO UPDATE SET count = j.count + excluded.count"
);

const SCRUB: &str = "
    UPDATE journal SET address = NULL, session_address = NULL, device = NULL, details = (details::jsonb - 'note')::text
    WHERE user_id = $1 AND (address IS NOT NULL OR session_address IS NOT NULL OR device IS NOT NULL OR details::jsonb ? 'note')";

const PLACE: &str = "
    SELECT at, number FROM journal
    WHERE id = $1 AND ($2::uuid IS NULL OR user_id = $2::uuid) AND ($3::text IS NULL OR event = $3::text)";

/// A page of a list, before the place `$1`, `$2`; each by the index of what it names.
macro_rules! page {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            journal_columns!(),
            " FROM journal j WHERE (j.at, j.number) < ($1, $2) AND j.at >= $4",
            $condition,
            " ORDER BY j.at DESC, j.number DESC LIMIT $3"
        )
    };
}
const PAGE: &str = page!("");
const PAGE_OF_USER: &str = page!(" AND j.user_id = $5");
const PAGE_OF_EVENT: &str = page!(" AND j.event = $5");
const PAGE_OF_BOTH: &str = page!(" AND j.user_id = $5 AND j.event = $6");

/// Every transaction below the horizon has ended: none of them commits entries any more.
macro_rules! horizon {
    () => {
        "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
    };
}
const NOW: &str = concat!("SELECT ", horizon!(), " AS written_in, 0::bigint AS number");
const FOLLOW: &str = concat!(
    "SELECT ",
    journal_columns!(),
    ", j.written_in, j.number FROM journal j WHERE (j.written_in, j.number) > ($1, $2) AND j.written_in < ",
    horizon!(),
    " ORDER BY j.written_in, j.number LIMIT $3"
);

/// A number that is still to come is of another server, from which this database was restored. Rows that are locked come in a later batch.
const RESTORE: &str = "
    UPDATE journal SET written_in = 0 WHERE id = ANY (ARRAY(
        SELECT id FROM journal WHERE written_in >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint AND at >= $1
        LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1";

const PRUNE: &str = "
    DELETE FROM journal WHERE id = ANY (ARRAY(SELECT id FROM journal WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1";

#[async_trait]
impl Journal for PostgresAccounts {
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError> {
        let operation = "read the journal";
        let user = query.user.as_ref().map(UserId::as_uuid);
        let event = query.event.as_deref();
        let mut before = (Timestamp::from_millis(i64::MAX), i64::MAX);
        if let Some(after) = &query.after {
            let asked: [&dyn Param; 3] = [after.as_uuid(), &user, &event];
            let place = self
                .db
                .look_up(operation, PLACE, &asked, sql::place)
                .await?;
            let Some(place) = place else {
                return Ok(Vec::new());
            };
            before = place;
        }
        if let Some(to) = query.to {
            before = before.min((to, i64::MIN));
        }
        let (at, number) = (PgTimestamp(before.0), before.1);
        let from = query.from.unwrap_or(Timestamp::from_millis(i64::MIN));
        let (from, limit) = (PgTimestamp(from), i64::from(query.limit));
        let mut params: Vec<&dyn Param> = vec![&at, &number, &limit, &from];
        let page = match (&user, &event) {
            (None, None) => PAGE,
            (Some(user), None) => {
                params.push(user);
                PAGE_OF_USER
            }
            (None, Some(event)) => {
                params.push(event);
                PAGE_OF_EVENT
            }
            (Some(user), Some(event)) => {
                params.extend([user as &dyn Param, event]);
                PAGE_OF_BOTH
            }
        };
        self.db
            .read(operation, page, &params, sql::journal_record)
            .await
    }

    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError> {
        let operation = "follow the journal";
        let Some(after) = after else {
            let now = self.db.read(operation, NOW, &[], sql::cursor).await?;
            return Ok(Followed {
                entries: Vec::new(),
                cursor: now.first().copied().unwrap_or_default(),
            });
        };
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let found = self
            .db
            .read(
                operation,
                FOLLOW,
                &[
                    &number(after.commit),
                    &number(after.number),
                    &i64::from(limit),
                ],
                |row| Ok((sql::journal_record(row)?, sql::cursor(row)?)),
            )
            .await?;
        Ok(Followed {
            cursor: found.last().map_or(after, |(_, cursor)| *cursor),
            entries: found.into_iter().map(|(entry, _)| entry).collect(),
        })
    }

    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError> {
        self.db.transact("note events", &Note(notes)).await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut most = 0;
        for statement in [RESTORE, PRUNE] {
            let done = self
                .db
                .write(statement, &[&PgTimestamp(before), &i64::from(limit)])
                .await;
            let rows = done.map_err(|error| self.db.error("prune the journal", error))?;
            most = most.max(rows.len() as u64);
        }
        Ok(most)
    }
}

struct Note<'a>(&'a [JournalRecord]);

impl Intent for Note<'_> {
    type Answer = ();

    async fn apply(&self, tx: &Transaction<'_>) -> Result<(), PostgresError> {
        insert(tx, NOTE, self.0).await
    }
}

impl Database {
    /// One transaction, with what its outcome tells.
    pub(super) async fn change<I: Intent>(
        &self,
        operation: &'static str,
        intent: I,
        tell: &Tell<I::Answer>,
    ) -> Result<I::Answer, StoreError> {
        self.transact(operation, &Telling { intent, tell }).await
    }

    /// The same, where the failures for which `refused` has an outcome are one.
    pub(super) async fn change_or<I: Intent>(
        &self,
        operation: &'static str,
        intent: I,
        tell: &Tell<I::Answer>,
        refused: fn(&PostgresError) -> Option<I::Answer>,
    ) -> Result<I::Answer, StoreError>
    where
        I::Answer: Clone + Sync,
    {
        let error = match self.attempt(&Telling { intent, tell }).await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => error,
        };
        let Some(outcome) = refused(&error) else {
            return Err(self.error(operation, error));
        };
        if tell.told(&outcome) == Told::default() {
            return Ok(outcome);
        }
        self.change(operation, Refused(outcome), tell).await
    }
}

/// An intent, and what its outcome tells in the same commit.
struct Telling<'a, I: Intent> {
    intent: I,
    tell: &'a Tell<I::Answer>,
}

impl<I: Intent> Intent for Telling<'_, I> {
    type Answer = I::Answer;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<I::Answer, PostgresError> {
        let outcome = self.intent.apply(tx).await?;
        let (entries, mails) = self.tell.of(&outcome);
        write_told(tx, self.tell.at, &entries, &mails).await?;
        Ok(outcome)
    }
}

/// An outcome that a failure stands for: that of the statement whose transaction is over.
struct Refused<O>(O);

impl<O: Clone + Send + Sync> Intent for Refused<O> {
    type Answer = O;

    async fn apply(&self, _tx: &Transaction<'_>) -> Result<O, PostgresError> {
        Ok(self.0.clone())
    }
}

/// Writes what an outcome tells: entries of the journal, then mails.
pub(super) async fn write_told(
    tx: &Transaction<'_>,
    at: Timestamp,
    entries: &[JournalEntry],
    mails: &[NewMail],
) -> Result<(), PostgresError> {
    if !entries.is_empty() {
        let records: Vec<JournalRecord> = entries.iter().map(JournalRecord::from).collect();
        insert(tx, WRITE, &records).await?;
    }
    insert_mails(tx, at, mails).await
}

/// Removes what identifies the person of an account.
pub(super) async fn scrub(tx: &Transaction<'_>, user: &Uuid) -> Result<(), PostgresError> {
    let scrub = tx.prepare_cached(SCRUB).await?;
    tx.execute(&scrub, &[user]).await?;
    forget_mails(tx, user).await
}

async fn insert(
    tx: &Transaction<'_>,
    sql: &'static str,
    records: &[JournalRecord],
) -> Result<(), PostgresError> {
    let ids: Vec<Uuid> = column(records, |record| *record.id.as_uuid());
    let times: Vec<PgTimestamp> = column(records, |record| PgTimestamp(record.at));
    let actors: Vec<String> = column(records, |record| record.actor.to_string());
    let events: Vec<&str> = column(records, |record| record.event.as_str());
    let users: Vec<Option<Uuid>> =
        column(records, |record| record.user.map(|user| *user.as_uuid()));
    let sessions: Vec<Option<Uuid>> = column(records, |record| {
        record.session.map(|session| *session.as_uuid())
    });
    let addresses: Vec<Option<IpAddr>> = column(records, |record| record.address);
    let session_addresses: Vec<Option<IpAddr>> = column(records, |record| record.session_address);
    let devices: Vec<Option<&str>> =
        column(records, |record| record.device.as_ref().map(Label::as_str));
    let details: Vec<String> = column(records, sql::details);
    let counts: Vec<i64> = column(records, |record| {
        i64::try_from(record.count).unwrap_or(i64::MAX)
    });
    let insert = tx.prepare_cached(sql).await?;
    tx.execute(
        &insert,
        &[
            &ids,
            &times,
            &actors,
            &events,
            &users,
            &sessions,
            &addresses,
            &session_addresses,
            &devices,
            &details,
            &counts,
        ],
    )
    .await?;
    Ok(())
}

fn column<'a, T>(records: &'a [JournalRecord], value: impl Fn(&'a JournalRecord) -> T) -> Vec<T> {
    records.iter().map(value).collect()
}

/// One statement, and what its rows mean.
pub(super) struct Single<'a, O> {
    pub(super) sql: &'static str,
    pub(super) params: Params<'a>,
    pub(super) outcome: fn(&[Row]) -> Result<O, PostgresError>,
}

impl<O: Send> Intent for Single<'_, O> {
    type Answer = O;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<O, PostgresError> {
        let statement = tx.prepare_cached(self.sql).await?;
        (self.outcome)(&tx.query(&statement, self.params).await?)
    }
}
