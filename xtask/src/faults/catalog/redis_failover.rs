//! Redis is lost, and a replica that lags takes its place.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use tokio::time::{Duration, sleep};
use url::Url;

use crate::{
    faults::{
        claims::Losses,
        clients::Clients,
        environment::{Environment, redis_command},
        rollback_probe::{EndMethod, RETRY_FREE, RollbackProbe, RowsAfterRollback},
        rounds::Rounds,
        skipped::Skipped,
    },
    harness::{
        proxy::{Proxy, ProxyFailure},
        stores::{RedisConnection, Store},
    },
};

/// A replica catches up within this.
const SYNC: Duration = Duration::from_secs(20);

/// The same holds as after a restore; the losses are what the replica has not received.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let (mut master, mut replica) = (env.redis().await?, env.redis().await?);
    if master.data().is_none() {
        let why = "a container can't reach the other one's port: omit --containers";
        return Err(Skipped(why.to_owned()).into());
    }
    let address: Url = master.url().parse()?;
    // One for the service, which follows the failover, and one for replication, which falls silent.
    let (for_service, for_replica) = (Proxy::start(&address).await?, Proxy::start(&address).await?);
    let settings = env
        .settings()
        .await?
        .stores(&for_service.before(&address)?, &env.schema().await?)
        .with("SESSIONS__RETRY_FREE", RETRY_FREE);
    let service = env.start_service(&settings, "redis-failover").await?;
    let scenario = env.scenario("redis-failover")?;
    scenario.route_to(&[service.url()]);
    let mut clients = Clients::new(&scenario);
    while let Some(mut round) = rounds.next() {
        for_replica.lead_to(&master.url().parse()?)?;
        follow(&replica, &for_replica.before(&address)?, &master).await?;
        let lag = Duration::from_millis(Rng::with_seed(round.seed).u64(50..400));
        let (base, ending) = (service.url(), round.in_turn(&EndMethod::ALL));
        let (lost, successor) = (&mut master, &replica);
        let mut probe = RollbackProbe::start(&scenario, base, ending, &round).await?;
        let fault = async {
            wait_for_sync(successor, lost).await?;
            let since = Instant::now();
            for_replica.fail(ProxyFailure::Silent);
            probe.change(&scenario, base).await?;
            sleep(lag).await;
            scenario.expect_losses(Losses::Between(Some(since), None));
            for_service.lead_to(&successor.url().parse()?)?;
            lost.kill().await?;
            redis_command(successor, &["REPLICAOF", "NO", "ONE"]).await?;
            for_replica.recover();
            scenario.wait_for_recovery().await?;
            scenario.end_losses();
            Ok(())
        };
        clients.run(&scenario, &mut round, fault).await?;
        probe
            .verify(&scenario, base, RowsAfterRollback::Kept, &round)
            .await?;
        round.record(|findings| findings.check("failovers"));
        rounds.finish(round);
        master.restart().await?;
        std::mem::swap(&mut master, &mut replica);
    }
    Ok(())
}

/// Makes one a replica of the other, and waits until it has all data.
async fn follow(replica: &Store, through: &Url, master: &Store) -> Result<()> {
    let port = through.port().context("the proxy has no port")?.to_string();
    redis_command(master, &["CONFIG", "SET", "repl-diskless-sync-delay", "0"]).await?;
    redis_command(replica, &["REPLICAOF", "127.0.0.1", &port]).await?;
    wait_for_sync(replica, master).await
}

async fn wait_for_sync(replica: &Store, master: &Store) -> Result<()> {
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
