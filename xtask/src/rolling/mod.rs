//! `cargo xtask rolling`: restarts two replicas over Redis and Postgres one after the other, again and again, under load that follows
//! `/health/ready`. No request may fail.

mod balancer;
mod load;

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use self::{balancer::Balancer, load::Load};
use crate::harness::{
    folders,
    interrupt::Interrupt,
    service::{Binary, Instance, Settings},
    stores::{self, ServerStores},
    windows::Windows,
};

/// A replica serves for so long after SIGTERM: several health checks of the balancer.
const DRAIN: &str = "2s";
/// A replica that has started is ready within this.
const READY: Duration = Duration::from_secs(20);

pub(crate) const REPLICAS: usize = 2;

/// How much load, and how many restarts.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Requests at least
    #[arg(long, default_value_t = 10_000)]
    pub(crate) requests: u64,
    /// Clients at once, each with a session of its own
    #[arg(long, default_value_t = 16)]
    pub(crate) clients: usize,
    /// Restarts of each replica at least
    #[arg(long, default_value_t = 3)]
    pub(crate) restarts: usize,
    /// Build the service with optimizations
    #[arg(long)]
    pub(crate) release: bool,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    eprintln!("building the service");
    let binary = Binary::build(args.release, interrupt).await?;
    let stores = ServerStores::start(&args.stores, "rolling", interrupt).await?;
    let outcome = async {
        let settings = Settings::new(&Windows::SHORT)
            .server()
            .await?
            .stores(stores.redis(), &stores.postgres());
        Box::pin(interrupt.guard(roll(args, &binary, &drained(settings)))).await
    };
    let outcome = outcome.await;
    let stopped = stores.shut_down().await;
    outcome.and(stopped)
}

async fn roll(args: &Args, binary: &Binary, settings: &Settings) -> Result<()> {
    let Rolled {
        restarts,
        requests,
        failed,
        log,
        took,
    } = restarts(args, binary, settings, |line| eprintln!("{line}")).await?;
    println!("replicas  restarts  clients  requests  failed  seconds");
    println!(
        "{REPLICAS:>8}  {restarts:>8}  {:>7}  {requests:>8}  {:>6}  {:>7.1}",
        args.clients,
        failed.len(),
        took.as_secs_f64()
    );
    for failure in failed.iter().take(10) {
        println!("  {failure}");
    }
    for line in log {
        println!("  log: {line}");
    }
    ensure!(
        failed.is_empty(),
        "{} of {requests} requests failed",
        failed.len()
    );
    Ok(())
}

/// Settings for orderly stops under load, with the default for free retries.
pub(crate) fn drained(settings: Settings) -> Settings {
    settings
        .with("LOG__LEVEL", "warn,revolve::access=off")
        .with("HTTP__DRAIN_DELAY", DRAIN)
        .with("SESSIONS__RETRY_FREE", "10s")
        .with("HTTP__SHUTDOWN_TIMEOUT", "10s")
}

/// What the restarts led to.
pub(crate) struct Rolled {
    pub(crate) restarts: usize,
    pub(crate) requests: u64,
    pub(crate) failed: Vec<String>,
    /// The replicas' last log lines, if something failed.
    pub(crate) log: Vec<String>,
    pub(crate) took: Duration,
}

/// Restarts the replicas under load; `tell` is called after each restart.
pub(crate) async fn restarts(
    args: &Args,
    binary: &Binary,
    settings: &Settings,
    tell: impl Fn(&str),
) -> Result<Rolled> {
    let folder = folders::temporary("rolling")?;
    let mut replicas = Vec::new();
    for number in 0..REPLICAS {
        replicas
            .push(Instance::start(binary, settings, folder.path().join(number.to_string())).await?);
    }
    let balancer = Balancer::start(
        replicas
            .iter()
            .map(|replica| replica.url().to_owned())
            .collect(),
    )?;
    for slot in 0..replicas.len() {
        balancer.ready(slot, READY).await?;
    }
    let load = Load::start(balancer, args.clients).await?;
    let (begun, mut restarts) = (Instant::now(), 0);
    while restarts < args.restarts || load.requests() < args.requests {
        ensure!(
            load.failures() < 1000,
            "a thousand requests failed, the first: {}",
            load.first_failure()
        );
        for (slot, replica) in replicas.iter_mut().enumerate() {
            replica.stop().await?;
            replica.restart().await?;
            load.balancer().moved(slot, replica.url().to_owned());
            load.balancer().ready(slot, READY).await?;
            // The other one stops only after this one has served.
            load.next_hundred().await;
        }
        restarts += 1;
        tell(&format!(
            "{restarts} restarts of each replica, {} requests, {} failed",
            load.requests(),
            load.failures()
        ));
    }
    let took = begun.elapsed();
    let (requests, failed) = load.stop().await;
    let log = if failed.is_empty() {
        Vec::new()
    } else {
        replicas.iter().flat_map(Instance::last_log_lines).collect()
    };
    for replica in &mut replicas {
        replica.stop().await?;
    }
    Ok(Rolled {
        restarts,
        requests,
        failed,
        log,
        took,
    })
}
