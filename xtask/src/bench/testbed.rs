//! What is measured: the stores, and the services and tools over them.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use tokio::process::Command;
use url::Url;

use super::{
    load::{LoadOrder, LoadProcess, LoadReport},
    run_size::RunSize,
};
use crate::harness::{
    folders, process,
    service::{Binary, Instance, Settings},
    statistics::float,
    stores::{Pooler, PostgresConnection, Schema, Store, StoreKind, Stores},
    usage,
};

/// A pooler's sessions of the server: as many as the service has connections.
const POOLED_SESSIONS: u32 = 16;
/// Connections at once, as in the goals.
pub(super) const CONNECTIONS: usize = 64;

/// Binaries and stores.
pub(super) struct Testbed<'a> {
    service: Arc<Binary>,
    tools: Binary,
    stores: &'a Stores,
    redis: Url,
    postgres: Url,
    folder: TempDir,
    pub(super) size: RunSize,
}

/// A server and the process that loads it.
pub(super) struct MeasuredServer {
    pub(super) name: String,
    pub(super) instance: Instance,
    pub(super) load: LoadProcess,
    /// What stands between it and Postgres.
    pooler: Option<Pooler>,
}

/// CPU time of a request in microseconds by process, and the report of the load. A pooler's counts as Postgres'.
pub(super) struct RequestCost {
    pub(super) service: f64,
    pub(super) redis: f64,
    pub(super) postgres: f64,
    pub(super) report: LoadReport,
}

impl RequestCost {
    /// By whom it was caused.
    pub(super) fn parts(&self) -> [(&'static str, f64); 3] {
        [
            ("service", self.service),
            ("redis", self.redis),
            ("postgres", self.postgres),
        ]
    }
}

impl<'a> Testbed<'a> {
    pub(super) fn new(
        service: Binary,
        tools: Binary,
        stores: &'a Stores,
        size: RunSize,
    ) -> Result<Self> {
        let url = |kind| -> Result<Url> {
            Ok(stores.get(kind).context("it was started")?.url().parse()?)
        };
        // Below the target folder and not in memory, so that commits reach a disk.
        let folder = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(folders::target()?)?;
        Ok(Self {
            service: Arc::new(service),
            tools,
            redis: url(StoreKind::Redis)?,
            postgres: url(StoreKind::Postgres)?,
            stores,
            folder,
            size,
        })
    }

    /// The URL of a Redis database.
    pub(super) fn redis(&self, database: u8) -> Url {
        let mut url = self.redis.clone();
        url.set_path(&format!("/{database}"));
        url
    }

    pub(super) fn service(&self) -> Arc<Binary> {
        Arc::clone(&self.service)
    }

    pub(super) fn tools(&self) -> &Binary {
        &self.tools
    }

    pub(super) fn postgres(&self) -> &Url {
        &self.postgres
    }

    /// Starts the service over Redis and Postgres, in a database and a schema of its own.
    pub(super) async fn start_server(
        &self,
        name: &str,
        database: u8,
        settings: Settings,
    ) -> Result<MeasuredServer> {
        let schema = Schema::create(&self.postgres, name.to_owned()).await?;
        let settings = settings
            .server_without_key()?
            .stores(&self.redis(database), &schema.url());
        self.measured(
            name,
            Instance::start(&self.service, &settings, self.home(name)).await?,
        )
    }

    /// Starts the service over Redis and, through a pooler in transaction mode, Postgres, in databases of its own; `None` if no
    /// pooler is installed.
    pub(super) async fn start_pooled(
        &self,
        name: &str,
        database: u8,
        settings: Settings,
    ) -> Result<Option<MeasuredServer>> {
        let Some(pooler) = Pooler::start(&self.postgres, POOLED_SESSIONS).await? else {
            eprintln!("{name}: left out, pgbouncer is not installed");
            return Ok(None);
        };
        let connection = PostgresConnection::open(&self.postgres).await?;
        connection
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await?;
        connection.close().await;
        let mut url = pooler.url().clone();
        url.set_path(name);
        let settings = settings
            .server_without_key()?
            .stores(&self.redis(database), &url);
        let instance = Instance::start(&self.service, &settings, self.home(name)).await?;
        let mut server = self.measured(name, instance)?;
        server.pooler = Some(pooler);
        Ok(Some(server))
    }

    /// Starts the service over the embedded store.
    pub(super) async fn start_embedded(
        &self,
        name: &str,
        settings: Settings,
    ) -> Result<MeasuredServer> {
        self.measured(
            name,
            Instance::start(&self.service, &settings, self.home(name)).await?,
        )
    }

    /// Starts a server of `revolve-bench`.
    pub(super) async fn start_tool(
        &self,
        name: &str,
        arguments: &[&str],
    ) -> Result<MeasuredServer> {
        let arguments = arguments
            .iter()
            .map(|&argument| argument.to_owned())
            .collect();
        let nothing = Settings::plain();
        self.measured(
            name,
            Instance::start_with(&self.tools, arguments, &nothing, self.home(name)).await?,
        )
    }

    /// Starts the replaced scheme over a Redis database of its own.
    pub(super) async fn start_baseline(
        &self,
        name: &str,
        database: u8,
        algorithm: &str,
    ) -> Result<MeasuredServer> {
        self.start_tool(
            name,
            &[
                "baseline",
                "--algorithm",
                algorithm,
                "--redis",
                self.redis(database).as_str(),
            ],
        )
        .await
    }

