//! All connections to Postgres wait for a lock.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio_postgres::NoTls;

use crate::{
    faults::{
        house::{House, POSTGRES_TIMEOUT},
        memory::Memory,
        rounds::Rounds,
        watch::watch,
    },
    torture::{profile::Answer, service::Settings},
};

/// Requests at once, to a pool of two.
const REQUESTS: usize = 200;
/// More than they may take, in bytes.
const MEMORY: u64 = 64 << 20;
const GRACE: Duration = Duration::from_millis(1250);

/// Everybody who has to wait longer than the timeout gets 503, in bounded memory; and it recovers when the lock is gone.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let (redis, schema) = (house.redis().await?, house.schema().await?);
    let settings: Settings = house.settings().await?.stores(&redis.url().parse()?, &schema).with("POSTGRES__POOL_SIZE", "2");
    let service = house.start(&settings, "pool").await?;
    let town = house.town("pool")?;
    town.at(&[service.url()]);
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        let ((_, client), stalled) = (town.newcomer(service.url()).await?, town.stalled());
        let fault = watch(&town, service.url(), async {
            let memory = Memory::from_now(&service)?;
            let (locker, connection) = tokio_postgres::connect(schema.as_str(), NoTls).await.context("Postgres does not answer")?;
            let driver = tokio::spawn(connection);
            locker.batch_execute("BEGIN; LOCK TABLE users, sessions IN ACCESS EXCLUSIVE MODE").await?;
            town.fault_begins();
            let replies = try_join_all((0..REQUESTS).map(|_| client.refresh())).await?;
            let most = memory.growth()?;
            drop(locker);
            drop(driver.await);
            town.fault_ends();
            town.recover().await?;
            Ok((replies, most))
        });
        let (replies, most) = Box::pin(town.endure(&mut people, &mut round, fault)).await?;
        round.note(|verdict| {
            for reply in replies {
                verdict.require("requests to a pool without a free connection", reply.answer == Answer::Unavailable, || reply.words());
                verdict.refused(reply.received.duration_since(reply.sent));
            }
            verdict.require("bounds of memory", most < MEMORY, || format!("{most} bytes more memory"));
            verdict.refused_within(POSTGRES_TIMEOUT + GRACE + town.stalled().saturating_sub(stalled));
        });
        rounds.judge(round);
    }
    Ok(())
}
