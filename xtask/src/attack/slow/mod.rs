//! `attack slow`: so many connections that drip a head or a body, while honest clients refresh as they did before and do after it.

mod drip;
mod honest;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{
    goals::{Goals, percentile},
    target::{self, Target},
};
use crate::harness::interrupt::Interrupt;
use drip::{Kind, Outcome};

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
    #[command(flatten)]
    target: target::Args,
}

/// What came out.
struct Figures {
    quiet: Vec<Duration>,
    attacked: Vec<Duration>,
    slow: BTreeMap<Kind, Vec<Outcome>>,
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<Goals> {
    let needed = u64::try_from(args.connections)? + FILES;
    let limit =
        rlimit::increase_nofile_limit(needed).context("the limit of open files is not known")?;
    ensure!(
        limit >= needed,
        "this process may open {limit} files and needs {needed}: raise `ulimit -n`"
    );
    let deadline = humantime::format_duration(args.deadline).to_string();
    let settings = [
        ("HTTP__REQUEST_TIMEOUT", deadline),
        ("LIMITS__ENABLED", "false".to_owned()),
    ];
    let target = Target::start(&args.target, &settings, interrupt).await?;
    let figures = interrupt.guard(attack(args, &target.address())).await;
    let name = target.name;
    target.stop().await?;
    Ok(judge(args, name, figures?))
}

async fn attack(args: &Args, address: &str) -> Result<Figures> {
    let half = Duration::from_secs(args.seconds) / 2;
    let mut honest = honest::Clients::sign_up(address).await?;
    honest.run(Duration::from_secs(2)).await?;
    let mut quiet = honest.run(half).await?;

    let (stop, stopped) = watch::channel(false);
    let mut slow = JoinSet::new();
    for number in 0..args.connections {
        let (address, stopped, drip) = (address.to_owned(), stopped.clone(), args.drip);
        slow.spawn(async move {
            // Not all at the same moment, neither now nor later.
            sleep(drip.mul_f64(fastrand::f64())).await;
            drip::drip(&address, Kind::of(number), drip, stopped).await
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
    Ok(Figures {
        quiet,
        attacked,
        slow: outcomes,
    })
}

fn judge(args: &Args, name: &str, mut figures: Figures) -> Goals {
    let most = args.deadline + GRACE;
    let mut goals = Goals::default();
    goals.note(format!(
        "{} slow connections for {} s, {name}; http.request_timeout = {:?}",
        args.connections, args.seconds, args.deadline
    ));
    let (mut late, mut all) = (0, 0);
    for (kind, outcomes) in &figures.slow {
        let mut lived: Vec<Duration> = outcomes.iter().map(|outcome| outcome.lived).collect();
        lived.sort_unstable();
        let answered = outcomes.iter().filter(|outcome| outcome.answered).count();
        let (middle, longest) = (percentile(&lived, 0.5), percentile(&lived, 1.0));
        let name = kind.name();
        goals.note(format!(
            "  {name:<30} {:>6} cut off, {answered:>6} with 408   p50 {middle:>8.2?}   longest {longest:>8.2?}",
            lived.len()
        ));
        late += lived.iter().filter(|lived| **lived > most).count();
        all += lived.len();
    }
    let mut tails = Vec::new();
    for (when, samples) in [
        ("quiet", &mut figures.quiet),
        ("attacked", &mut figures.attacked),
    ] {
        samples.sort_unstable();
        let at = |part| percentile(samples, part).as_secs_f64() * 1000.0;
        let shown = format!(
            "p50 {:>7.2} ms   p99 {:>7.2} ms   longest {:>7.2} ms",
            at(0.5),
            at(0.99),
            at(1.0)
        );
        goals.note(format!(
            "  refresh, {when:<9} {:>7}   {shown}",
            samples.len()
        ));
        tails.push(at(0.99));
    }
    goals.add(
        "slow connections that were cut off",
        format!("at least {}", args.connections),
        all.to_string(),
        all >= args.connections,
    );
    goals.add(
        format!("those that lived longer than {most:?}"),
        "0",
        late.to_string(),
        late == 0,
    );
    let ratio = tails[1] / tails[0];
    goals.add(
        "p99 of refresh under the attack, by its quiet p99",
        format!("{SLOWER:.1}"),
        format!("{ratio:.2}"),
        ratio <= SLOWER,
    );
    goals
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn met(connections: &str, lived: u64, attacked: u64) -> bool {
        let args = Line::parse_from(["slow", "--connections", connections]).args;
        let slow = BTreeMap::from([(
            Kind::Head,
            vec![
                Outcome {
                    lived: Duration::from_secs(lived),
                    answered: true
                };
                4
            ],
        )]);
        let millis = |millis| vec![Duration::from_millis(millis); 100];
        judge(
            &args,
            "none",
            Figures {
                quiet: millis(10),
                attacked: millis(attacked),
                slow,
            },
        )
        .are_met()
    }

    #[test]
    fn each_goal_can_be_missed() {
        assert!(met("4", 10, 20));
        assert!(!met("5", 10, 20), "too few");
        assert!(!met("4", 12, 20), "too late");
        assert!(!met("4", 10, 21), "too slow");
    }
}
