//! All connections to Postgres wait for a lock.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::{try_join, try_join_all};
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{Environment, POSTGRES_TIMEOUT},
        liveness::watch_liveness,
        process_memory::MemoryGrowth,
        rounds::Rounds,
        stack::ServerStack,
        table_lock::TableLock,
    },
    harness::profile::Answer,
};

/// Requests at once, to a pool of two connections; and sign-ins, more than there are connections.
const REQUESTS: usize = 200;
const SIGN_INS: usize = 8;
/// Between two checks whether one of them waits.
const POLL: Duration = Duration::from_millis(5);
/// More memory than they may take, in bytes.
const MEMORY: u64 = 64 << 20;
const GRACE: Duration = Duration::from_millis(1250);

/// Each request that waits longer than the timeout is 503, in bounded memory; and the service recovers when the lock is released.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let settings = [("POSTGRES__POOL_SIZE", "2")];
    let mut stack = ServerStack::start(env, "pool", &settings).await?;
    let (scenario, schema, service) = (&stack.scenario, &stack.schema, &stack.service);
    while let Some(mut round) = rounds.next() {
        let (account, client) = scenario.sign_up(service.url()).await?;
        let before = scenario.stalled();
        let fault = watch_liveness(scenario, service.url(), async {
            let memory = MemoryGrowth::from_now(service)?;
            let lock = TableLock::lock(schema, "sessions", "ACCESS EXCLUSIVE").await?;
            scenario.fault_begins();
            // Writes wait for the connection that is not shared; then all reads for the one that is.
            let writes = try_join_all((0..SIGN_INS).map(|_| client.api.sign_in(&account, None)));
            let reads = async {
                while lock.waiting_connections().await? == 0 {
                    sleep(POLL).await;
                }
                try_join_all((0..REQUESTS).map(|_| client.refresh())).await
            };
            let (mut replies, more) = try_join(reads, writes).await?;
            replies.extend(more);
            let growth = memory.growth()?;
            lock.release().await;
            scenario.fault_ends();
            scenario.wait_for_recovery().await?;
            Ok((replies, growth))
        });
        let running = stack.clients.run(scenario, &mut round, fault);
        let (replies, growth) = Box::pin(running).await?;
        round.record(|findings| {
            for reply in replies {
                findings.require(
                    "requests to a pool without a free connection",
                    reply.answer == Answer::Unavailable,
                    || reply.words(),
                );
                findings.add_unavailable(reply.received.duration_since(reply.sent));
            }
            findings.require("bounds of memory", growth < MEMORY, || {
                format!("{growth} bytes more memory")
            });
            let stalled = scenario.stalled().saturating_sub(before);
            findings.unavailable_within(POSTGRES_TIMEOUT + GRACE + stalled);
        });
        rounds.finish(round);
    }
    Ok(())
}