    fn measured(&self, name: &str, instance: Instance) -> Result<MeasuredServer> {
        let load = LoadProcess::start(&self.tools, instance.url())?;
        Ok(MeasuredServer {
            name: name.to_owned(),
            instance,
            load,
            pooler: None,
        })
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Measures the raw floors, or those of hashing.
    pub(super) async fn floors(
        &self,
        schema: &Url,
        hashing: bool,
    ) -> Result<BTreeMap<String, f64>> {
        let mut command = Command::new(self.tools.path());
        let seconds = if hashing {
            self.size.hashing
        } else {
            self.size.floor
        };
        command.args([
            "floors",
            "--seconds",
            &seconds.to_string(),
            "--redis",
            self.redis(0).as_str(),
        ]);
        command.arg("--folder").arg(self.folder.path());
        if hashing {
            command.arg("--hashing");
        }
        // Other users of the machine can read arguments, and the URL has a password.
        command
            .env_clear()
            .env("REVOLVE_BENCH_POSTGRES", schema.as_str())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let output = command.output().await.context("could not measure floors")?;
        ensure!(output.status.success(), "the floors can't be measured");
        serde_json::from_slice(&output.stdout).context("these are no floors")
    }

    /// Runs statements in the file of an embedded store.
    pub(super) async fn run_sqlite(&self, server: &MeasuredServer, statements: &str) -> Result<()> {
        let file = server.instance.home().join("data/revolve.sqlite3");
        let mut command = Command::new(self.tools.path());
        command.arg("sqlite").arg(file).env_clear();
        process::pipe(&mut command, statements.as_bytes())
            .await
            .map(drop)
    }

    /// Runs an order and measures the CPU time of the processes meanwhile.
    pub(super) async fn cost(
        &self,
        server: &mut MeasuredServer,
        order: LoadOrder,
    ) -> Result<RequestCost> {
        let mut pids = vec![
            server.pid()?,
            self.pid(StoreKind::Redis)?,
            self.pid(StoreKind::Postgres)?,
        ];
        pids.extend(server.pooler.as_ref().and_then(Pooler::pid));
        let used = || {
            pids.iter()
                .map(|pid| usage::cpu(*pid))
                .collect::<Result<Vec<_>>>()
        };
        let before = used()?;
        let report = server.run(order).await?;
        let after = used()?;
        let each = |which: usize| (after[which] - before[which]) * 1e6 / report.answered.max(1.0);
        Ok(RequestCost {
            service: each(0),
            redis: each(1),
            postgres: (2..pids.len()).map(each).sum(),
            report,
        })
    }

    pub(super) fn pid(&self, kind: StoreKind) -> Result<u32> {
        self.stores
            .get(kind)
            .and_then(Store::pid)
            .with_context(|| format!("{kind} does not run here"))
    }
}

impl MeasuredServer {
    /// Runs an order in which no request may fail.
    pub(super) async fn run(&mut self, order: LoadOrder) -> Result<LoadReport> {
        self.load
            .run(order)
            .await?
            .whole()
            .with_context(|| self.name.clone())
    }

    pub(super) fn pid(&self) -> Result<u32> {
        self.instance
            .pid()
            .with_context(|| format!("{} does not run", self.name))
    }

    /// Memory of the server in bytes: `VmRSS` and its parts, or `VmHWM` for the peak.
    pub(super) fn memory(&self, name: &str) -> Result<f64> {
        Ok(float(usage::memory(self.pid()?, name)?))
    }

    /// What it has while it does nothing, and what of that is its own or that of files, whose clean pages belong to the page cache.
    pub(super) fn idle_memory(&self) -> Result<[(&'static str, f64); 3]> {
        Ok([
            ("idle", self.memory("VmRSS")?),
            ("idle_anon", self.memory("RssAnon")?),
            ("idle_file", self.memory("RssFile")?),
        ])
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        self.instance.stop().await
    }
}

/// The defaults, except for what would only measure itself: cheap hashes where none is measured, limits that a thousand clients of one
/// address stay within, though they are counted, and timeouts for a busy machine.
pub(super) fn default_settings(algorithm: &str) -> Settings {
    let mut settings = Settings::plain()
        .with("TOKENS__ALGORITHM", algorithm)
        // Otherwise each sign-up orders a mail where the profile writes them as files.
        .with("ACCOUNTS__VERIFICATION", "off")
        .with("HASHING__MEMORY_KIB", "64")
        .with("HASHING__PASSES", "1")
        .with("HASHING__PATIENCE", "1m")
        .with("REDIS__TIMEOUT", "5s")
        .with("POSTGRES__TIMEOUT", "5s");
    for limit in [
        "PASSWORD_PER_ACCOUNT",
        "PASSWORD_PER_ADDRESS",
        "PASSWORD_PER_DEVICE",
        "SIGN_UP_PER_ACCOUNT",
        "SIGN_UP_PER_ADDRESS",
        "PROOFS_PER_ACCOUNT",
        "PROOFS_PER_ADDRESS",
        "CONFIRMATIONS_PER_ADDRESS",
        "REFRESH_PER_SESSION",
        "REFRESH_PER_ADDRESS",
    ] {
        settings = settings.with(&format!("LIMITS__{limit}"), "1000000/1s");
    }
    settings
}
