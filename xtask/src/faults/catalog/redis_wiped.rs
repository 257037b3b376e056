//! Redis loses everything: it is emptied under the service, or started again without its files.

use std::fs;

use anyhow::Result;

use crate::faults::{
    claims::Losses,
    environment::{Environment, redis_command},
    rounds::Rounds,
    skipped::Skipped,
    stack::ServerStack,
};

/// No ended session lives; every other session is refused as `session_unknown`, once, and its user signs in again.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "redis-wiped", &[]).await?;
    while let Some(mut round) = rounds.next() {
        let by_command = round.in_turn(&[true, false]) || stack.redis.data().is_none();
        let (scenario, redis) = (&stack.scenario, &mut stack.redis);
        let fault = async {
            scenario.expect_losses(Losses::Between(None, None));
            if by_command {
                redis_command(redis, &["FLUSHALL"]).await?;
            } else {
                let data = redis
                    .data()
                    .ok_or_else(|| Skipped("a container keeps its files".to_owned()))?;
                redis.kill().await?;
                fs::remove_dir_all(&data)?;
                fs::create_dir(&data)?;
                redis.restart().await?;
            }
            scenario.wait_for_recovery().await?;
            scenario.end_losses();
            Ok(())
        };
        stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            findings.check(if by_command {
                "FLUSHALLs"
            } else {
                "losses of all files"
            });
        });
        rounds.finish(round);
    }
    Ok(())
}
