//! The service under attack: a process of its own, over stores of the run's own.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use tokio::process::Command;

use crate::harness::{
    folders,
    interrupt::Interrupt,
    process,
    service::{Binary, Instance, Settings},
    stores::{self, ServerStores},
    usage,
};

/// Which service is attacked.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct TargetArgs {
    /// Over Redis and Postgres instead of the embedded store
    #[arg(long)]
    server: bool,
    /// A debug build of the service: to try the attack, not for figures
    #[arg(long)]
    debug: bool,
    /// This binary of the service, such as another release's, instead of building one
    #[arg(long, value_name = "PATH", conflicts_with = "debug")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    stores: stores::Args,
}

impl TargetArgs {
    /// Both kinds of store, or the server's alone if that is asked for.
    pub(super) fn each_store(&self) -> Vec<Self> {
        let server = Self {
            server: true,
            ..self.clone()
        };
        let embedded = (!self.server).then(|| self.clone());
        embedded.into_iter().chain([server]).collect()
    }

    /// The binary that is attacked.
    pub(super) async fn binary(&self, interrupt: &Interrupt) -> Result<Binary> {
        match &self.binary {
            Some(path) => Binary::copy(path),
            None => Binary::build(!self.debug, interrupt).await,
        }
    }
}

/// A service that runs.
pub(super) struct ServiceUnderAttack {
    pub(super) name: &'static str,
    instance: Instance,
    binary: Arc<Binary>,
    settings: Settings,
    stores: Option<ServerStores>,
    folder: TempDir,
}

impl ServiceUnderAttack {
    /// Builds and starts it with these settings (`SECTION__KEY`) besides the defaults.
    pub(super) async fn start(
        args: &TargetArgs,
        settings: &[(&str, String)],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let binary = Arc::new(args.binary(interrupt).await?);
        Self::start_built(binary, args, settings, interrupt).await
    }

    /// The same with a binary that is built.
    pub(super) async fn start_built(
        binary: Arc<Binary>,
        args: &TargetArgs,
        settings: &[(&str, String)],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = folders::temporary("attack")?;
        // All requests come from one address: limits would hide what these attacks are about.
        let defaults = Settings::plain().with("LIMITS__ENABLED", "false");
        let mut settings = settings
            .iter()
            .fold(defaults, |settings, (key, value)| settings.with(key, value));
        let mut stores = None;
        if args.server {
            let started = ServerStores::start(&args.stores, "attack", interrupt).await?;
            // A Redis that is not the run's own is clean again soon.
            settings = settings
                .server_without_key()?
                .stores(started.redis(), &started.postgres())
                .with("TOKENS__REFRESH_LIFETIME", "1h");
            stores = Some(started);
        } else {
            settings = settings.data_dir(&folder.path().join("data"));
        }
        let instance = interrupt
            .guard(Instance::start(
                &binary,
                &settings,
                folder.path().to_owned(),
            ))
            .await?;
        let name = if args.server {
            "server (Redis, Postgres)"
        } else {
            "embedded (SQLite)"
        };
        Ok(Self {
            name,
            instance,
            binary,
            settings,
            stores,
            folder,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.instance.url()
    }

    /// Whether its replicas share what they count, as those over Redis do.
    pub(super) fn shares_limits(&self) -> bool {
        self.stores.is_some()
    }

    /// Ends it like `kill -9`.
    pub(super) async fn kill(&mut self) -> Result<()> {
        self.instance.kill().await
    }

    /// Starts it again after [`kill`](Self::kill), on another port.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.instance.restart().await
    }

    /// Starts another replica over the same stores, with these settings besides.
    pub(super) async fn start_replica(&self, settings: &[(&str, String)]) -> Result<Instance> {
        let settings = settings
            .iter()
            .fold(self.settings.clone(), |settings, (key, value)| {
                settings.with(key, value)
            });
        Instance::start(&self.binary, &settings, self.folder.path().join("replica")).await
    }

    /// Imports accounts with `revolve user import`.
    pub(super) async fn import(&self, rows: &str) -> Result<()> {
        let mut command = Command::new(self.binary.path());
        command
            .env_clear()
            .envs(self.settings.variables())
            .args(["user", "import", "-"]);
        process::pipe(&mut command, rows.as_bytes()).await.map(drop)
    }

    /// Memory in bytes: `VmRSS`, or `VmHWM` for the peak.
    pub(super) fn memory(&self, field: &str) -> Result<u64> {
        let pid = self.instance.pid().context("the service does not run")?;
        usage::memory(pid, field)
    }

    /// Stops it and what was started for it.
    pub(super) async fn stop(mut self) -> Result<()> {
        let stopped = self.instance.stop().await;
        if let Some(stores) = self.stores {
            stores.shut_down().await?;
        }
        stopped
    }
}
