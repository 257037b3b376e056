//! `attack flood`: clients that sign in without end, while honest users refresh at a fixed rate, as they did before and do after it.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::json;

use super::{
    goals::{AttackGoals, latencies},
    honest_users::HonestUsers,
    sign_in_flood::{FloodClients, SignInCounts, SignInFlood, sign_in},
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{args, interrupt::Interrupt, service::Binary, statistics::percentile};

const MIB: u64 = 1 << 20;
/// What the service may take beyond its idle memory and the budget.
const SLACK: u64 = 64 * MIB;
/// The p99 of refreshes may be so many times the quiet one.
const SLOWDOWN: f64 = 3.0;
/// For the queue to fill before it counts.
const RAMP: Duration = Duration::from_secs(3);

/// Arguments of `attack flood`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long the flood lasts, and how long the quiet time for comparison
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Sign-ins at once
    #[arg(long, default_value_t = 1000)]
    clients: usize,
    /// A refused client tries again after this, whatever Retry-After says
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
    /// `hashing.threads`; the service's default if omitted
    #[arg(long)]
    threads: Option<std::num::NonZeroUsize>,
    #[command(flatten)]
    target: TargetArgs,
}

/// What an attack measured. Latencies are sorted, memory is in bytes.
struct FloodFigures {
    target: &'static str,
    idle: u64,
    peak: u64,
    latencies: Latencies,
}

struct Latencies {
    quiet: Vec<Duration>,
    flooded: Vec<Duration>,
    sign_ins: SignInCounts,
}

/// The p99 of refreshes, quiet and under a flood of so many seconds with default settings over the embedded store.
pub(crate) async fn refreshes(
    service: Arc<Binary>,
    seconds: u64,
    interrupt: &Interrupt,
) -> Result<[Duration; 2]> {
    let args = Args {
        seconds,
        ..args::parse(&[])?
    };
    let Latencies { quiet, flooded, .. } = measure(service, &args, interrupt).await?.latencies;
    Ok([quiet, flooded].map(|times| percentile(&times, 990)))
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let service = Arc::new(args.target.binary(interrupt).await?);
    Ok(judge(args, &measure(service, args, interrupt).await?))
}

async fn measure(service: Arc<Binary>, args: &Args, interrupt: &Interrupt) -> Result<FloodFigures> {
    let mut settings = vec![
        ("HASHING__MEMORY_BUDGET", format!("{}MiB", args.budget)),
        ("HASHING__NICE", args.nice.to_string()),
    ];
    settings.extend(
        args.threads
            .map(|threads| ("HASHING__THREADS", threads.to_string())),
    );
    let target =
        ServiceUnderAttack::start_built(service, &args.target, &settings, interrupt).await?;
    let idle = target.memory("VmRSS")?;
    let attacked = interrupt.guard(attack(args, target.url())).await;
    let (peak, name) = (target.memory("VmHWM"), target.name);
    target.stop().await?;
    Ok(FloodFigures {
        target: name,
        idle,
        peak: peak?,
        latencies: attacked?,
    })
}

async fn attack(args: &Args, url: &str) -> Result<Latencies> {
    let half = Duration::from_secs(args.seconds) / 2;
    let mut users = HonestUsers::sign_up(url, args.rate).await?;
    users.run(Duration::from_secs(1)).await?;
    let mut quiet = users.run(half).await?;
    let unknown = url.to_owned();
    let unknown = move |number: u64| {
        let email = format!("flood-{number}@example.org");
        sign_in(
            &unknown,
            &json!({ "email": email, "password": "not the password" }),
        )
    };
    let clients = FloodClients {
        clients: args.clients,
        pause: args.pause,
        hang_up_after: None,
    };
    let flood = SignInFlood::start(url, clients, unknown);
    tokio::time::sleep(RAMP).await;
    let flooded = users.run(half * 2).await?;
    let sign_ins = flood.stop().await?;
    // Until the queue is empty.
    users.run(RAMP * 2).await?;
    quiet.extend(users.run(half).await?);
    quiet.sort_unstable();
    Ok(Latencies {
        quiet,
        flooded,
        sign_ins,
    })
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn judge(args: &Args, measured: &FloodFigures) -> AttackGoals {
    let FloodFigures {
        target,
        idle,
        peak,
        latencies:
            Latencies {
                quiet,
                flooded,
                sign_ins,
            },
    } = measured;
    let mut goals = AttackGoals::default();
    goals.note(format!(
        "flood of {} clients for {} s, {target}; hashing.nice = {}",
        args.clients, args.seconds, args.nice
    ));
    goals.note(format!("  sign-ins     {sign_ins}"));
    for (when, times) in [("quiet", quiet), ("flood", flooded)] {
        goals.note(format!(
            "  refresh, {when}  {:>6} at {}/s   {}",
            times.len(),
            args.rate,
            latencies(times)
        ));
    }
    let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / MIB as f64);
    goals.note(format!(
        "  memory       idle {}   budget {}   peak {}",
        mib(*idle),
        mib(args.budget * MIB),
        mib(*peak)
    ));

    let most = idle + args.budget * MIB + SLACK;
    goals.add(
        "peak memory: idle + budget + 64 MiB",
        mib(most),
        mib(*peak),
        *peak <= most,
    );
    goals.add(
        "sign-ins that were neither hashed nor honestly refused",
        "0",
        sign_ins.others().to_string(),
        sign_ins.others() == 0,
    );
    goals.add(
        "sign-ins that were hashed",
        "at least 1",
        sign_ins.hashed.to_string(),
        sign_ins.hashed > 0,
    );
    goals.add_slowdown(quiet, flooded, SLOWDOWN);
    goals
}
