//! `kill -9` of the service after a store has executed what it was sent and before the client has the answer.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    faults::{
        environment::Environment,
        rounds::Rounds,
        stack::{ProxiedStack, restart},
    },
    harness::proxy::{Proxy, ProxyFailure},
};

/// How long the stores' answers are held back; longer if none was held back by then.
const DEAF: Duration = Duration::from_millis(60);
const AT_MOST: Duration = Duration::from_secs(2);

/// The answers of both stores, or of one, are held back; then the service is killed. Every client's retry succeeds, and everything
/// acknowledged before is true.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let ProxiedStack { mut stack, proxies } = ProxiedStack::start(env, "answer-lost", &[]).await?;
    let (scenario, service) = (&stack.scenario, &mut stack.service);
    while let Some(mut round) = rounds.next() {
        let deaf: &[usize] = round.in_turn(&[&[0][..], &[1], &[0, 1]]);
        let fault = async {
            let held_back = || proxies.iter().map(Proxy::held_back).sum::<u64>();
            let (begun, before) = (Instant::now(), held_back());
            for store in deaf {
                proxies[*store].fail(ProxyFailure::Deaf);
            }
            sleep(DEAF).await;
            while held_back() == before && begun.elapsed() < AT_MOST {
                sleep(DEAF / 10).await;
            }
            service.kill().await?;
            let lost = held_back() - before;
            proxies.iter().for_each(Proxy::recover);
            restart(service, scenario).await?;
            scenario.route_to(&[service.url()]);
            scenario.wait_for_recovery().await?;
            Ok(lost)
        };
        let lost = stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            findings.require("kills between step and answer", lost > 0, || {
                "no store had executed anything whose answer was held back".to_owned()
            });
            findings.count("answers that were held back", lost);
        });
        rounds.finish(round);
    }
    Ok(())
}
