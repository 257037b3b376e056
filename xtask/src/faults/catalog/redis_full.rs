//! Redis has no memory left and evicts nothing.

use anyhow::Result;

use crate::{
    faults::{
        environment::{Environment, redis_command},
        rounds::Rounds,
        stack::ServerStack,
    },
    harness::profile::{Answer, Scope},
};

/// Refreshes and sign-outs succeed; a sign-in is 503. When there is memory again the service recovers without a restart.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "redis-full", &[]).await?;
    let (scenario, redis) = (&stack.scenario, &stack.redis);
    redis_command(redis, &["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await?;
    scenario.require_answers();
    while let Some(mut round) = rounds.next() {
        let (account, mut client) = scenario.sign_up(stack.service.url()).await?;
        let fault = async {
            redis_command(redis, &["CONFIG", "SET", "maxmemory", "1"]).await?;
            scenario.fault_begins();
            let refreshed = client.refresh().await?;
            if let Answer::Granted(grant) = &refreshed.answer {
                client.keep(grant.clone());
            }
            let signed_in = client.api.sign_in(&account, None).await?;
            let signed_out = client.api.sign_out(&client.grant, Scope::This).await?;
            redis_command(redis, &["CONFIG", "SET", "maxmemory", "0"]).await?;
            scenario.fault_ends();
            scenario.wait_for_recovery().await?;
            Ok([refreshed, signed_in, signed_out])
        };
        let [refreshed, signed_in, signed_out] =
            stack.clients.run(scenario, &mut round, fault).await?;
        let afterwards = client.refresh().await?;
        round.record(|findings| {
            for (what, holds, reply) in [
                (
                    "refreshes without memory",
                    refreshed.grant().is_some(),
                    &refreshed,
                ),
                (
                    "sign-ins without memory, 503",
                    signed_in.answer == Answer::Unavailable,
                    &signed_in,
                ),
                (
                    "sign-outs without memory",
                    signed_out.answer == Answer::Done,
                    &signed_out,
                ),
                (
                    "refreshes after that sign-out",
                    afterwards.refusal().is_some(),
                    &afterwards,
                ),
            ] {
                findings.require(what, holds, || format!("{what}: {}", reply.words()));
            }
        });
        rounds.finish(round);
    }
    Ok(())
}
