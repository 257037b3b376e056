//! Raw floors: what the parts of a request cost on this machine when nothing else is done, with the libraries that the service uses;
//! and what the service makes of the check of a passkey's signature.

mod hashes;
mod passkeys;
mod postgres;
mod redis;
mod signatures;
mod sqlite;

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use rustix::time::{ClockId, clock_gettime};

/// Where Postgres is: not among the arguments, which anybody can read.
const POSTGRES: &str = "REVOLVE_BENCH_POSTGRES";

/// Arguments of `floors`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seconds for each figure
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// `redis://…`
    #[arg(long)]
    redis: String,
    /// A folder on the disk whose commits are measured
    #[arg(long)]
    folder: PathBuf,
    /// Hashes only, which are left out otherwise
    #[arg(long)]
    hashing: bool,
}

/// Figures by name: CPU time in microseconds, or `…_per_second`.
type Figures = BTreeMap<String, f64>;

pub(crate) fn run(args: &Args) -> Result<()> {
    let lasts = Duration::from_secs_f64(args.seconds);
    let mut figures = Figures::new();
    if args.hashing {
        hashes::measure(&mut figures, lasts)?;
    } else {
        measure(args, &mut figures, lasts)?;
    }
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

fn measure(args: &Args, figures: &mut Figures, lasts: Duration) -> Result<()> {
    signatures::measure(figures, lasts / 10)?;
    passkeys::measure(figures, lasts / 5)?;
    sqlite::measure(figures, &args.folder, lasts)?;
    // As many threads as the service has.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        redis::measure(figures, &args.redis, lasts).await?;
        let postgres = std::env::var(POSTGRES).with_context(|| {
            format!("{POSTGRES} is to be postgres://…, with a schema to write into")
        })?;
        postgres::measure(figures, &postgres, lasts).await
    })
}

/// CPU time that this process has used.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

/// What something done again and again for so long costs: microseconds of CPU time each.
fn each<T>(lasts: Duration, mut work: impl FnMut() -> Result<T>) -> Result<f64> {
    black_box(work()?);
    let (begun, before) = (Instant::now(), cpu());
    let mut count = 0_u32;
    while begun.elapsed() < lasts || count == 0 {
        for _ in 0..8 {
            // The compiler must not leave out what nobody looks at.
            black_box(work()?);
        }
        count += 8;
    }
    Ok(micros(cpu().saturating_sub(before), count))
}

fn micros(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count.max(1))
}
