//! Two replicas of the service over one kind of store.

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{binary::Binary, instance::Instance, settings::Settings};
use crate::harness::{folders, interrupt::Interrupt, stores::ServerStores, windows::Windows};

pub(crate) struct Deployment {
    /// For headings.
    pub(crate) name: &'static str,
    replicas: Vec<Instance>,
    _folder: TempDir,
}

impl Deployment {
    /// Over one SQLite file.
    pub(crate) async fn embedded(
        binary: &Binary,
        windows: &Windows,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = folders::temporary("embedded")?;
        let settings = Settings::new(windows)
            .with("ACCOUNTS__VERIFICATION", "off")
            .data_dir(&folder.path().join("data"));
        Self::start("embedded (SQLite)", binary, &settings, folder, interrupt)
            .await
            .context("the embedded store")
    }

    /// Over Redis and Postgres.
    pub(crate) async fn server(
        binary: &Binary,
        windows: &Windows,
        stores: &ServerStores,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = folders::temporary("server")?;
        let settings = Settings::new(windows)
            .server()
            .await?
            .stores(stores.redis(), &stores.postgres());
        Self::start(
            "server (Redis, Postgres)",
            binary,
            &settings,
            folder,
            interrupt,
        )
        .await
        .context("the server stores")
    }

    async fn start(
        name: &'static str,
        binary: &Binary,
        settings: &Settings,
        folder: TempDir,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut replicas = Vec::new();
        for replica in ["a", "b"] {
            let home = folder.path().join(replica);
            let start = Instance::start(binary, settings, home);
            replicas.push(interrupt.guard(start).await?);
        }
        Ok(Self {
            name,
            replicas,
            _folder: folder,
        })
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.replicas
            .iter()
            .map(|replica| replica.url().to_owned())
            .collect()
    }

    /// Makes an API key that counts at all of them.
    pub(crate) async fn make_key(&self, scopes: &str) -> Result<String> {
        let replica = self.replicas.first().context("there is no replica")?;
        replica.make_key(scopes).await
    }

    /// The last log lines of all replicas.
    pub(crate) fn last_log_lines(&self) -> Vec<String> {
        self.replicas
            .iter()
            .flat_map(Instance::last_log_lines)
            .collect()
    }
}
