//! All stores of one run, started together and taken down together.

use std::time::Instant;

use anyhow::Result;
use tokio::process::Command;

use super::{
    Args, Kind, Server, Store,
    certificates::Certificates,
    engine,
    group::{Group, Plan},
};
use crate::harness::interrupt::{Interrupt, Interrupted};

/// All stores of a run, and what could not be had.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    pub(crate) running: Vec<Store>,
    groups: Vec<Group>,
    certificates: Option<Certificates>,
    /// What else the tests read from the environment.
    variables: Vec<(&'static str, String)>,
    skipped: Vec<String>,
}

impl Stores {
    /// Starts both stores. With `allow_skip` a store that can't be reached is left out and named.
    pub(crate) async fn start(
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        Self::start_some(&Kind::ALL, args, allow_skip, interrupt).await
    }

    /// Starts both stores afresh, whatever the environment offers: for what weighs them.
    pub(crate) async fn start_own(args: &Args, interrupt: &Interrupt) -> Result<Self> {
        let mut stores = Self::default();
        for kind in Kind::ALL {
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

    /// One of them.
    pub(crate) fn get(&self, kind: Kind) -> Option<&Store> {
        self.running.iter().find(|store| store.kind == kind)
    }

    /// Starts what all tests need: both stores, and again over TLS. With `cluster`, a Redis Cluster takes the place of the one Redis, and
    /// there are servers with replicas for the tests that end some.
    pub(crate) async fn for_tests(
        args: &Args,
        cluster: bool,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Self> {
        let kinds: &[Kind] = if cluster {
            &[Kind::Postgres]
        } else {
            &Kind::ALL
        };
        let mut stores = Self::start_some(kinds, args, allow_skip, interrupt).await?;
        let more = async {
            stores.start_tls(args, allow_skip, interrupt).await?;
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
        let (mut redis, mut postgres) = (Plan::redis_tls(), Plan::postgres_tls());
        redis.files = certificates.for_server();
        postgres.files = certificates.for_server();
        let password = crate::secrets::random()?;
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

    async fn start_replicated(&mut self, args: &Args, interrupt: &Interrupt) -> Result<()> {
        let password = crate::secrets::random()?;
        let mut postgres = Plan::postgres_replica();
        postgres.files.push(("password", password.clone()));
        for (plan, hosts, variable) in [
            (Plan::cluster(), 0..3, "REVOLVE_TEST_REDIS_URL"),
            (
                Plan::failover_cluster(),
                0..6,
                "REVOLVE_TEST_REDIS_FAILOVER_CLUSTER_URL",
            ),
            (Plan::sentinels(), 2..5, "REVOLVE_TEST_REDIS_SENTINEL_URL"),
            (postgres, 0..2, "REVOLVE_TEST_POSTGRES_REPLICA_URL"),
        ] {
            let Some(group) = self.group(&plan, args, false, interrupt).await? else {
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

    /// Starts a group; none if it can't be had and that is allowed.
    async fn group(
        &mut self,
        plan: &Plan,
        args: &Args,
        allow_skip: bool,
        interrupt: &Interrupt,
    ) -> Result<Option<Group>> {
        let begun = Instant::now();
        match interrupt.guard(Group::start(plan, args)).await {
            Ok(group) => {
                eprintln!("{group}, ready in {:.1} s", begun.elapsed().as_secs_f64());
                Ok(Some(group))
            }
            Err(error) if allow_skip && !error.is::<Interrupted>() => {
                let skipped = format!("{}: SKIPPED: {error:#}", plan.name);
                eprintln!("{skipped}");
                self.skipped.push(skipped);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn start_some(
        kinds: &[Kind],
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

    /// How a store is reached, if it is there.
    pub(crate) fn url(&self, kind: Kind) -> Option<&str> {
        self.running
            .iter()
            .find(|store| store.kind == kind)
            .map(Store::url)
    }

    /// Prints a line per store: which, and how it is reached.
    pub(crate) fn report(&self) {
        for store in &self.running {
            eprintln!("{store}");
        }
        for group in &self.groups {
            eprintln!("{group}");
        }
        for skipped in &self.skipped {
            eprintln!("{skipped}");
        }
    }

    /// Gives the URLs to a command by its environment.
    pub(crate) fn export(&self, command: &mut Command) {
        for store in &self.running {
            command.env(store.kind.url_variable(), &store.url);
        }
        // Of another run, or of somebody's shell, and no more than half of what belongs together.
        command.env_remove("REVOLVE_TEST_REDIS_MODE");
        for (name, value) in &self.variables {
            command.env(name, value);
        }
    }

    /// Takes everything down that this run has started, also what was only half started.
    pub(crate) async fn shut_down(self) {
        for store in self.running {
            if let Server::Local(mut server) = store.server
                && let Err(error) = server.stop().await
            {
                eprintln!("{}: {error:#}", store.kind);
            }
        }
        drop(self.groups);
        engine::remove_all().await;
    }
}
