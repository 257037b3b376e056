//! `kill -9` of Postgres, all of its processes, at random moments.

use anyhow::Result;

use crate::faults::{environment::Environment, rounds::Rounds, stack::ServerStack};

/// Everything acknowledged is true afterwards; without Postgres requests are answered 503 and nothing else.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "postgres-kill", &[]).await?;
    while let Some(mut round) = rounds.next() {
        let (scenario, postgres) = (&stack.scenario, &mut env.postgres);
        let fault = async {
            postgres.kill().await?;
            postgres.restart().await?;
            scenario.wait_for_recovery().await
        };
        stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| findings.check("kills"));
        rounds.finish(round);
    }
    Ok(())
}
