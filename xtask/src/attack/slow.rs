//! `attack slow`: so many connections that drip a head or a body, while honest clients refresh as they did before and do after it.

mod client;
mod honest;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{
    interrupt::Interrupt,
    torture::{
        service::{Binary, Instance, Settings},
        windows::Windows,
    },
};
use client::{Kind, Outcome};

/// The service looks at its clock twice a second, and the machine is busy.
const GRACE: Duration = Duration::from_secs(1);
/// How much slower the slowest hundredth of honest requests may be.
const SLOWER: f64 = 2.0;
/// Other open files of this process.
const FILES: u64 = 512;

/// Arguments of `attack slow`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Slow connections at once; each that is cut off is opened again
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// So long the attack is measured, and so long it is quiet for comparison
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Between two pieces of a slow request
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1s")]
    drip: Duration,
    /// `http.request_timeout`
    #[arg(long, value_parser = humantime::parse_duration, default_value = "10s")]
    deadline: Duration,
    /// A debug build of the service: to try the attack, not for figures
    #[arg(long)]
    debug: bool,
}

/// What came out.
struct Figures {
    quiet: Vec<Duration>,
    attacked: Vec<Duration>,
    slow: BTreeMap<Kind, Vec<Outcome>>,
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let needed = u64::try_from(args.connections)? + FILES;
    let limit = rlimit::increase_nofile_limit(needed).context("the limit of open files is not known")?;
    ensure!(limit >= needed, "this process may open {limit} files and needs {needed}: raise `ulimit -n`");
    let binary = Binary::build(!args.debug, interrupt).await?;
    let folder = tempfile::Builder::new().prefix("revolve-attack-").tempdir().context("could not make a temporary directory")?;
    let settings = Settings::new(&Windows::SHORT).with("DATA_DIR", &folder.path().join("data").display().to_string());
    let settings = settings.with("HTTP__REQUEST_TIMEOUT", &humantime::format_duration(args.deadline).to_string());
    let mut instance = interrupt.guard(Instance::start(&binary, &settings, folder.path().to_owned())).await?;
    let figures = interrupt.guard(attack(args, instance.url())).await;
    instance.stop().await?;
    report(args, &figures?)
}

async fn attack(args: &Args, url: &str) -> Result<Figures> {
    let address = url.trim_start_matches("http://").to_owned();
    let half = Duration::from_secs(args.seconds) / 2;
    let mut honest = honest::Clients::sign_up(url).await?;
    honest.run(Duration::from_secs(2)).await?;
    let mut quiet = honest.run(half).await?;

    let (stop, stopped) = watch::channel(false);
    let mut slow = JoinSet::new();
    for number in 0..args.connections {
        let (address, stopped, drip) = (address.clone(), stopped.clone(), args.drip);
        slow.spawn(async move {
            // Not all at the same moment, neither now nor later.
            sleep(drip.mul_f64(fastrand::f64())).await;
            client::drip(&address, Kind::of(number), drip, stopped).await
        });
    }
    let attacked = async {
        honest.run(args.drip + Duration::from_secs(2)).await?;
        honest.run(half * 2).await
    };
    let attacked = attacked.await?;
    stop.send_replace(true);
    let mut outcomes: BTreeMap<Kind, Vec<Outcome>> = BTreeMap::new();
    while let Some(ended) = slow.join_next().await {
        let (kind, ended) = ended?;
        outcomes.entry(kind).or_default().extend(ended);
    }
    honest.run(Duration::from_secs(2)).await?;
    quiet.extend(honest.run(half).await?);
    Ok(Figures { quiet, attacked, slow: outcomes })
}

/// The sample that so much of all is at most, by the nearest rank.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a rank")]
fn percentile(samples: &[Duration], part: f64) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

fn report(args: &Args, figures: &Figures) -> Result<()> {
    let most = args.deadline + GRACE;
    println!("{} slow connections for {} s, cut off after {:?}", args.connections, args.seconds, args.deadline);
    let (mut late, mut all) = (0, 0);
    for (kind, outcomes) in &figures.slow {
        let lived: Vec<Duration> = outcomes.iter().map(|outcome| outcome.lived).collect();
        let answered = outcomes.iter().filter(|outcome| outcome.answered).count();
        let (mean, longest) = (percentile(&lived, 0.5), percentile(&lived, 1.0));
        let name = kind.name();
        println!("  {name:<34} {:>6} cut off, {answered:>6} with 408   p50 {mean:>8.2?}   longest {longest:>8.2?}", lived.len());
        late += lived.iter().filter(|lived| **lived > most).count();
        all += lived.len();
    }
    let at = |samples, part| percentile(samples, part).as_secs_f64() * 1000.0;
    for (when, samples) in [("quiet", &figures.quiet), ("attacked", &figures.attacked)] {
        let (middle, tail, longest) = (at(samples, 0.5), at(samples, 0.99), at(samples, 1.0));
        println!(
            "  honest, {when:<9} {:>7} requests   p50 {middle:>7.2} ms   p99 {tail:>7.2} ms   longest {longest:>7.2} ms",
            samples.len()
        );
    }
    let ratio = at(&figures.attacked, 0.99) / at(&figures.quiet, 0.99);
    let goals = [
        (format!("slow connections that were cut off, at least {}", args.connections), all.to_string(), all >= args.connections),
        (format!("slow connections that lived longer than {most:?}: 0"), late.to_string(), late == 0),
        (format!("honest p99 under attack by quiet p99, at most {SLOWER:.1}"), format!("{ratio:.2}"), ratio <= SLOWER),
    ];
    println!();
    for (goal, figure, met) in &goals {
        println!("{goal:<64} {figure:>8}  {}", if *met { "met" } else { "MISSED" });
    }
    ensure!(goals.iter().all(|(.., met)| *met), "a goal is not met");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(lived: u64, attacked: u64) -> Figures {
        let outcomes = vec![Outcome { lived: Duration::from_secs(lived), answered: true }; 4];
        let millis = |millis| vec![Duration::from_millis(millis); 100];
        Figures { quiet: millis(10), attacked: millis(attacked), slow: BTreeMap::from([(Kind::Head, outcomes)]) }
    }

    #[test]
    fn each_goal_can_be_missed() {
        let args = |connections| Args { connections, seconds: 1, drip: Duration::ZERO, deadline: Duration::from_secs(10), debug: true };
        assert!(report(&args(4), &figures(10, 20)).is_ok());
        assert!(report(&args(5), &figures(10, 20)).is_err(), "too few");
        assert!(report(&args(4), &figures(12, 20)).is_err(), "too late");
        assert!(report(&args(4), &figures(10, 21)).is_err(), "too slow");
    }
}
