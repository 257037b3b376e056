//! All stores of one run, started and stopped together.

use std::time::Instant;

use anyhow::{Result, bail};
use tokio::process::Command;

use super::{
    certificates::Certificates,
    engine,
    group::{Group, GroupSpec},
    kind::StoreKind,
    pooler::Pooler,
    store::{Args, Store},
};
use crate::harness::{
    interrupt::{Interrupt, Interrupted},
    random,
};

/// The pooler's sessions of the server for each database: fewer than two replicas have connections, so that they take turns.
const SESSIONS: u32 = 3;

/// Which stores the tests of a run use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One Redis and one Postgres.
    Single,
    /// A Redis Cluster takes the place of the one Redis, and there are servers with replicas for the tests that end some.
    Cluster,
    /// A pooler takes the place of Postgres.
    Pooler,
}

/// All stores of a run, and those that could not be started.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    pub(crate) running: Vec<Store>,
    groups: Vec<Group>,
    pooler: Option<Pooler>,
    certificates: Option<Certificates>,
    /// Further environment variables for the tests.
    variables: Vec<(&'static str, String)>,
    skipped: Vec<String>,
}

impl Stores {
    /// Starts both stores. With `allow_skip` a store that can't be reached is skipped and named.
    pub(crate) async fn start(
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        Self::start_some(&StoreKind::ALL, args, allow_skip, interrupt).await
    }

    /// Starts both stores, whatever the environment names: for measurements.
    pub(crate) async fn start_own(args: &Args, interrupt: &Interrupt) -> Result<Self> {
        let mut stores = Self::default();
        for kind in StoreKind::ALL {
            match interrupt.guard(Store::start_own(kind, args)).await {
                Ok(store) => stores.running.push(store),
                Err(error) => {
                    stores.shut_down().await;
                    return Err(error);
                }
            }
        }
        Ok(stores)
    }

    pub(crate) fn get(&self, kind: StoreKind) -> Option<&Store> {
        self.running.iter().find(|store| store.kind() == kind)
    }

    /// Starts what the tests need: both stores, both again over TLS, and a pooler in front of Postgres.
    pub(crate) async fn for_tests(
        args: &Args,
        layout: Layout,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        // Tests cut connections by proxies; none ends a server of these.
        let args = &Args {
            in_memory: true,
            ..args.clone()
        };
        let cluster = layout == Layout::Cluster;
        let kinds: &[StoreKind] = if cluster {
            &[StoreKind::Postgres]
        } else {
            &StoreKind::ALL
        };
        let mut stores = Self::start_some(kinds, args, allow_skip, interrupt).await?;
        let more = async {
            stores.start_tls(args, allow_skip, interrupt).await?;
            stores.start_pooler(layout, interrupt).await?;
            if cluster {
                stores.start_replicated(args, interrupt).await
            } else {
                Ok(())
            }
        };
        match more.await {
            Ok(()) => Ok(stores),
            Err(error) => {
                stores.shut_down().await;
                Err(error)
            }
        }
    }

    async fn start_tls(
        &mut self,
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let certificates = Certificates::make()?;
        let (mut redis, mut postgres) = (GroupSpec::redis_tls(), GroupSpec::postgres_tls());
        redis.files = certificates.for_server();
        postgres.files = certificates.for_server();
        let password = random::key()?;
        postgres.files.push(("password", password.clone()));
        if let Some(redis) = self.group(&redis, args, allow_skip, interrupt).await? {
            self.variables.push((
                "REVOLVE_TEST_REDIS_PLAIN_URL",
                format!("redis://localhost:{}/", redis.port(0)),
            ));
            self.variables.push((
                "REVOLVE_TEST_REDIS_TLS_URL",
                format!("rediss://localhost:{}/", redis.port(1)),
            ));
            self.variables.push((
                "REVOLVE_TEST_REDIS_MUTUAL_TLS_URL",
                format!("rediss://localhost:{}/", redis.port(2)),
            ));
            self.groups.push(redis);
        }
        if let Some(postgres) = self.group(&postgres, args, allow_skip, interrupt).await? {
            let url = format!(
                "postgres://revolve:{password}@localhost:{}/postgres",
                postgres.port(0)
            );
            self.variables.push(("REVOLVE_TEST_POSTGRES_TLS_URL", url));
            self.groups.push(postgres);
        }
        self.variables.push((
            "REVOLVE_TEST_TLS_DIR",
            certificates.folder().display().to_string(),
        ));
        self.certificates = Some(certificates);
        Ok(())
    }

