//! A Postgres with a standby that has whatever the primary acknowledges.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::time::sleep;
use url::Url;

use crate::harness::{
    random,
    stores::{self, Group, GroupSpec, PostgresConnection},
};

/// The standby follows, and takes over, within this.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(20);

pub(super) struct PostgresPair {
    group: Group,
    password: String,
}

impl PostgresPair {
    pub(super) async fn start(args: &stores::Args) -> Result<Self> {
        let password = random::key()?;
        let mut spec = GroupSpec::postgres_replica();
        spec.files.push(("password", password.clone()));
        let group = Group::start(&spec, args).await?;
        let pair = Self { group, password };
        let primary = PostgresConnection::open(&pair.primary()?).await?;
        primary
            .batch_execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            .await?;
        primary.batch_execute("SELECT pg_reload_conf()").await?;
        let begun = Instant::now();
        let is_sync =
            "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')";
        while !primary
            .query_one(is_sync, &[])
            .await?
            .try_get::<_, bool>(0)?
        {
            if begun.elapsed() > PATIENCE {
                bail!("the standby does not follow");
            }
            sleep(POLL).await;
        }
        primary.close().await;
        Ok(pair)
    }

    /// Both servers, in a URL for the service.
    pub(super) fn url(&self) -> String {
        self.at(&self.group.addresses(0..2))
    }

    fn primary(&self) -> Result<Url> {
        Ok(self.at(&self.group.address(0)).parse()?)
    }

    /// The one that takes over.
    pub(super) fn standby(&self) -> Result<Url> {
        Ok(self.at(&self.group.address(1)).parse()?)
    }

    fn at(&self, servers: &str) -> String {
        format!(
            "postgres://revolve:{}@{servers}/postgres?sslmode=disable",
            self.password
        )
    }

    /// Kills the primary, and lets the standby take over.
    pub(super) async fn fail_over(&self) -> Result<()> {
        let primary = PostgresConnection::open(&self.primary()?).await?;
        // Its own connection ends with it.
        drop(
            primary
                .batch_execute("COPY (SELECT 1) TO PROGRAM 'kill -QUIT $(head -1 postmaster.pid)'")
                .await,
        );
        let standby = PostgresConnection::open(&self.standby()?).await?;
        let promoted = standby.query_one("SELECT pg_promote(true, 20)", &[]);
        ensure!(
            promoted.await?.try_get::<_, bool>(0)?,
            "the standby does not take over"
        );
        standby.close().await;
        Ok(())
    }
}
