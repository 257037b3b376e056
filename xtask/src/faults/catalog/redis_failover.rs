//! Redis is lost, and a replica that lags takes its place.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use tokio::time::{Duration, sleep};
use url::Url;

use crate::{
    faults::{
        claims::Losses,
        environment::{House, LeftOut, order},
        rollback_probe::{RETRY_FREE, Robbed},
        rounds::Rounds,
    },
    harness::{
        proxy::{Failure, Proxy},
        stores::{RedisConnection, Store},
    },
};

/// A replica catches up within this.
const SYNC: Duration = Duration::from_secs(20);

/// As for an old file: what the replica has not heard of is the loss.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let (mut master, mut replica) = (house.redis().await?, house.redis().await?);
    if master.data().is_none() {
        return Err(LeftOut(
            "a container has no way to the other one's port: leave out --containers".to_owned(),
        )
        .into());
    }
    let address: Url = master.url().parse()?;
    // One that the service goes through, which follows the failover, and one that the replica listens through, which falls silent.
    let (way, link) = (Proxy::start(&address).await?, Proxy::start(&address).await?);
    let settings = house
        .settings()
        .await?
        .stores(&way.before(&address)?, &house.schema().await?)
        .with("SESSIONS__RETRY_FREE", RETRY_FREE);
    let service = house.start(&settings, "redis-failover").await?;
    let town = house.town("redis-failover")?;
    town.at(&[service.url()]);
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        link.lead_to(&master.url().parse()?)?;
        follow(&replica, &link.before(&address)?, &master).await?;
        let lag = Duration::from_millis(Rng::with_seed(round.seed).u64(50..400));
        let base = service.url();
        let (lost, heir) = (&mut master, &replica);
        let robbed = town
            .endure(&mut people, &mut round, async {
                let mut robbed = Robbed::enter(&town, base).await?;
                caught_up(heir, lost).await?;
                let since = Instant::now();
                link.fail(Failure::Silent);
                robbed.go_on().await?;
                sleep(lag).await;
                town.lose(Losses::Between(Some(since), None));
                way.lead_to(&heir.url().parse()?)?;
                lost.kill().await?;
                order(heir, &["REPLICAOF", "NO", "ONE"]).await?;
                link.recover();
                town.recover().await?;
                town.lose(town.losses().until(Instant::now()));
                Ok(robbed)
            })
            .await?;
        robbed.judge(base, &town, &round).await?;
        round.note(|verdict| verdict.check("failovers"));
        rounds.judge(round);
        master.restart().await?;
        std::mem::swap(&mut master, &mut replica);
    }
    Ok(())
}

/// Makes one follow the other, and waits until it has all that there is.
async fn follow(replica: &Store, through: &Url, master: &Store) -> Result<()> {
    let port = through.port().context("the proxy has no port")?.to_string();
    // At once, with nothing to wait for.
    order(master, &["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await?;
    order(replica, &["REPLICAOF", "127.0.0.1", &port]).await?;
    caught_up(replica, master).await
}

async fn caught_up(replica: &Store, master: &Store) -> Result<()> {
    let goal: u64 = RedisConnection::connect(&master.url().parse()?)
        .await?
        .info("replication", "master_repl_offset")
        .await?
        .parse()?;
    let begun = Instant::now();
    loop {
        let mut redis = RedisConnection::connect(&replica.url().parse()?).await?;
        if redis
            .info("replication", "master_link_status")
            .await
            .is_ok_and(|status| status == "up")
            && redis
                .info("replication", "slave_repl_offset")
                .await?
                .parse::<u64>()?
                >= goal
        {
            return Ok(());
        }
        if begun.elapsed() > SYNC {
            bail!("the replica does not catch up");
        }
        sleep(Duration::from_millis(20)).await;
    }
}
