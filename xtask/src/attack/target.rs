//! The service under attack: a process of its own, over stores that are the run's own.

use std::{process::Stdio, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};
use url::Url;

use crate::{
    harness::{
        interrupt::Interrupt,
        service::{Binary, Instance, Settings},
        stores::{self, Kind, Stores, schema::Schema},
        usage,
    },
    secrets,
};

/// Where and what is attacked.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// Over Redis and Postgres, in place of the embedded store
    #[arg(long)]
    server: bool,
    /// A debug build of the service: to try the attack, not for figures
    #[arg(long)]
    pub(super) debug: bool,
    #[command(flatten)]
    stores: stores::Args,
}

/// A service that runs.
pub(super) struct Target {
    pub(super) name: &'static str,
    instance: Instance,
    binary: Arc<Binary>,
    settings: Settings,
    schema: Option<Schema>,
    stores: Option<Stores>,
    _folder: TempDir,
}

impl Target {
    /// Builds and starts it, with more configuration (`SECTION__KEY`).
    pub(super) async fn start(
        args: &Args,
        more: &[(&str, String)],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let binary = Arc::new(Binary::build(!args.debug, interrupt).await?);
        Self::start_built(binary, args, more, interrupt).await
    }

    /// Starts one that is built.
    pub(super) async fn start_built(
        binary: Arc<Binary>,
        args: &Args,
        more: &[(&str, String)],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("revolve-attack-")
            .tempdir()
            .context("could not make a temporary directory")?;
        // All of it comes from one address: limits would hide what these attacks are about.
        let settings = Settings::plain().with("LIMITS__ENABLED", "false");
        let mut settings = more
            .iter()
            .fold(settings, |settings, (key, value)| settings.with(key, value));
        let (mut stores, mut schema) = (None, None);
        if args.server {
            let running = Stores::start(&args.stores, false, interrupt).await?;
            let url = |kind: Kind| -> Result<Url> {
                Ok(running
                    .url(kind)
                    .with_context(|| format!("there is no {kind}"))?
                    .parse()?)
            };
            let (redis, postgres) = (url(Kind::Redis)?, url(Kind::Postgres)?);
            let own =
                Schema::create(&postgres, format!("attack_{:016x}", fastrand::u64(..))).await?;
            settings = settings
                .with("PROFILE", "server")
                .with("SECRETS__MASTER_KEY", &secrets::random()?);
            // What is left behind in a Redis that is not the run's own is soon gone.
            settings = settings
                .stores(&redis, &own.url())
                .with("TOKENS__REFRESH_LIFETIME", "1h");
            (stores, schema) = (Some(running), Some(own));
        } else {
            settings = settings.with(
                "DATA_DIR",
                &folder.path().join("data").display().to_string(),
            );
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
            schema,
            stores,
            _folder: folder,
        })
    }

    /// `host:port`
    pub(super) fn address(&self) -> String {
        self.instance.url().trim_start_matches("http://").to_owned()
    }

    /// Imports accounts, beside the service.
    pub(super) async fn import(&self, rows: &str) -> Result<()> {
        let mut command = Command::new(self.binary.path());
        command
            .env_clear()
            .envs(self.settings.variables())
            .args(["user", "import", "-"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("could not run the import")?;
        child
            .stdin
            .take()
            .context("the import has no input")?
            .write_all(rows.as_bytes())
            .await?;
        ensure!(child.wait().await?.success(), "the import failed");
        Ok(())
    }

    /// A size in bytes: `VmRSS`, or `VmHWM` for the most that there was.
    pub(super) fn memory(&self, name: &str) -> Result<u64> {
        usage::memory(
            self.instance.pid().context("the service does not run")?,
            name,
        )
    }

    /// Stops it, and takes down what was started for it.
    pub(super) async fn stop(mut self) -> Result<()> {
        let stopped = self.instance.stop().await;
        if let Some(schema) = self.schema {
            schema.remove().await?;
        }
        if let Some(stores) = self.stores {
            stores.shut_down().await;
        }
        stopped
    }
}
