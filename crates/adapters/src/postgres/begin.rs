//! The commit of a sign-in: the new session, and the sessions that it ends.

use super::{
    database::{Intent, decoded},
    error::PostgresError,
    transaction::Transaction,
    values::PgTimestamp,
    write::{SessionRow, insert_session, know_device},
};
use crate::sql;
use revolve_domain::{
    model::WebOrigin,
    ports::{BeginOutcome, BeginSession},
};
use uuid::Uuid;

/// `$2` is the epoch that the session carries. This lock keeps out all other changes of the user's sessions and devices but single
/// ends for other reasons than reuse, and prunings, whose order does not matter.
const LOCK: &str =
    "SELECT 1 FROM users WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL FOR UPDATE";

/// A statement of its own, so that it sees what was committed before the lock.
const IS_CURRENT: &str =
    "SELECT 1 FROM known_devices WHERE user_id = $1 AND device_id = $2 AND epoch >= $3";

/// Replaced on one of the devices `$2` by the same client (`$8` is its origin), else expired, else evicted from rank `$7` on.
/// `$3` and `$4` are the white list's sessions and when they were
/// refreshed; `$5` is now; a session that is not among them and began before `$6` has expired.
const MAKE_ROOM: &str = "
    WITH refreshed AS (
        SELECT id, at FROM unnest($3::uuid[], $4::timestamptz[]) AS r (id, at)
    ), standing AS (
        SELECT s.id, coalesce(r.at, s.began_at) AS last_used,
            CASE WHEN s.device_id = ANY ($2) AND s.origin IS NOT DISTINCT FROM $8 THEN 'replaced'
                 WHEN s.ends_at <= $5 OR (r.id IS NULL AND s.began_at < $6) THEN 'expired'
            END AS reason
        FROM sessions s LEFT JOIN refreshed r ON r.id = s.id
        WHERE s.user_id = $1 AND s.ended_at IS NULL
    ), decided AS (
        SELECT id, CASE WHEN reason IS NOT NULL THEN reason
            WHEN row_number() OVER (PARTITION BY reason IS NULL ORDER BY last_used DESC, id DESC) >= $7 THEN 'evicted'
            END AS reason
        FROM standing
    )
    UPDATE sessions s SET ended_at = $5, end_reason = d.reason FROM decided d
    WHERE s.id = d.id AND d.reason IS NOT NULL AND s.ended_at IS NULL
    RETURNING s.id AS session_id, s.end_reason";

const INSERT: &str = concat!("WITH device AS (", know_device!(), ") ", insert_session!());

const DROP_OLDEST: &str = "
    DELETE FROM sessions WHERE ended_at < $3 AND id = ANY (ARRAY(
        SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NOT NULL
        ORDER BY ended_at DESC, began_at DESC, id DESC OFFSET $2))";

/// The former devices `$4`, then the oldest. The device of this sign-in, `$2`, is kept.
const FORGET_DEVICES: &str = "
    DELETE FROM known_devices WHERE user_id = $1 AND (device_id = ANY ($4) OR device_id = ANY (ARRAY(
        SELECT device_id FROM known_devices WHERE user_id = $1 AND device_id <> $2 AND device_id <> ALL ($4)
        ORDER BY signed_in_at DESC, device_id DESC OFFSET $3)))";

impl Intent for BeginSession {
    type Answer = BeginOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<BeginOutcome, PostgresError> {
        let (new, user) = (&self.session, self.session.user.as_uuid());
        if !may_begin(self, tx).await? {
            return Ok(BeginOutcome::Superseded);
        }

        let (ids, times): (Vec<Uuid>, Vec<PgTimestamp>) = self
            .refreshed
            .iter()
            .map(|&(id, at)| (*id.as_uuid(), PgTimestamp(at)))
            .unzip();
        let (now, begun_since) = (
            PgTimestamp(new.began_at),
            PgTimestamp(new.began_at.minus(self.idle)),
        );
        let max_live = i64::try_from(self.max_live).unwrap_or(i64::MAX);
        let former: Vec<Uuid> = self
            .former_devices
            .iter()
            .map(|device| *device.as_uuid())
            .collect();
        let device = new.device.as_uuid();
        let devices: Vec<Uuid> = former.iter().chain([device]).copied().collect();
        let origin = new.client.origin.as_ref().map(WebOrigin::as_str);
        let make_room = tx.prepare_cached(MAKE_ROOM).await?;
        let ended = tx
            .query(
                &make_room,
                &[
                    user,
                    &devices,
                    &ids,
                    &times,
                    &now,
                    &begun_since,
                    &max_live,
                    &origin,
                ],
            )
            .await?;

        let insert = tx.prepare_cached(INSERT).await?;
        tx.execute(&insert, &SessionRow::from(new).params()).await?;
        let drop_oldest = tx.prepare_cached(DROP_OLDEST).await?;
        tx.execute(
            &drop_oldest,
            &[
                user,
                &i64::try_from(self.max_ended).unwrap_or(i64::MAX),
                &PgTimestamp(self.settled),
            ],
        )
        .await?;
        let forget_devices = tx.prepare_cached(FORGET_DEVICES).await?;
        let others = i64::try_from(self.max_devices.saturating_sub(1)).unwrap_or(i64::MAX);
        tx.execute(&forget_devices, &[user, device, &others, &former])
            .await?;
        Ok(sql::begun(&decoded(&ended, sql::ended_session)?))
    }
}

/// Locks the user's row, and says whether the session may begin.
async fn may_begin(begin: &BeginSession, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
    let (user, epoch) = (
        begin.session.user.as_uuid(),
        i64::from(begin.session.epoch.number()),
    );
    let lock = tx.prepare_cached(LOCK).await?;
    if tx.query_opt(&lock, &[user, &epoch]).await?.is_none() {
        return Ok(false);
    }
    let Some(kept) = begin.kept_device() else {
        return Ok(true);
    };
    let is_current = tx.prepare_cached(IS_CURRENT).await?;
    let found = tx
        .query_opt(&is_current, &[user, kept.as_uuid(), &epoch])
        .await?;
    Ok(found.is_some())
}
