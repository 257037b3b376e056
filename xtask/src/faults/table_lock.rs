//! A lock on the service's tables in Postgres.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use url::Url;

use crate::harness::stores::PostgresConnection;

/// The wait for a lock at a time: waiting longer for a second table while holding the first may deadlock with the service, which Postgres
/// ends after a second by an error for one of the two.
const AT_A_TIME: &str = "20ms";
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
/// The wait for a lock in all.
const PATIENCE: Duration = Duration::from_secs(20);

/// Held until it is released.
pub(super) struct TableLock {
    client: PostgresConnection,
}

impl TableLock {
    /// Locks all these tables in this mode.
    pub(super) async fn lock(schema: &Url, tables: &str, mode: &str) -> Result<Self> {
        let client = PostgresConnection::open(schema).await?;
        client
            .batch_execute(&format!("SET lock_timeout = '{AT_A_TIME}'"))
            .await?;
        let begun = Instant::now();
        while let Err(error) = client
            .batch_execute(&format!("BEGIN; LOCK TABLE {tables} IN {mode} MODE"))
            .await
        {
            if error.code() != Some(&SqlState::LOCK_NOT_AVAILABLE) {
                return Err(error).context(format!("{tables} can't be locked"));
            }
            client.batch_execute("ROLLBACK").await?;
            if begun.elapsed() > PATIENCE {
                bail!("{tables} are never free to be locked");
            }
        }
        Ok(Self { client })
    }

    /// How many connections wait for it.
    pub(super) async fn waiting_connections(&self) -> Result<i64> {
        Ok(self.client.query_one(WAITING, &[]).await?.try_get(0)?)
    }

    pub(super) async fn release(self) {
        self.client.close().await;
    }
}
