//! What all faults of a run share: the service's binaries, a Postgres, a temporary folder.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Result;
use tempfile::TempDir;
use url::Url;

use super::{postgres_pair::PostgresPair, scenario::Scenario, stall_monitor::StallMonitor};
use crate::harness::{
    folders, random,
    service::{Binary, Instance, Settings},
    stores::{self, RedisConnection, Schema, Store, StoreKind},
    windows::Windows,
};

/// The windows as they are by default.
pub(super) const WINDOWS: Windows = Windows {
    retry_free: Duration::from_secs(10),
    retry_window: Duration::from_mins(10),
    bound_retry_window: Duration::from_hours(24),
    late_retries: 3,
    refused_after: None,
    bound_refused_after: None,
};

/// The service's timeouts for its stores.
pub(super) const REDIS_TIMEOUT: Duration = Duration::from_millis(700);
pub(super) const POSTGRES_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Environment {
    pub(super) binary: Binary,
    pub(super) previous: Option<Binary>,
    pub(super) postgres: Store,
    stores: stores::Args,
    nonce: String,
    stalls: Arc<StallMonitor>,
    folder: TempDir,
    schemas: u32,
}

impl Environment {
    pub(super) async fn start(
        containers: bool,
        binary: Binary,
        previous: Option<Binary>,
    ) -> Result<Self> {
        let stores = stores::Args {
            local: !containers,
            in_memory: false,
        };
        let folder = folders::temporary("faults")?;
        let stalls = Arc::new(StallMonitor::start(folder.path())?);
        // Durability over a crash depends on fsync.
        let postgres =
            Store::start_tuned(StoreKind::Postgres, &stores, &["-c", "fsync=on"]).await?;
        Ok(Self {
            binary,
            previous,
            postgres,
            stores,
            nonce: random::nonce(),
            stalls,
            folder,
            schemas: 0,
        })
    }

    /// Starts a Redis that writes everything to its file before it answers.
    pub(super) async fn redis(&self) -> Result<Store> {
        let arguments = ["--appendfsync", "always"];
        Store::start_tuned(StoreKind::Redis, &self.stores, &arguments).await
    }

    /// The URL of a new schema in Postgres.
    pub(super) async fn schema(&mut self) -> Result<Url> {
        let name = format!("faults_{}_{}", self.nonce, self.schemas);
        self.schemas += 1;
        let schema = Schema::create(&self.postgres.url().parse()?, name).await?;
        Ok(schema.url())
    }

    /// Starts a Postgres of its own, with a standby.
    pub(super) async fn postgres_pair(&self) -> Result<PostgresPair> {
        PostgresPair::start(&self.stores).await
    }

    /// The server profile's settings without its stores.
    pub(super) async fn settings(&self) -> Result<Settings> {
        let time = |time| humantime::format_duration(time).to_string();
        Ok(Settings::new(&WINDOWS)
            .server()
            .await?
            .with("SESSIONS__MAX_PER_USER", "200")
            .with("REDIS__TIMEOUT", &time(REDIS_TIMEOUT))
            .with("POSTGRES__TIMEOUT", &time(POSTGRES_TIMEOUT)))
    }

    /// A folder of this name.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the service.
    pub(super) async fn start_service(&self, settings: &Settings, name: &str) -> Result<Instance> {
        Instance::start(&self.binary, settings, self.folder(name)).await
    }

    /// A scenario without clients.
    pub(super) fn scenario(&self, name: &str) -> Result<Scenario> {
        Scenario::new(format!("{}-{name}", self.nonce), Arc::clone(&self.stalls))
    }

    /// Stops Postgres, with all schemas; it may not answer any more if a fault failed.
    pub(super) async fn shut_down(mut self) -> Result<()> {
        // Fails unless it is paused.
        drop(self.postgres.resume().await);
        self.postgres.stop().await
    }
}

/// Sends a command to a Redis.
pub(super) async fn redis_command(redis: &Store, words: &[&str]) -> Result<()> {
    RedisConnection::connect(&redis.url().parse()?)
        .await?
        .command(words)
        .await
}
