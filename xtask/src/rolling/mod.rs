//! `cargo xtask rolling`: restarts two replicas over Redis and Postgres one after the other, again and again, under load that comes
//! through a balancer which follows `/health/ready`. Not one request may fail.

mod balancer;
mod load;

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::time::Instant;
use url::Url;

use self::{balancer::Balancer, load::Load};
use crate::harness::{
    interrupt::Interrupt,
    service::{Binary, Instance, Settings},
    stores::{self, Store, Stores, schema::Schema},
    windows::Windows,
};

/// A replica serves for so long after SIGTERM: several of the balancer's looks.
const DRAIN: &str = "2s";
/// A replica that has started must be found ready within this.
const READY: Duration = Duration::from_secs(20);

pub(crate) const REPLICAS: usize = 2;

/// How much of it.
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
    /// The service as it is released; without it, as it is developed
    #[arg(long)]
    pub(crate) release: bool,
    #[command(flatten)]
    pub(crate) stores: stores::Args,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            requests: 10_000,
            clients: 16,
            restarts: 3,
            release: false,
            stores: stores::Args { local: false },
        }
    }
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    eprintln!("building the service");
    let binary = Binary::build(args.release, interrupt).await?;
    let stores = Stores::start(&args.stores, false, interrupt).await?;
    let outcome = over(args, &binary, &stores, interrupt).await;
    stores.shut_down().await;
    outcome
}

async fn over(args: &Args, binary: &Binary, stores: &Stores, interrupt: &Interrupt) -> Result<()> {
    let url = |scheme: &str| -> Result<Url> {
        let found = stores
            .running
            .iter()
            .map(Store::url)
            .find(|url| url.starts_with(scheme));
        found
            .with_context(|| format!("{scheme} was not started"))?
            .parse()
            .with_context(|| format!("the URL of {scheme} is none"))
    };
    let (redis, postgres) = (url("redis")?, url("postgres")?);
    let nonce: String = crate::secrets::random()?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let schema = Schema::create(&postgres, format!("rolling_{}", nonce.to_lowercase())).await?;
    let settings = Settings::new(&Windows::SHORT)
        .server()
        .await?
        .stores(&redis, &schema.url());
    // Windows as they are by default: what is restarted here is the service, not time.
    let settings = drained(settings);
    let outcome = Box::pin(interrupt.guard(roll(args, binary, &settings))).await;
    let removed = schema.remove().await;
    outcome.and(removed)
}

async fn roll(args: &Args, binary: &Binary, settings: &Settings) -> Result<()> {
    let Rolled {
        restarts,
        requests,
        failed,
        complaints,
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
    for line in complaints {
        println!("  log: {line}");
    }
    ensure!(
        failed.is_empty(),
        "{} of {requests} requests failed",
        failed.len()
    );
    Ok(())
}

/// Stops in order, and the windows as they are by default.
pub(crate) fn drained(settings: Settings) -> Settings {
    settings
        .with("LOG__LEVEL", "warn,revolve::access=off")
        .with("HTTP__DRAIN_DELAY", DRAIN)
        .with("SESSIONS__RETRY_FREE", "10s")
        .with("HTTP__SHUTDOWN_TIMEOUT", "10s")
}

/// What came of it.
pub(crate) struct Rolled {
    pub(crate) restarts: usize,
    pub(crate) requests: u64,
    pub(crate) failed: Vec<String>,
    /// What the replicas said, if something failed.
    pub(crate) complaints: Vec<String>,
    pub(crate) took: Duration,
}

/// The restarts, each told as it is done.
pub(crate) async fn restarts(
    args: &Args,
    binary: &Binary,
    settings: &Settings,
    tell: impl Fn(&str),
) -> Result<Rolled> {
    let folder = tempfile::Builder::new()
        .prefix("revolve-rolling-")
        .tempdir()
        .context("could not make a temporary directory")?;
    let mut replicas = Vec::new();
    for number in 0..REPLICAS {
        replicas
            .push(Instance::start(binary, settings, folder.path().join(number.to_string())).await?);
    }
    let balancer = Arc::new(Balancer::start(
        replicas
            .iter()
            .map(|replica| replica.url().to_owned())
            .collect(),
    )?);
    for slot in 0..replicas.len() {
        balancer.ready(slot, READY).await?;
    }
    let load = Load::start(&balancer, args.clients).await?;
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
            balancer.moved(slot, replica.url().to_owned());
            balancer.ready(slot, READY).await?;
            // The other one goes only after this one has had work.
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
    let complaints = if failed.is_empty() {
        Vec::new()
    } else {
        replicas.iter().flat_map(Instance::complaints).collect()
    };
    for replica in &mut replicas {
        replica.stop().await?;
    }
    Ok(Rolled {
        restarts,
        requests,
        failed,
        complaints,
        took,
    })
}
