//! Somebody at Postgres who holds a lock on the service's tables.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::Instant;
use tokio_postgres::error::SqlState;
use url::Url;

use crate::harness::stores::PostgresConnection;

/// Waits so long at a time: whoever waits for a second table with the first in its hands would else be in a deadlock with the service, which
/// Postgres ends after a second by an error for one of the two.
const AT_A_TIME: &str = "20ms";
const WAITING: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))";
/// Gives up after so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Holds it until it is released.
pub(super) struct Locker {
    client: PostgresConnection,
}

impl Locker {
    /// Locks all these tables, in that mode.
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
    pub(super) async fn waiting(&self) -> Result<i64> {
        Ok(self.client.query_one(WAITING, &[]).await?.try_get(0)?)
    }

    /// Lets go.
    pub(super) async fn release(self) {
        self.client.close().await;
    }
}
