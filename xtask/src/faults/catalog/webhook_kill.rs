//! `kill -9` of one of two replicas while both send events to endpoints.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use revolve_testkit::webhook_sink::{HookAnswer, WebhookSink};
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    rounds::Rounds,
    stack::{Profile, restart},
    webhooks::{HookStacks, POLL, watch},
};

const REPLICAS: usize = 2;
/// How late endpoints answer, so that events are on their way at the kill.
const LATE: Duration = Duration::from_millis(1500);
/// A replica sends no more than this to an endpoint at once: with more under way both send.
const OF_ONE: usize = 4;
/// So many are under way within this.
const AT_MOST: Duration = Duration::from_secs(8);

/// Everything that was committed arrives by the other replica, at both endpoints, also what only the killed one knew of. What was on its way may
/// come twice, the same.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stacks = HookStacks::new("webhook-kill", REPLICAS);
    while let Some(mut round) = rounds.next() {
        let profile = round.in_turn(&[Profile::Server, Profile::Embedded]);
        let stack = stacks.get(env, profile).await?;
        let (scenario, store) = (&stack.scenario, &stack.store);
        let endpoints = [&stack.steady, &stack.broken];
        let [first, second] = &mut stack.replicas[..] else {
            unreachable!("there are two replicas")
        };
        let before = scenario.stalled();
        for endpoint in endpoints {
            endpoint.sink.answer(HookAnswer::Late(LATE));
        }
        let fault = async {
            let begun = Instant::now();
            let most = || endpoints.map(|one| under_way(&one.sink)).into_iter().max();
            while most() <= Some(OF_ONE) && begun.elapsed() < AT_MOST {
                sleep(POLL).await;
            }
            let most = most().context("there are endpoints")?;
            second.kill().await?;
            let killed = Instant::now();
            scenario.route_to(&[first.url()]);
            for endpoint in endpoints {
                endpoint.sink.answer(HookAnswer::Status(204));
            }
            scenario.wait_for_recovery().await?;
            Ok((most, killed))
        };
        let running = stack.clients.run(scenario, &mut round, fault);
        let ((most, killed), commits) = watch(store, Box::pin(running)).await?;
        let stalled = scenario.stalled().saturating_sub(before);
        round.record(|findings| {
            findings.count("events under way at the kill, to one endpoint", most as u64);
            findings.require("kills of a replica that was sending", most > OF_ONE, || {
                format!("{most} events were under way at the kill, which one replica may have sent")
            });
        });
        stack.verify(commits, Some(killed), stalled, &round).await?;
        restart(&mut stack.replicas[1], &stack.scenario).await?;
        stack.route();
        rounds.finish(round);
    }
    Ok(())
}

/// How many requests an endpoint has read and not answered, while it answers late.
fn under_way(sink: &WebhookSink) -> usize {
    let received = sink.received();
    let late = received.iter().filter(|hook| hook.at.elapsed() < LATE);
    late.count()
}
