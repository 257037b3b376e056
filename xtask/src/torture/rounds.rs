//! Runs the rounds, many at a time, since most of their time is waiting for windows to pass.

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use tokio::time::{error::Elapsed, timeout};

use super::{
    plan::PlannedRound,
    report::{RoundReport, TortureReport},
    round_context::{RoundContext, RoundError, SetUpFault, TortureRun},
    servers::ServerGroup,
    verdict::{RoundFinding, Verdict},
};
use crate::harness::{interrupt::Interrupt, progress};

/// A round that takes longer than this and its windows hangs.
const LIMIT: Duration = Duration::from_mins(3);
/// How often a round is tried for which the machine is too slow.
const ATTEMPTS: u32 = 4;

struct FinishedRound {
    round: PlannedRound,
    verdict: Verdict,
    repeated: u32,
    journal: Vec<String>,
}

/// Runs the rounds and fills the report; failures are printed as they occur.
pub(crate) async fn run(
    run: &Arc<TortureRun>,
    groups: &[Arc<ServerGroup>],
    stages: Vec<Vec<PlannedRound>>,
    verbose: bool,
    report: &mut TortureReport,
    interrupt: &Interrupt,
) -> Result<()> {
    let progress = progress::bar(stages.iter().map(Vec::len).sum::<usize>() as u64);
    // All on one thread: the other cores belong to the service.
    let outcome =
        |round: PlannedRound| run_one(Arc::clone(run), Arc::clone(&groups[round.servers]), round);
    let mut running = pin!(stream::iter(stages).flat_map(|stage| {
        let parallel = stage.first().map_or(1, |round| round.parallel);
        stream::iter(stage).map(outcome).buffer_unordered(parallel)
    }));
    let work = async {
        while let Some(outcome) = running.next().await {
            progress.inc(1);
            let FinishedRound {
                round,
                verdict,
                repeated,
                journal,
            } = outcome;
            report.add(&round, &verdict, repeated);
            let servers = &groups[round.servers];
            let round = RoundReport {
                round,
                servers: servers.name.clone(),
                replay_args: servers.replay_args.clone(),
                met: verdict.is_met(),
                remarks: verdict.remarks().to_vec(),
                journal,
            };
            if !round.met || verbose {
                progress.suspend(|| report.print(&round, verbose));
            }
            if !round.met {
                report.fail(round);
            }
            progress.set_message(report.total().score());
        }
        Ok(())
    };
    let outcome = interrupt.guard(work).await;
    progress.finish_and_clear();
    outcome
}

async fn run_one(
    run: Arc<TortureRun>,
    servers: Arc<ServerGroup>,
    round: PlannedRound,
) -> FinishedRound {
    let (mut repeated, limit) = (0, LIMIT + run.patience * 4);
    loop {
        let ctx = RoundContext::new(
            Arc::clone(&run),
            Arc::clone(&servers),
            round.number,
            repeated,
        )
        .await;
        let mut rng = Rng::with_seed(round.seed);
        let outcome: Result<_, Elapsed> = timeout(limit, round.case.run(&ctx, &mut rng)).await;
        let verdict = match outcome {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(RoundError::TooSlow(_))) if repeated + 1 < ATTEMPTS => {
                repeated += 1;
                continue;
            }
            Ok(Err(RoundError::TooSlow(what))) => other(format!(
                "too slow to judge, {ATTEMPTS} times: {what}; choose longer windows"
            )),
            Ok(Err(RoundError::Failed(error))) if error.is::<SetUpFault>() => {
                judged(RoundFinding::SetUp, format!("{error:#}"))
            }
            Ok(Err(RoundError::Failed(error))) => other(format!("the round failed: {error:#}")),
            Err(_) => other(format!("the round hangs for {} s", limit.as_secs())),
        };
        return FinishedRound {
            round,
            verdict,
            repeated,
            journal: ctx.journal.lines(),
        };
    }
}

fn other(why: String) -> Verdict {
    judged(RoundFinding::Other, why)
}

fn judged(finding: RoundFinding, why: String) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.count(finding, why);
    verdict
}
