//! Reads what was revoked, row by row: a window may have a million ends.

use super::{
    database::Intent, error::PostgresError, statement::Params, transaction::Transaction,
    values::PgTimestamp,
};
use crate::sql::{self, FoundRevocations};
use futures_util::{TryStreamExt, pin_mut};
use revolve_domain::revocations::{RevocationQuery, Revocations};
use std::time::Duration;

/// How long a read of the whole window may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What the statement sees, by its own snapshot. The start of the server tells runs of it apart, and those of its standbys; the reset of
/// the writer's statistics those after a crash that the main process survives: transactions that were lost give their numbers back.
macro_rules! snapshot {
    () => {
        "SELECT pg_current_snapshot()::text AS snapshot,
            (extract(epoch FROM greatest(pg_postmaster_start_time(), (SELECT stats_reset FROM pg_stat_bgwriter))) * 1000000)::bigint
                AS source,
            NULL::uuid AS session_id, NULL::uuid AS user_id, NULL::timestamptz AS ended_at, NULL::bigint AS ended_in,
            NULL::bigint AS session_epoch, NULL::uuid AS kept_sid, NULL::timestamptz AS epoch_raised_at, NULL::bigint AS outdated_before"
    };
}

/// One statement, so that all is read as of one instant. A number that is still to come is of another server, from which this database
/// was restored.
const EVERYTHING: &str = concat!(
    snapshot!(),
    "
    UNION ALL
    SELECT NULL, NULL, id, user_id, ended_at,
        CASE WHEN ended_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN ended_in END, NULL, NULL, NULL, NULL
    FROM sessions WHERE ended_at >= $1
    UNION ALL
    SELECT NULL, NULL, NULL, id, NULL, NULL, session_epoch, kept_sid, epoch_raised_at, NULL FROM users WHERE epoch_raised_at >= $1
    UNION ALL
    SELECT NULL, NULL, NULL, id, outdated_at,
        CASE WHEN outdated_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint THEN outdated_in END, NULL, NULL, NULL, outdated_before
    FROM users WHERE outdated_at >= $1
    UNION ALL
    SELECT NULL, NULL, s.id, crowded.user_id, NULL, NULL, NULL, NULL, NULL, NULL
    FROM (SELECT user_id FROM sessions WHERE ended_at >= $1 GROUP BY user_id HAVING count(*) >= $2) crowded
    LEFT JOIN sessions s ON s.user_id = crowded.user_id AND s.ended_at IS NULL"
);

/// The conditions on the numbers twice: only so is an index known to have all rows.
const UNSEEN: &str = concat!(
    snapshot!(),
    "
    UNION ALL
    SELECT NULL, NULL, s.id, s.user_id, s.ended_at, s.ended_in, u.session_epoch, u.kept_sid, u.epoch_raised_at, NULL
    FROM sessions s LEFT JOIN users u ON u.id = s.user_id AND u.epoch_raised_at >= $1
    WHERE s.ended_at >= $1 AND s.ended_in IS NOT NULL AND (s.ended_in >= $2 OR s.ended_in = ANY ($3))
        AND s.ended_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
    UNION ALL
    SELECT NULL, NULL, NULL, id, outdated_at, outdated_in, NULL, NULL, NULL, outdated_before
    FROM users
    WHERE outdated_at >= $1 AND outdated_in IS NOT NULL AND (outdated_in >= $2 OR outdated_in = ANY ($3))
        AND outdated_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
);

pub(super) struct ReadRevocations<'q>(pub(super) &'q RevocationQuery);

impl Intent for ReadRevocations<'_> {
    type Answer = Revocations;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Revocations, PostgresError> {
        let since = PgTimestamp(self.0.since);
        let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        if let Some(seen) = &self.0.unseen_by {
            let unseen: Vec<i64> = seen.unseen().iter().copied().map(number).collect();
            read(tx, UNSEEN, &[&since, &number(seen.none_from()), &unseen]).await
        } else {
            // The limit of a session is shorter.
            let patience = PATIENCE.as_millis();
            tx.batch_execute(&format!("SET LOCAL statement_timeout = {patience}"))
                .await?;
            let crowded = i64::try_from(self.0.crowded).unwrap_or(i64::MAX);
            read(tx, EVERYTHING, &[&since, &crowded]).await
        }
    }
}

async fn read(
    tx: &Transaction<'_>,
    sql: &'static str,
    params: Params<'_>,
) -> Result<Revocations, PostgresError> {
    let statement = tx.prepare_cached(sql).await?;
    let rows = tx.query_stream(&statement, params).await?;
    pin_mut!(rows);
    let mut found = FoundRevocations::default();
    while let Some(row) = rows.try_next().await? {
        sql::revocation(&row, &mut found)?;
    }
    Ok(found.whole()?)
}
