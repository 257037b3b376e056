//! `cargo xtask sizing`: what a session and a user take in each store, and what a refresh costs, measured on this machine and written
//! into `docs/sizing.md`. The stores are local servers of its own on the loopback, whose processes can be weighed; the load is modest,
//! bounded, and stays on this machine.

mod cpu;
mod page;
mod space;
mod users;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use url::Url;

use crate::harness::{
    folders,
    interrupt::Interrupt,
    service::{Binary, Instance, Settings},
    stores::{self, Schema, StoreKind, Stores},
    windows::Windows,
};

/// How much is measured.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Users on Redis and Postgres, with a session each
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    users: u32,
    /// Users on the embedded store, with a session each
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=200_000))]
    embedded_users: u32,
    /// Seconds of refreshes for each figure
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// Print the figures and leave the page as it is
    #[arg(long)]
    print: bool,
}

/// All that was measured.
struct Figures {
    redis: space::Redis,
    postgres: space::Postgres,
    sqlite: space::Sqlite,
    costs: Vec<cpu::Cost>,
}

/// Everything that the measurements need.
struct Bench<'a> {
    args: &'a Args,
    binary: Binary,
    stores: &'a Stores,
    redis: Url,
    postgres: Url,
    folder: TempDir,
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let binary = Binary::build(true, interrupt).await?;
    let stores = Stores::start_own(&stores::Args { local: true }, interrupt).await?;
    let outcome = interrupt.guard(measure(args, binary, &stores)).await;
    stores.shut_down().await;
    let figures = outcome?;
    let text = page::figures(args, &figures);
    println!("{text}");
    if args.print {
        Ok(())
    } else {
        page::write(&folders::root()?.join("docs/sizing.md"), &text)
    }
}

async fn measure(args: &Args, binary: Binary, stores: &Stores) -> Result<Figures> {
    let url =
        |kind| -> Result<Url> { Ok(stores.get(kind).context("it was started")?.url().parse()?) };
    let folder = folders::temporary("sizing")?;
    let bench = Bench {
        args,
        binary,
        stores,
        redis: url(StoreKind::Redis)?,
        postgres: url(StoreKind::Postgres)?,
        folder,
    };
    let (redis, postgres) = space::server(&bench).await?;
    let sqlite = space::embedded(&bench).await?;
    let costs = cpu::refreshes(&bench).await?;
    Ok(Figures {
        redis,
        postgres,
        sqlite,
        costs,
    })
}

impl Bench<'_> {
    /// A service over Redis and Postgres, in a schema of its own.
    async fn service(&self, name: &str, algorithm: &str) -> Result<Instance> {
        let schema = Schema::create(&self.postgres, name.to_owned()).await?;
        let settings = settings()
            .server_without_key()?
            .with("TOKENS__ALGORITHM", algorithm)
            .stores(&self.redis, &schema.url());
        Instance::start(&self.binary, &settings, self.folder.path().join(name)).await
    }
}

/// Ordinary windows and lives, as in production; only hashes are cheap, since none is measured.
fn settings() -> Settings {
    Settings::new(&Windows::SHORT)
        .with("TOKENS__REFRESH_LIFETIME", "3days")
        .with("SESSIONS__RETRY_FREE", "10s")
}
