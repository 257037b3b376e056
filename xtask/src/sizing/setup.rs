//! What the measurements need.

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use url::Url;

use crate::harness::{
    folders,
    service::{Binary, Instance, Settings},
    stores::{Schema, Store, StoreKind, Stores},
    windows::Windows,
};

/// How much is measured.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Users on Redis and Postgres, with a session each
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(super) users: u32,
    /// Users on the embedded store, with a session each
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=200_000))]
    pub(super) embedded_users: u32,
    /// Seconds of refreshes for each figure
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub(super) seconds: u32,
    /// Print the figures and leave the page as it is
    #[arg(long)]
    pub(super) print: bool,
}

pub(super) struct Setup<'a> {
    pub(super) args: &'a Args,
    pub(super) binary: Binary,
    pub(super) redis: &'a Store,
    pub(super) postgres: &'a Store,
    pub(super) folder: TempDir,
}

impl<'a> Setup<'a> {
    pub(super) fn new(args: &'a Args, binary: Binary, stores: &'a Stores) -> Result<Self> {
        let store = |kind| stores.get(kind).context("the store was not started");
        Ok(Self {
            args,
            binary,
            redis: store(StoreKind::Redis)?,
            postgres: store(StoreKind::Postgres)?,
            folder: folders::temporary("sizing")?,
        })
    }

    pub(super) fn redis_url(&self) -> Result<Url> {
        Ok(self.redis.url().parse()?)
    }

    pub(super) fn postgres_url(&self) -> Result<Url> {
        Ok(self.postgres.url().parse()?)
    }

    /// Starts a service over Redis and Postgres, in a schema of its own.
    pub(super) async fn service(&self, name: &str, algorithm: &str) -> Result<Instance> {
        let schema = Schema::create(&self.postgres_url()?, name.to_owned()).await?;
        let settings = settings()
            .server_without_key()?
            .with("TOKENS__ALGORITHM", algorithm)
            .stores(&self.redis_url()?, &schema.url());
        Instance::start(&self.binary, &settings, self.folder.path().join(name)).await
    }
}

/// Windows and lifetimes as in production; hashes are cheap, since none is measured.
pub(super) fn settings() -> Settings {
    Settings::new(&Windows::SHORT)
        .with("TOKENS__REFRESH_LIFETIME", "3days")
        .with("SESSIONS__RETRY_FREE", "10s")
}
