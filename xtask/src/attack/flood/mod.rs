//! `attack flood`: so many clients sign in without end, while others refresh at a fixed rate, as they did before and do after it.

mod sign_ins;

use std::{sync::Arc, time::Duration};

use anyhow::Result;

use super::{
    goals::{Goals, percentile},
    honest_refreshes::Probe,
    target::{self, Target},
};
use crate::harness::{interrupt::Interrupt, service::Binary};
use sign_ins::{Clients, Tally};

const MIB: u64 = 1 << 20;
/// What the service may take beyond what it had idle and the budget.
const SLACK: u64 = 64 * MIB;
/// How much slower the slowest hundredth of refreshes may be.
const SLOWER: f64 = 3.0;
/// For the queue to fill before it counts.
const RAMP: Duration = Duration::from_secs(3);

/// Arguments of `attack flood`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// So long the flood lasts, and so long it is quiet for comparison
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Sign-ins at once
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// Who was turned away tries again after this, whatever the service says
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1s")]
    pause: Duration,
    /// Refreshes per second
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// `hashing.memory_budget` in MiB
    #[arg(long, default_value_t = 64)]
    budget: u64,
    /// `hashing.nice`
    #[arg(long, default_value_t = 10)]
    nice: u8,
    /// `hashing.threads`; as the service chooses if it is left out
    #[arg(long)]
    threads: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    target: target::Args,
}

/// How a refresh fares, and how much more slowly under a flood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refreshes {
    /// The slowest hundredth while it is quiet, in milliseconds.
    pub(crate) quiet: f64,
    /// The same under the flood.
    pub(crate) flooded: f64,
}

/// The flood of so many seconds with everything else as usual, over the embedded store, without judging it.
pub(crate) async fn refreshes(
    service: Arc<Binary>,
    seconds: u64,
    interrupt: &Interrupt,
) -> Result<Refreshes> {
    let args = Args {
        seconds,
        clients: 1000,
        pause: Duration::from_secs(1),
        rate: 100,
        budget: 64,
        nice: 10,
        threads: None,
        target: target::Args::default(),
    };
    let (_, (quiet, flooded, _)) = measure(service, &args, interrupt).await?;
    let p99 = |times: &[Duration]| percentile(&sorted(times), 0.99).as_secs_f64() * 1000.0;
    Ok(Refreshes {
        quiet: p99(&quiet),
        flooded: p99(&flooded),
    })
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<Goals> {
    let service = Arc::new(Binary::build(!args.target.debug, interrupt).await?);
    let ((name, idle, peak), (quiet, flooded, tally)) = measure(service, args, interrupt).await?;
    Ok(judge(args, name, (idle, peak), (&quiet, &flooded), &tally))
}

/// The target's name, its memory idle and at most, and what the attack found.
type Found = (
    (&'static str, u64, u64),
    (Vec<Duration>, Vec<Duration>, Tally),
);

async fn measure(service: Arc<Binary>, args: &Args, interrupt: &Interrupt) -> Result<Found> {
    let mut settings = vec![
        ("HASHING__MEMORY_BUDGET", format!("{}MiB", args.budget)),
        ("HASHING__NICE", args.nice.to_string()),
    ];
    settings.extend(
        args.threads
            .map(|threads| ("HASHING__THREADS", threads.to_string())),
    );
    let target = Target::start_built(service, &args.target, &settings, interrupt).await?;
    let idle = target.memory("VmRSS")?;
    let attack = interrupt.guard(attack(args, &target)).await;
    let (peak, name) = (target.memory("VmHWM"), target.name);
    target.stop().await?;
    Ok(((name, idle, peak?), attack?))
}

fn sorted(times: &[Duration]) -> Vec<Duration> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times
}

/// Latencies of refreshes, quiet and under the flood, and what became of the sign-ins.
async fn attack(args: &Args, target: &Target) -> Result<(Vec<Duration>, Vec<Duration>, Tally)> {
    let address = target.address();
    let half = Duration::from_secs(args.seconds) / 2;
    let mut probe = Probe::sign_up(&address, args.rate).await?;
    probe.run(Duration::from_secs(1)).await?;
    let mut quiet = probe.run(half).await?;
    let clients = Clients::start(&address, args.clients, args.pause);
    tokio::time::sleep(RAMP).await;
    let flooded = probe.run(half * 2).await?;
    let tally = clients.stop().await?;
    // What is in the queue yet is worked off.
    probe.run(RAMP * 2).await?;
    quiet.extend(probe.run(half).await?);
    Ok((quiet, flooded, tally))
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn judge(
    args: &Args,
    name: &str,
    (idle, peak): (u64, u64),
    (quiet, flooded): (&[Duration], &[Duration]),
    tally: &Tally,
) -> Goals {
    let (quiet, flooded) = (sorted(quiet), sorted(flooded));
    let mut goals = Goals::default();
    goals.note(format!(
        "flood of {} clients for {} s, {name}; hashing.nice = {}",
        args.clients, args.seconds, args.nice
    ));
    goals.note(format!("  sign-ins     {tally}"));
    for (when, times) in [("quiet", &quiet), ("flood", &flooded)] {
        let at = |part| percentile(times, part).as_secs_f64() * 1000.0;
        let shown = format!(
            "p50 {:>7.2} ms   p99 {:>7.2} ms   p99.9 {:>7.2} ms",
            at(0.5),
            at(0.99),
            at(0.999)
        );
        goals.note(format!(
            "  refresh, {when}  {:>6} at {}/s   {shown}",
            times.len(),
            args.rate
        ));
    }
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB as f64);
    goals.note(format!(
        "  memory       idle {}   budget {}   peak {}",
        mib(idle),
        mib(args.budget * MIB),
        mib(peak)
    ));

    let most = idle + args.budget * MIB + SLACK;
    goals.add(
        "peak memory: idle + budget + 64 MiB",
        mib(most),
        mib(peak),
        peak <= most,
    );
    goals.add(
        "sign-ins that were neither hashed nor honestly refused",
        "0",
        tally.others().to_string(),
        tally.others() == 0,
    );
    goals.add(
        "hashes that were computed all the same",
        "at least 1",
        tally.hashed.to_string(),
        tally.hashed > 0,
    );
    let ratio = percentile(&flooded, 0.99).as_secs_f64() / percentile(&quiet, 0.99).as_secs_f64();
    goals.add(
        "p99 of refresh under the flood, by its quiet p99",
        format!("{SLOWER:.1}"),
        format!("{ratio:.2}"),
        ratio <= SLOWER,
    );
    goals
}
