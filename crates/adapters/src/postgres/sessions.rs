//! The rows of sessions.

use super::{
    PostgresAccounts,
    database::decoded,
    end::EndAll,
    error::PostgresError,
    journal::Single,
    revocations::{PATIENCE, ReadRevocations},
    values::PgTimestamp,
};
use crate::sql::{self, account_columns, session_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{DeviceId, EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId},
    ports::{BeginOutcome, BeginSession, EndOutcome, SessionRepository, StoreError},
    revocations::{RevocationQuery, Revocations},
};
use tokio_postgres::Row;

/// Read for every refresh and every bearer call: one round trip, two look-ups by primary key.
const FIND: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    account_columns!(),
    " FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.id = $2 AND s.user_id = $1"
);

/// Of the devices `$3` its own, else the first that was signed in on under its epoch. If another call binds the session at the same time, the update
/// waits for it and then changes nothing: it finds the session bound to this device, or to another.
const BIND: &str = "
    WITH candidate AS MATERIALIZED (
        SELECT s.id, shown.device_id
        FROM sessions s CROSS JOIN unnest($3::uuid[]) WITH ORDINALITY AS shown (device_id, place)
        WHERE s.id = $2 AND s.user_id = $1 AND (shown.device_id = s.device_id OR s.bound_at IS NULL AND EXISTS (
            SELECT FROM known_devices k WHERE k.user_id = $1 AND k.device_id = shown.device_id AND k.epoch >= s.epoch))
        ORDER BY shown.device_id <> s.device_id, shown.place LIMIT 1
    )
    UPDATE sessions s SET device_id = c.device_id, bound_at = coalesce(s.bound_at, $4) FROM candidate c
    WHERE s.id = c.id AND (s.bound_at IS NULL OR s.device_id = c.device_id)
    RETURNING s.device_id";

/// If another call ends the session at the same time, the update waits for it and then finds nothing to do. `$5` says whether the
/// device ceases to be current, also if the session had ended before. Then the user's row is locked first, as by all that changes
/// devices: a sign-in that keeps the device comes before or after.
const END: &str = "
    WITH owner AS MATERIALIZED (
        SELECT FROM users WHERE $5 AND id = $1 FOR UPDATE
    ), ended AS (
        UPDATE sessions SET ended_at = $3, end_reason = $4
        WHERE id = $2 AND user_id = $1 AND ended_at IS NULL AND (NOT $5 OR EXISTS (SELECT FROM owner))
        RETURNING id
    ), copied AS (
        UPDATE known_devices k SET epoch = NULL FROM sessions s
        WHERE $5 AND EXISTS (SELECT FROM owner) AND s.id = $2 AND s.user_id = $1
            AND k.user_id = $1 AND k.device_id = s.device_id
    )
    SELECT EXISTS (SELECT FROM ended) AS ended, EXISTS (SELECT FROM sessions WHERE id = $2 AND user_id = $1) AS known";

const LIVE: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.user_id = $1 AND s.ended_at IS NULL AND s.ends_at > $2 \
     AND (s.epoch >= u.session_epoch OR s.id = u.kept_sid) ORDER BY s.began_at DESC, s.id DESC"
);

/// Rows that are locked come in a later batch: prunings of several replicas don't wait for each other.
const PRUNE: &str = "
    DELETE FROM sessions WHERE id = ANY (ARRAY(
        SELECT id FROM sessions WHERE ended_at < $1 OR ends_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))
    RETURNING 1";

const PRUNE_DEVICES: &str = "
    DELETE FROM known_devices k USING (
        SELECT user_id, device_id FROM known_devices WHERE signed_in_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED) old
    WHERE k.user_id = old.user_id AND k.device_id = old.device_id
    RETURNING 1";

#[async_trait]
impl SessionRepository for PostgresAccounts {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        self.db
            .look_up(
                "read a session",
                FIND,
                &[user.as_uuid(), session.as_uuid()],
                sql::session_record,
            )
            .await
    }

    async fn begin(
        &self,
        begin: &BeginSession,
        tell: &Tell<BeginOutcome>,
    ) -> Result<BeginOutcome, StoreError> {
        self.db.change("begin a session", begin, tell).await
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
        tell: &Tell<Option<DeviceId>>,
    ) -> Result<Option<DeviceId>, StoreError> {
        let devices: Vec<_> = devices.iter().map(|device| *device.as_uuid()).collect();
        let bind = Single {
            sql: BIND,
            params: &[
                user.as_uuid(),
                session.as_uuid(),
                &devices,
                &PgTimestamp(at),
            ],
            outcome: |rows| Ok(decoded(rows, sql::bound_device)?.first().copied()),
        };
        self.db.change("bind a session", bind, tell).await
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<EndOutcome>,
    ) -> Result<EndOutcome, StoreError> {
        let end = Single {
            sql: END,
            params: &[
                user.as_uuid(),
                session.as_uuid(),
                &PgTimestamp(at),
                &reason.name(),
                &(reason == EndReason::Reused),
            ],
            outcome: end_outcome,
        };
        self.db.change("end a session", end, tell).await
    }

    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<Option<Epoch>>,
    ) -> Result<Option<Epoch>, StoreError> {
        self.db
            .change(
                "end sessions",
                EndAll {
                    user,
                    kept,
                    reason,
                    at,
                },
                tell,
            )
            .await
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.db
            .read(
                "list sessions",
                LIVE,
                &[user.as_uuid(), &PgTimestamp(now)],
                sql::session,
            )
            .await
    }

    async fn revoked(&self, query: &RevocationQuery) -> Result<Revocations, StoreError> {
        // A million rows take a while.
        let intent = ReadRevocations(query);
        let read = if query.unseen_by.is_none() {
            self.db.attempt_within(PATIENCE, &intent).await
        } else {
            self.db.attempt(&intent).await
        };
        read.map_err(|error| self.db.error("read what was revoked", error))
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let done = self
            .db
            .write(PRUNE_DEVICES, &[&PgTimestamp(before), &i64::from(limit)])
            .await;
        done.map(|rows| rows.len() as u64)
            .map_err(|error| self.db.error("forget devices", error))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let done = self
            .db
            .write(PRUNE, &[&PgTimestamp(before), &i64::from(limit)])
            .await;
        done.map(|rows| rows.len() as u64)
            .map_err(|error| self.db.error("prune sessions", error))
    }
}

fn end_outcome(rows: &[Row]) -> Result<EndOutcome, PostgresError> {
    let Some(row) = rows.first() else {
        return Ok(EndOutcome::NotFound);
    };
    Ok(match (row.try_get("ended")?, row.try_get("known")?) {
        (true, _) => EndOutcome::Ended,
        (false, true) => EndOutcome::AlreadyEnded,
        (false, false) => EndOutcome::NotFound,
    })
}
