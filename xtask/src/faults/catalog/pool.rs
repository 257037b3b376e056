//! All connections to Postgres wait for a lock.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::{try_join, try_join_all};
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{House, POSTGRES_TIMEOUT},
        liveness::watch,
        process_memory::Memory,
        rounds::Rounds,
        table_lock::Locker,
    },
    harness::{profile::Answer, service::Settings},
};

/// Requests at once, to a pool of two; and sign-ins, more than there are connections for.
const REQUESTS: usize = 200;
const SIGN_INS: usize = 8;
/// Between two looks whether one of them waits.
const LOOK: Duration = Duration::from_millis(5);
/// More than they may take, in bytes.
const MEMORY: u64 = 64 << 20;
const GRACE: Duration = Duration::from_millis(1250);

/// Everybody who has to wait longer than the timeout gets 503, in bounded memory; and it recovers when the lock is gone.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let (redis, schema) = (house.redis().await?, house.schema().await?);
    let settings: Settings = house
        .settings()
        .await?
        .stores(&redis.url().parse()?, &schema)
        .with("POSTGRES__POOL_SIZE", "2");
    let service = house.start(&settings, "pool").await?;
    let town = house.town("pool")?;
    town.at(&[service.url()]);
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        let ((account, client), stalled) = (town.newcomer(service.url()).await?, town.stalled());
        let fault = watch(&town, service.url(), async {
            let memory = Memory::from_now(&service)?;
            let locker = Locker::lock(&schema, "sessions", "ACCESS EXCLUSIVE").await?;
            town.fault_begins();
            // What writes waits for the one connection that is not shared; then all that read, for the one that is.
            let writes = try_join_all((0..SIGN_INS).map(|_| client.api.sign_in(&account, None)));
            let reads = async {
                while locker.waiting().await? == 0 {
                    sleep(LOOK).await;
                }
                try_join_all((0..REQUESTS).map(|_| client.refresh())).await
            };
            let (mut replies, more) = try_join(reads, writes).await?;
            replies.extend(more);
            let most = memory.growth()?;
            locker.release().await;
            town.fault_ends();
            town.recover().await?;
            Ok((replies, most))
        });
        let (replies, most) = Box::pin(town.endure(&mut people, &mut round, fault)).await?;
        round.note(|verdict| {
            for reply in replies {
                verdict.require(
                    "requests to a pool without a free connection",
                    reply.answer == Answer::Unavailable,
                    || reply.words(),
                );
                verdict.refused(reply.received.duration_since(reply.sent));
            }
            verdict.require("bounds of memory", most < MEMORY, || {
                format!("{most} bytes more memory")
            });
            verdict
                .refused_within(POSTGRES_TIMEOUT + GRACE + town.stalled().saturating_sub(stalled));
        });
        rounds.judge(round);
    }
    Ok(())
}
