//! `kill -9` of Redis at random moments, with `appendfsync` always and everysec.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::faults::{
    claims::Losses,
    environment::{Environment, redis_command},
    rounds::Rounds,
    stack::ServerStack,
};

/// With `everysec` Redis answers at most so long before it writes: a write waits up to two seconds for an fsync that is under way.
const UNWRITTEN: Duration = Duration::from_secs(3);

/// With `always` nothing is lost. With `everysec` sessions of the last seconds may be, and say so once; a client that has refreshed heals its
/// session.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut stack = ServerStack::start(env, "redis-kill", &[]).await?;
    while let Some(mut round) = rounds.next() {
        let always = round.in_turn(&[true, false]);
        let (policy, what) = if always {
            ("always", "kills (always)")
        } else {
            ("everysec", "kills (everysec)")
        };
        let (scenario, redis) = (&stack.scenario, &mut stack.redis);
        redis_command(redis, &["CONFIG", "SET", "appendfsync", policy]).await?;
        let fault = async {
            if !always {
                let since = Instant::now()
                    .checked_sub(UNWRITTEN)
                    .context("the clock has just begun")?;
                scenario.expect_losses(Losses::Between(Some(since), None));
            }
            redis.kill().await?;
            redis.restart().await?;
            scenario.wait_for_recovery().await?;
            scenario.end_losses();
            Ok(())
        };
        stack.clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| findings.check(what));
        rounds.finish(round);
    }
    Ok(())
}