    /// Starts a PgBouncer. Without one the tests that need it are left out, unless all tests are meant to go through it.
    async fn start_pooler(&mut self, layout: Layout, interrupt: &Interrupt) -> Result<()> {
        const URL: &str = "REVOLVE_TEST_POSTGRES_POOLER_URL";
        let begun = Instant::now();
        let Some(postgres) = self.url(StoreKind::Postgres) else {
            return Ok(());
        };
        let pooler = interrupt
            .guard(Pooler::start(&postgres.parse()?, SESSIONS))
            .await?;
        let Some(pooler) = pooler else {
            const MISSING: &str = "pgbouncer is not installed; install it by hand";
            if layout == Layout::Pooler {
                bail!(MISSING);
            }
            let skipped = format!("pooler: SKIPPED: {MISSING}");
            eprintln!("{skipped}");
            self.skipped.push(skipped);
            self.variables.push((URL, String::new()));
            return Ok(());
        };
        eprintln!("{pooler}, ready in {:.1} s", begun.elapsed().as_secs_f64());
        self.variables.push((URL, pooler.url().to_string()));
        if layout == Layout::Pooler {
            self.variables
                .push(("REVOLVE_TEST_POSTGRES_MODE", "pooler".to_owned()));
        }
        self.pooler = Some(pooler);
        Ok(())
    }

    async fn start_replicated(&mut self, args: &Args, interrupt: &Interrupt) -> Result<()> {
        let password = random::key()?;
        let mut postgres = GroupSpec::postgres_replica();
        postgres.files.push(("password", password.clone()));
        for (spec, hosts, variable) in [
            (GroupSpec::cluster(), 0..3, "REVOLVE_TEST_REDIS_URL"),
            (
                GroupSpec::failover_cluster(),
                0..6,
                "REVOLVE_TEST_REDIS_FAILOVER_CLUSTER_URL",
            ),
            (
                GroupSpec::sentinels(),
                2..5,
                "REVOLVE_TEST_REDIS_SENTINEL_URL",
            ),
            (postgres, 0..2, "REVOLVE_TEST_POSTGRES_REPLICA_URL"),
        ] {
            let Some(group) = self.group(&spec, args, false, interrupt).await? else {
                continue;
            };
            let hosts = group.addresses(hosts);
            let url = match variable {
                "REVOLVE_TEST_REDIS_SENTINEL_URL" => format!("redis://:data@{hosts}/"),
                "REVOLVE_TEST_POSTGRES_REPLICA_URL" => {
                    format!("postgres://revolve:{password}@{hosts}/postgres")
                }
                _ => format!("redis://{hosts}/"),
            };
            self.variables.push((variable, url));
            self.groups.push(group);
        }
        self.variables
            .push(("REVOLVE_TEST_REDIS_MODE", "cluster".to_owned()));
        Ok(())
    }

    /// Starts a group; none if it can't be started and `allow_skip` is given.
    async fn group(
        &mut self,
        spec: &GroupSpec,
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Option<Group>> {
        let begun = Instant::now();
        match interrupt.guard(Group::start(spec, args)).await {
            Ok(group) => {
                eprintln!("{group}, ready in {:.1} s", begun.elapsed().as_secs_f64());
                Ok(Some(group))
            }
            Err(error) if allow_skip && !error.is::<Interrupted>() => {
                let skipped = format!("{}: SKIPPED: {error:#}", spec.name);
                eprintln!("{skipped}");
                self.skipped.push(skipped);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn start_some(
        kinds: &[StoreKind],
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let mut stores = Self::default();
        for kind in kinds.iter().copied() {
            let begun = Instant::now();
            match interrupt.guard(Store::start(kind, args)).await {
                Ok(store) => {
                    eprintln!("{store}, ready in {:.1} s", begun.elapsed().as_secs_f64());
                    stores.running.push(store);
                }
                Err(error) if allow_skip && !error.is::<Interrupted>() => {
                    let skipped = format!("{kind}: SKIPPED: {error:#}");
                    eprintln!("{skipped}");
                    stores.skipped.push(skipped);
                }
                Err(error) => {
                    stores.shut_down().await;
                    return Err(error);
                }
            }
        }
        Ok(stores)
    }

    pub(crate) fn url(&self, kind: StoreKind) -> Option<&str> {
        self.get(kind).map(Store::url)
    }

    /// Prints where each store is.
    pub(crate) fn report(&self) {
        for store in &self.running {
            eprintln!("{store}");
        }
        for group in &self.groups {
            eprintln!("{group}");
        }
        if let Some(pooler) = &self.pooler {
            eprintln!("{pooler}");
        }
        for skipped in &self.skipped {
            eprintln!("{skipped}");
        }
    }

    /// Sets the URLs in a command's environment.
    pub(crate) fn export(&self, command: &mut Command) {
        for store in &self.running {
            command.env(store.kind().url_variable(), store.url());
        }
        // They may be left over from a shell.
        command.env_remove("REVOLVE_TEST_REDIS_MODE");
        command.env_remove("REVOLVE_TEST_POSTGRES_MODE");
        for (name, value) in &self.variables {
            command.env(name, value);
        }
    }

    /// Stops everything that this run has started, also what was only half started.
    pub(crate) async fn shut_down(self) {
        drop(self.pooler);
        for store in self.running {
            store.shut_down().await;
        }
        drop(self.groups);
        engine::remove_all().await;
    }
}
