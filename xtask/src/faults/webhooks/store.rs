//! The journal and what is on its way to endpoints, in the user database. The service's pauses are half a minute and longer: here they are cut
//! short.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;

use super::endpoint::{EVENTS, Endpoint};
use crate::{
    faults::user_database::{BUSY, with_file},
    harness::stores::PostgresConnection,
};

/// Between two looks.
pub(in crate::faults) const POLL: Duration = Duration::from_millis(50);

const POSTGRES_EVENTS: &str =
    "SELECT id::text AS id, event FROM journal WHERE at >= to_timestamp($1::float8)";
const SQLITE_EVENTS: &str = "SELECT id, event FROM journal WHERE at >= ?1 * 1000";
/// How many events an endpoint was sent and has not taken.
const POSTGRES_WAITING: &str = "
    SELECT count(*) AS waiting FROM webhook_deliveries
    WHERE webhook_id = $1::text::uuid AND NOT given_up AND attempts > 0";
const SQLITE_WAITING: &str = "
    SELECT count(*) AS waiting FROM webhook_deliveries WHERE webhook_id = ?1 AND NOT given_up AND attempts > 0";
/// Ends pauses, and leases that run out within `$1` seconds. What is due within two is neither.
const POSTGRES_HASTEN: &str = "
    UPDATE webhook_deliveries SET next_at = now()
    WHERE NOT given_up AND next_at > now() + interval '2 seconds'
        AND (leased_until IS NULL OR next_at <= now() + make_interval(secs => $1::float8))";
const SQLITE_HASTEN: &str = "
    UPDATE webhook_deliveries SET next_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
    WHERE NOT given_up AND next_at > unixepoch('subsec') * 1000 + 2000
        AND (leased_until IS NULL OR next_at <= (unixepoch('subsec') + ?1) * 1000)";

/// Where both are.
pub(in crate::faults) enum HookStore {
    Postgres(PostgresConnection),
    Sqlite(PathBuf),
}

impl HookStore {
    /// The names of the events that happened since then, by their ids.
    pub(super) async fn events(&self, since: SystemTime) -> Result<BTreeMap<String, String>> {
        let since = since.duration_since(UNIX_EPOCH)?.as_secs_f64();
        let all: Vec<(String, String)> = match self {
            Self::Postgres(connection) => {
                let rows = timeout(BUSY, connection.query(POSTGRES_EVENTS, &[&since])).await??;
                rows.iter()
                    .map(|row| Ok((row.try_get("id")?, row.try_get("event")?)))
                    .collect::<Result<_>>()?
            }
            Self::Sqlite(file) => {
                with_file(file, move |connection| {
                    let mut statement = connection.prepare(SQLITE_EVENTS)?;
                    let rows = statement
                        .query_map([since], |row| Ok((row.get("id")?, row.get("event")?)))?;
                    rows.collect()
                })
                .await?
            }
        };
        let sent = all
            .into_iter()
            .filter(|(_, name)| EVENTS.contains(&name.as_str()));
        Ok(sent.collect())
    }

    /// How many events an endpoint was sent and has not taken.
    pub(in crate::faults) async fn waiting(&self, endpoint: &Endpoint) -> Result<i64> {
        match self {
            Self::Postgres(connection) => {
                let params: [&(dyn ToSql + Sync); 1] = [&endpoint.id];
                let row = connection.query_one(POSTGRES_WAITING, &params);
                Ok(timeout(BUSY, row).await??.try_get("waiting")?)
            }
            Self::Sqlite(file) => {
                let id = endpoint.id.clone();
                with_file(file, move |connection| {
                    connection.query_row(SQLITE_WAITING, [id], |row| row.get("waiting"))
                })
                .await
            }
        }
    }

    /// Ends pauses, and leases that run out within this time.
    pub(super) async fn hasten(&self, leases: Duration) -> Result<()> {
        let leases = leases.as_secs_f64();
        match self {
            Self::Postgres(connection) => {
                timeout(BUSY, connection.execute(POSTGRES_HASTEN, &[&leases])).await??;
                Ok(())
            }
            Self::Sqlite(file) => {
                with_file(file, move |connection| {
                    connection.execute(SQLITE_HASTEN, [leases]).map(drop)
                })
                .await
            }
        }
    }
}

/// The time as stores write it.
#[expect(clippy::disallowed_methods, reason = "the service is another process")]
pub(in crate::faults) fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pauses_end_and_leases_only_if_they_run_out_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.sqlite3");
        let prepare = "
            CREATE TABLE webhook_deliveries (webhook_id, event_id, given_up, attempts, leased_until, next_at);
            CREATE TABLE journal (id, event, at);
            INSERT INTO journal VALUES ('1', 'session.begun', 5000), ('2', 'session.begun', 6000), ('3', 'sign_in.refused', 6000);
            INSERT INTO webhook_deliveries SELECT 'a', event, 0, 1, leased, unixepoch() * 1000 + 20000
            FROM (SELECT 'pausing' AS event, NULL AS leased UNION ALL SELECT 'leased', 1)";
        with_file(&file, |connection| connection.execute_batch(prepare))
            .await
            .unwrap();
        let due = || {
            with_file(&file, |connection| {
                let sql = "SELECT event_id FROM webhook_deliveries WHERE next_at <= unixepoch('subsec') * 1000 ORDER BY event_id";
                let mut statement = connection.prepare(sql)?;
                let rows = statement.query_map([], |row| row.get(0))?;
                rows.collect::<rusqlite::Result<Vec<String>>>()
            })
        };
        let store = HookStore::Sqlite(file.clone());
        let since = UNIX_EPOCH + Duration::from_secs(6);
        let events = store.events(since).await.unwrap();
        assert_eq!(events.keys().collect::<Vec<_>>(), ["2"]);
        store.hasten(Duration::ZERO).await.unwrap();
        assert_eq!(due().await.unwrap(), ["pausing"]);
        store.hasten(Duration::from_secs(25)).await.unwrap();
        assert_eq!(due().await.unwrap(), ["leased", "pausing"]);
    }
}
