//! Plays the rounds, many at a time, since most of their time is waiting for windows to pass.

use std::{pin::pin, sync::Arc, time::Duration};

use anyhow::Result;
use fastrand::Rng;
use futures_util::stream::{self, StreamExt as _};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{error::Elapsed, timeout};

use super::{
    plan::Round,
    report::{Report, Told},
    round_context::{Run, Scene, Trouble},
    verdict::{Column, Verdict},
};
use crate::harness::interrupt::Interrupt;
use crate::harness::service::Site;

/// A round that takes so much longer than its windows hangs.
const LIMIT: Duration = Duration::from_mins(3);
/// So often a round is tried that the machine is too slow for.
const ATTEMPTS: u32 = 4;

/// What came out of a round.
struct Played {
    round: Round,
    verdict: Verdict,
    repeated: u32,
    journal: Vec<String>,
}

/// Plays them and fills the report, whose failures are told as they come.
pub(crate) async fn play(
    run: &Arc<Run>,
    sites: &[Arc<Site>],
    rounds: Vec<Round>,
    (parallel, verbose): (usize, bool),
    report: &mut Report,
    interrupt: &Interrupt,
) -> Result<()> {
    let progress = ProgressBar::new(rounds.len() as u64).with_style(style());
    // All on one thread: the other cores belong to the service.
    let played = |round: Round| play_one(Arc::clone(run), Arc::clone(&sites[round.site]), round);
    let mut running = pin!(
        stream::iter(rounds)
            .map(played)
            .buffer_unordered(parallel.max(1))
    );
    let work = async {
        while let Some(Played {
            round,
            verdict,
            repeated,
            journal,
        }) = running.next().await
        {
            progress.inc(1);
            report.add(&round, &verdict, repeated);
            let met = verdict.is_met();
            let (site, remarks) = (&sites[round.site], verdict.remarks().to_vec());
            let told = Told {
                round,
                place: site.name.clone(),
                again: site.again.clone(),
                met,
                remarks,
                journal,
            };
            if !met || verbose {
                progress.suspend(|| report.tell(&told, verbose));
            }
            if !met {
                report.fail(told);
            }
            progress.set_message(report.total().score());
        }
        Ok(())
    };
    let outcome = interrupt.guard(work).await;
    progress.finish_and_clear();
    outcome
}

async fn play_one(run: Arc<Run>, site: Arc<Site>, round: Round) -> Played {
    let (mut repeated, limit) = (0, LIMIT + run.patience * 4);
    loop {
        let scene = Scene::new(Arc::clone(&run), Arc::clone(&site), &round, repeated);
        let mut rng = Rng::with_seed(round.seed);
        let outcome: Result<_, Elapsed> = timeout(limit, round.case.play(&scene, &mut rng)).await;
        let verdict = match outcome {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(Trouble::TooSlow(_))) if repeated + 1 < ATTEMPTS => {
                repeated += 1;
                continue;
            }
            Ok(Err(Trouble::TooSlow(what))) => other(format!(
                "too slow to judge, {ATTEMPTS} times: {what}; choose longer windows"
            )),
            Ok(Err(Trouble::Broken(error))) => other(format!("the round broke off: {error:#}")),
            Err(_) => other(format!("the round hangs for {} s", limit.as_secs())),
        };
        return Played {
            round,
            verdict,
            repeated,
            journal: scene.journal.lines(),
        };
    }
}

fn other(why: String) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.count(Column::Other, why);
    verdict
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
