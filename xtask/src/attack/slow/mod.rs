//! `attack slow`: connections that send a head or a body a piece at a time, while honest users refresh as they did before and do after it.

mod drip;

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use self::drip::{DripOutcome, SlowPart};
use super::{
    goals::{AttackGoals, latencies},
    honest_users::HonestUsers,
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{interrupt::Interrupt, statistics::percentile};

/// The service checks its deadlines twice a second, and the machine is busy.
const GRACE: Duration = Duration::from_secs(1);
/// The p99 of refreshes may be so many times the quiet one.
const SLOWDOWN: f64 = 2.0;
/// Refreshes of honest users per second.
const RATE: u32 = 100;
/// Open files of this process besides the slow connections.
const FILES: u64 = 512;

/// Arguments of `attack slow`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Slow connections at once; each that is cut off is opened again
    #[arg(long, default_value_t = 2000)]
    connections: usize,
    /// How long the attack is measured, and how long the quiet time for comparison
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Between two pieces of a slow request
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1s")]
    drip: Duration,
    /// `http.request_timeout`
    #[arg(long, value_parser = humantime::parse_duration, default_value = "10s")]
    deadline: Duration,
    #[command(flatten)]
    target: TargetArgs,
}

/// Latencies are sorted.
struct SlowFigures {
    quiet: Vec<Duration>,
    attacked: Vec<Duration>,
    slow: BTreeMap<SlowPart, Vec<DripOutcome>>,
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let needed = u64::try_from(args.connections)? + FILES;
    let limit =
        rlimit::increase_nofile_limit(needed).context("the limit of open files is not known")?;
    ensure!(
        limit >= needed,
        "this process may open {limit} files and needs {needed}: raise `ulimit -n`"
    );
    let deadline = humantime::format_duration(args.deadline).to_string();
    let settings = [("HTTP__REQUEST_TIMEOUT", deadline)];
    let target = ServiceUnderAttack::start(&args.target, &settings, interrupt).await?;
    let measured = interrupt.guard(attack(args, target.url())).await;
    let name = target.name;
    target.stop().await?;
    Ok(judge(args, name, &measured?))
}

async fn attack(args: &Args, url: &str) -> Result<SlowFigures> {
    let half = Duration::from_secs(args.seconds) / 2;
    let mut users = HonestUsers::sign_up(url, RATE).await?;
    users.run(Duration::from_secs(2)).await?;
    let mut quiet = users.run(half).await?;

    let (stop, stopped) = watch::channel(false);
    let mut clients = JoinSet::new();
    for number in 0..args.connections {
        let address = url.trim_start_matches("http://").to_owned();
        let (stopped, pause) = (stopped.clone(), args.drip);
        clients.spawn(async move {
            // Spread over time, now and later.
            sleep(pause.mul_f64(fastrand::f64())).await;
            drip::run(&address, SlowPart::of(number), pause, stopped).await
        });
    }
    users.run(args.drip + Duration::from_secs(2)).await?;
    let attacked = users.run(half * 2).await?;
    stop.send_replace(true);
    let mut slow: BTreeMap<SlowPart, Vec<DripOutcome>> = BTreeMap::new();
    while let Some(ended) = clients.join_next().await {
        let (part, outcomes) = ended?;
        slow.entry(part).or_default().extend(outcomes);
    }
    users.run(Duration::from_secs(2)).await?;
    quiet.extend(users.run(half).await?);
    quiet.sort_unstable();
    Ok(SlowFigures {
        quiet,
        attacked,
        slow,
    })
}

fn judge(args: &Args, target: &str, measured: &SlowFigures) -> AttackGoals {
    let most = args.deadline + GRACE;
    let mut goals = AttackGoals::default();
    goals.note(format!(
        "{} slow connections for {} s, {target}; http.request_timeout = {:?}",
        args.connections, args.seconds, args.deadline
    ));
    let (mut late, mut all) = (0, 0);
    for (part, outcomes) in &measured.slow {
        let mut lifetimes: Vec<Duration> =
            outcomes.iter().map(|outcome| outcome.lifetime).collect();
        lifetimes.sort_unstable();
        let answered = outcomes.iter().filter(|outcome| outcome.answered).count();
        let (median, longest) = (percentile(&lifetimes, 500), percentile(&lifetimes, 1000));
        goals.note(format!(
            "  {:<30} {:>6} cut off, {answered:>6} with 408   p50 {median:>8.2?}   longest {longest:>8.2?}",
            part.name(),
            lifetimes.len()
        ));
        late += lifetimes
            .iter()
            .filter(|lifetime| **lifetime > most)
            .count();
        all += lifetimes.len();
    }
    for (when, samples) in [("quiet", &measured.quiet), ("attacked", &measured.attacked)] {
        goals.note(format!(
            "  refresh, {when:<9} {:>7}   {}",
            samples.len(),
            latencies(samples)
        ));
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
    goals.add_slowdown(&measured.quiet, &measured.attacked, SLOWDOWN);
    goals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::args;

    fn met(connections: &str, lifetime: u64, attacked: u64) -> bool {
        let args = args::parse(&["--connections", connections]).unwrap();
        let slow = BTreeMap::from([(
            SlowPart::Head,
            vec![
                DripOutcome {
                    lifetime: Duration::from_secs(lifetime),
                    answered: true
                };
                4
            ],
        )]);
        let millis = |millis| vec![Duration::from_millis(millis); 100];
        let measured = SlowFigures {
            quiet: millis(10),
            attacked: millis(attacked),
            slow,
        };
        judge(&args, "none", &measured).are_met()
    }

    #[test]
    fn each_goal_can_be_missed() {
        assert!(met("4", 10, 20));
        assert!(!met("5", 10, 20), "too few");
        assert!(!met("4", 12, 20), "too late");
        assert!(!met("4", 10, 21), "too slow");
    }
}
