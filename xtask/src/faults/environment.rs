//! What a run owns: the service's binary, a Postgres that all rows share, and for each row a schema in it, a Redis and people.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use tempfile::TempDir;
use tokio::time::sleep;
use url::Url;

use super::{Args, scenario::Town, stall_monitor::Pulse};
use crate::harness::{
    folders, random,
    service::{Binary, Instance, Settings},
    stores::{self, RedisConnection, Schema, Store, StoreKind},
    windows::Windows,
};

/// The windows as they are by default: what is tested here is no window.
pub(super) const WINDOWS: Windows = Windows {
    retry_free: Duration::from_secs(10),
    retry_window: Duration::from_mins(10),
    bound_retry_window: Duration::from_hours(24),
    late_retries: 3,
};

/// The timeouts that the service is given for its stores.
pub(super) const REDIS_TIMEOUT: Duration = Duration::from_millis(700);
pub(super) const POSTGRES_TIMEOUT: Duration = Duration::from_secs(1);

/// A supervisor starts a service so often at most, with so long in between.
const STARTS: u32 = 5;
const BETWEEN_STARTS: Duration = Duration::from_millis(200);

/// A fault can't be brought about here, for this reason.
#[derive(Debug)]
pub(super) struct LeftOut(pub(super) String);

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LeftOut {}

/// What a run owns.
pub(super) struct House {
    pub(super) binary: Binary,
    pub(super) previous: Option<Binary>,
    pub(super) postgres: Store,
    pub(super) stores: stores::Args,
    nonce: String,
    pulse: Arc<Pulse>,
    folder: TempDir,
    schemas: u32,
}

impl House {
    pub(super) async fn new(args: &Args, binary: Binary, previous: Option<Binary>) -> Result<Self> {
        let stores = stores::Args {
            local: !args.containers,
        };
        let folder = folders::temporary("faults")?;
        let pulse = Arc::new(Pulse::start(folder.path())?);
        // What is promised over a crash rests on fsync.
        let postgres =
            Store::start_tuned(StoreKind::Postgres, &stores, &["-c", "fsync=on"]).await?;
        Ok(Self {
            binary,
            previous,
            postgres,
            stores,
            nonce: random::nonce(),
            pulse,
            folder,
            schemas: 0,
        })
    }

    /// A Redis of a row's own, which writes down everything before it answers.
    pub(super) async fn redis(&self) -> Result<Store> {
        Store::start_tuned(StoreKind::Redis, &self.stores, &["--appendfsync", "always"]).await
    }

    /// A schema of a row's own.
    pub(super) async fn schema(&mut self) -> Result<Url> {
        let name = format!("faults_{}_{}", self.nonce, self.schemas);
        self.schemas += 1;
        Ok(Schema::create(&self.postgres.url().parse()?, name)
            .await?
            .url())
    }

    /// The server profile's settings, without its stores.
    pub(super) async fn settings(&self) -> Result<Settings> {
        let time = |time| humantime::format_duration(time).to_string();
        let settings = Settings::new(&WINDOWS)
            .server()
            .await?
            .with("SESSIONS__MAX_PER_USER", "200");
        Ok(settings
            .with("REDIS__TIMEOUT", &time(REDIS_TIMEOUT))
            .with("POSTGRES__TIMEOUT", &time(POSTGRES_TIMEOUT)))
    }

    /// The same, with the timeouts for its stores that are the default.
    pub(super) async fn default_settings(&self) -> Result<Settings> {
        Ok(self
            .settings()
            .await?
            .with("REDIS__TIMEOUT", "1s")
            .with("POSTGRES__TIMEOUT", "2s"))
    }

    /// A folder of that name, for a row and what it starts.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the service.
    pub(super) async fn start(&self, settings: &Settings, name: &str) -> Result<Instance> {
        Instance::start(&self.binary, settings, self.folder(name)).await
    }

    /// Nobody lives there yet.
    pub(super) fn town(&self, name: &str) -> Result<Town> {
        Town::new(format!("{}-{name}", self.nonce), Arc::clone(&self.pulse))
    }

    /// Takes down what is left. The schemas go with their Postgres, which may not answer any more if a row was broken off.
    pub(super) async fn close(mut self) -> Result<()> {
        // Only one that was paused has to go on; the others say that they were not.
        drop(self.postgres.resume().await);
        self.postgres.stop().await
    }
}

/// One service over a Redis of its own.
pub(super) struct Site {
    pub(super) redis: Store,
    pub(super) service: Instance,
    pub(super) town: Town,
}

impl Site {
    pub(super) async fn open(house: &mut House, name: &str, more: &[(&str, &str)]) -> Result<Self> {
        let redis = house.redis().await?;
        let settings = more
            .iter()
            .fold(house.settings().await?, |settings, (key, value)| {
                settings.with(key, value)
            });
        let settings = settings.stores(&redis.url().parse()?, &house.schema().await?);
        let service = house.start(&settings, name).await?;
        let town = house.town(name)?;
        town.at(&[service.url()]);
        Ok(Self {
            redis,
            service,
            town,
        })
    }

    /// Says something to its Redis.
    pub(super) async fn order(&self, words: &[&str]) -> Result<()> {
        order(&self.redis, words).await
    }
}

/// The embedded profile's settings, with its data in that folder.
pub(super) fn embedded(data: &Path) -> Settings {
    Settings::new(&WINDOWS)
        .with("SESSIONS__MAX_PER_USER", "200")
        .with("DATA_DIR", &data.display().to_string())
}

/// Starts a service again as a supervisor does: more than once, if it must, since a busy store may not answer the first time. Those that
/// fail are counted.
pub(super) async fn start_again(service: &mut Instance, town: &Town) -> Result<()> {
    for _ in 1..STARTS {
        if service.restart().await.is_ok() {
            return Ok(());
        }
        town.check("starts that failed and were repeated");
        sleep(BETWEEN_STARTS).await;
    }
    service.restart().await
}

/// Says something to a Redis.
pub(super) async fn order(redis: &Store, words: &[&str]) -> Result<()> {
    RedisConnection::connect(&redis.url().parse()?)
        .await?
        .command(words)
        .await
}
