//! The commit of a sign-in: the new session, and the sessions that it ends.

use super::{
    database::Intent,
    error::PostgresError,
    statement::Param,
    transaction::Transaction,
    values::PgTimestamp,
    write::{SessionRow, insert_session, know_device},
};
use crate::sql;
use revolve_domain::ports::{BeginOutcome, BeginSession};
use uuid::Uuid;

/// `$2` is the epoch that the session carries, and `$3` says whether the account must have no factor (`factors::may_begin`). This lock keeps out all other changes of the user's sessions and devices but single
/// ends for other reasons than reuse, and prunings, whose order does not matter.
const LOCK: &str = "
    SELECT 1 FROM users WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL AND NOT ($3 AND factors <> 0) FOR UPDATE";

/// All that a sign-in changes, in one statement after the lock, so that it sees what was committed before: no row if the device that the
/// client keeps (`$15`) is not current, else the sessions that it ends, or one null.
///
/// Replaced on one of the devices `$16` by the same client, else expired, else evicted from rank `$20` on. `$17` and `$18` are the white
/// list's sessions and when they were refreshed; a session that is not among them and began before `$19` has expired. Of the ended ones
/// `$21` stay, those of this statement before others, and those since `$22`. Of the devices the former ones, `$24`, go, and the oldest but
/// for `$23` others.
const BEGIN: &str = concat!(
    "
    WITH allowed AS MATERIALIZED (
        SELECT 1 WHERE NOT $15::boolean
            OR EXISTS (SELECT FROM known_devices WHERE user_id = $2::uuid AND device_id = $3::uuid AND epoch >= $7::bigint)
    ), refreshed AS (
        SELECT id, at FROM unnest($17::uuid[], $18::timestamptz[]) AS r (id, at)
    ), standing AS (
        SELECT s.id, coalesce(r.at, s.began_at) AS last_used,
            CASE WHEN s.device_id = ANY ($16::uuid[]) AND s.origin IS NOT DISTINCT FROM $13::text THEN 'replaced'
                 WHEN s.ends_at <= $8::timestamptz OR (r.id IS NULL AND s.began_at < $19::timestamptz) THEN 'expired'
            END AS reason
        FROM sessions s LEFT JOIN refreshed r ON r.id = s.id
        WHERE s.user_id = $2::uuid AND s.ended_at IS NULL AND EXISTS (SELECT FROM allowed)
    ), decided AS (
        SELECT id, CASE WHEN reason IS NOT NULL THEN reason
            WHEN row_number() OVER (PARTITION BY reason IS NULL ORDER BY last_used DESC, id DESC) >= $20::bigint THEN 'evicted'
            END AS reason
        FROM standing
    ), ended AS (
        UPDATE sessions s SET ended_at = $8::timestamptz, end_reason = d.reason FROM decided d
        WHERE s.id = d.id AND d.reason IS NOT NULL AND s.ended_at IS NULL
        RETURNING s.id, s.end_reason
    ), begun AS (",
    insert_session!(" FROM allowed"),
    "), device AS (",
    know_device!(" FROM allowed"),
    "), dropped AS (
        DELETE FROM sessions WHERE ended_at < $22::timestamptz AND id = ANY (ARRAY(
            SELECT id FROM sessions WHERE user_id = $2::uuid AND ended_at IS NOT NULL AND EXISTS (SELECT FROM allowed)
            ORDER BY ended_at DESC, began_at DESC, id DESC OFFSET greatest(0, $21::bigint - (SELECT count(*) FROM ended))))
    ), forgotten AS (
        DELETE FROM known_devices WHERE user_id = $2::uuid AND EXISTS (SELECT FROM allowed)
            AND (device_id = ANY ($24::uuid[]) OR device_id = ANY (ARRAY(
                SELECT device_id FROM known_devices WHERE user_id = $2::uuid AND device_id <> $3::uuid AND device_id <> ALL ($24::uuid[])
                ORDER BY signed_in_at DESC, device_id DESC OFFSET $23::bigint)))
    )
    SELECT ended.id AS session_id, ended.end_reason FROM allowed LEFT JOIN ended ON true"
);

impl Intent for BeginSession {
    type Answer = BeginOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<BeginOutcome, PostgresError> {
        let (new, user) = (&self.session, self.session.user.as_uuid());
        let lock = tx.prepare_cached(LOCK).await?;
        let epoch = i64::from(new.epoch.number());
        let asked: [&dyn Param; 3] = [user, &epoch, &self.unless_factor];
        if tx.query_opt(&lock, &asked).await?.is_none() {
            return Ok(BeginOutcome::Superseded);
        }
        let (ids, times): (Vec<Uuid>, Vec<PgTimestamp>) = self
            .refreshed
            .iter()
            .map(|&(id, at)| (*id.as_uuid(), PgTimestamp(at)))
            .unzip();
        let former: Vec<Uuid> = self
            .former_devices
            .iter()
            .map(|device| *device.as_uuid())
            .collect();
        let devices: Vec<Uuid> = former
            .iter()
            .chain([new.device.as_uuid()])
            .copied()
            .collect();
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let more: [&dyn Param; 10] = [
            &self.kept_device().is_some(),
            &devices,
            &ids,
            &times,
            &PgTimestamp(new.began_at.minus(self.idle)),
            &number(self.max_live),
            &number(self.max_ended),
            &PgTimestamp(self.settled),
            &number(self.max_devices.saturating_sub(1)),
            &former,
        ];
        let row = SessionRow::from(new);
        let params: Vec<_> = row.params().into_iter().chain(more).collect();
        let begin = tx.prepare_cached(BEGIN).await?;
        let rows = tx.query(&begin, &params).await?;
        if rows.is_empty() {
            return Ok(BeginOutcome::Superseded);
        }
        let mut ended = Vec::new();
        for row in &rows {
            if row.try_get::<_, Option<Uuid>>("session_id")?.is_some() {
                ended.push(sql::ended_session(row)?);
            }
        }
        Ok(sql::begun(&ended))
    }
}
