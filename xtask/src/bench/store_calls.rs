//! The calls of a refresh as the stores count them: one read of Postgres and one script of Redis.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use super::{
    figures::Figures,
    load::{LoadOrder, LoadRequest},
    testbed::{CONNECTIONS, MeasuredServer, Testbed},
};
use crate::harness::{
    statistics::{count, float},
    stores::{PostgresConnection, RedisConnection},
};

const REFRESHES: usize = 2_000;
/// Idle backends of Postgres report their statistics after ten seconds: without news for so long, all have reported.
const QUIET: Duration = Duration::from_secs(11);
/// The service's background work goes on, so the wait ends here.
const LATEST: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(500);
/// Reads of the statistics that are counted late, and background work.
const SLACK: u64 = 30;

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    server: &mut MeasuredServer,
    figures: &mut Figures,
) -> Result<()> {
    eprintln!("what the stores are asked");
    let mut redis = RedisConnection::connect(&testbed.redis(0)).await?;
    let client = PostgresConnection::open(testbed.postgres()).await?;
    // Everything before is reported by then.
    let mut looks = 0;
    let reads = settled(&client, &mut looks).await?;
    let calls = redis.calls("evalsha").await?;
    server
        .run(LoadOrder::count(
            LoadRequest::Refresh,
            CONNECTIONS,
            REFRESHES,
        ))
        .await?;
    let each = |before: u64, after: u64| float(after.saturating_sub(before)) / count(REFRESHES);
    figures.put(
        "stores.redis_calls",
        each(calls, redis.calls("evalsha").await?),
    );
    figures.put(
        "stores.postgres_reads",
        each(reads, settled(&client, &mut looks).await?),
    );
    Ok(())
}

/// The transactions that Postgres has counted, without those of this counting, once all backends have reported.
async fn settled(client: &PostgresConnection, looks: &mut u64) -> Result<u64> {
    let end = Instant::now() + LATEST;
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let row = client
            .query_one(
                "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()",
                &[],
            )
            .await?;
        let count = row.get::<_, i64>(0).unsigned_abs();
        let others = count.saturating_sub(*looks);
        *looks += 1;
        // A read that is reported late is no news.
        if others > last + SLACK {
            (last, since) = (others, Instant::now());
        }
        if since.elapsed() >= QUIET || Instant::now() >= end {
            return Ok(others);
        }
        sleep(PAUSE).await;
    }
}
