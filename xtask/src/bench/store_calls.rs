//! What the stores are asked for a refresh, by what they count themselves: one read of Postgres, one script of Redis, nothing else.

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
/// Idle backends of Postgres tell what they have done after ten seconds: nothing new for so long, and all is told.
const QUIET: Duration = Duration::from_secs(11);
/// The service's own work in the background goes on.
const LATEST: Duration = Duration::from_secs(40);
const PAUSE: Duration = Duration::from_millis(500);
/// Looks that are counted late, and what goes on in the background.
const SLACK: u64 = 30;

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    server: &mut MeasuredServer,
    figures: &mut Figures,
) -> Result<()> {
    eprintln!("what the stores are asked");
    let mut redis = RedisConnection::connect(&testbed.redis(0)).await?;
    let client = PostgresConnection::open(testbed.postgres()).await?;
    // What was done before has been told by then.
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

/// The transactions that Postgres has counted, but for those that this counting takes, once all backends have told theirs.
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
        // A look that was not told of yet is no news.
        if others > last + SLACK {
            (last, since) = (others, Instant::now());
        }
        if since.elapsed() >= QUIET || Instant::now() >= end {
            return Ok(others);
        }
        sleep(PAUSE).await;
    }
}
