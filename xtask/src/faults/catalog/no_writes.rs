//! Postgres answers reads and takes no writes: its tables are locked.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{Environment, POSTGRES_TIMEOUT},
        liveness::watch_liveness,
        rounds::Rounds,
        stack::ServerStack,
        table_lock::TableLock,
    },
    harness::profile::{Answer, Scope},
};

/// After the sign-out. Together they last longer than a response may take, so that one that waits for the end is too late.
const FAULT: Duration = Duration::from_secs(2);
const GRACE: Duration = Duration::from_millis(1250);

/// Refreshes succeed; a sign-out that can't be written is 503 and never a success.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "no-writes", &[]).await?;
    let (scenario, schema, base) = (&stack.scenario, &stack.schema, stack.service.url());
    scenario.require_answers();
    while let Some(mut round) = rounds.next() {
        let ((_, mut client), before) = (scenario.sign_up(base).await?, scenario.stalled());
        let fault = watch_liveness(scenario, base, async {
            let lock = TableLock::lock(schema, "users, sessions", "SHARE").await?;
            scenario.fault_begins();
            let refreshed = client.refresh().await?;
            if let Some(grant) = refreshed.grant() {
                client.keep(grant.clone());
            }
            let signed_out = client.api.sign_out(&client.grant, Scope::This).await?;
            let signed_out = scenario.record(signed_out);
            sleep(FAULT).await;
            scenario.fault_ends();
            lock.release().await;
            scenario.wait_for_recovery().await?;
            Ok((refreshed, signed_out))
        });
        let running = stack.clients.run(scenario, &mut round, fault);
        let (refreshed, signed_out) = Box::pin(running).await?;
        round.record(|findings| {
            findings.require(
                "refreshes without writes",
                refreshed.grant().is_some(),
                || format!("a refresh: {}", refreshed.words()),
            );
            findings.require(
                "sign-outs without writes, 503",
                signed_out.answer == Answer::Unavailable,
                || format!("a sign-out: {}", signed_out.words()),
            );
            let stalled = scenario.stalled().saturating_sub(before);
            findings.answered_within(POSTGRES_TIMEOUT + GRACE + stalled);
        });
        rounds.finish(round);
    }
    Ok(())
}
