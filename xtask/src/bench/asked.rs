//! What the stores are asked for a refresh, by what they count themselves: one read of Postgres, one script of Redis, nothing else.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};

use super::{
    figures::Figures,
    load::{Order, Request},
    site::{CONNECTIONS, Side, Site, bytes, number},
};
use crate::torture::service::redis::Redis;

const REFRESHES: usize = 2_000;
/// Idle backends of Postgres tell what they have done after ten seconds.
const LATEST: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn measure(site: &Site<'_>, side: &mut Side, figures: &mut Figures) -> Result<()> {
    eprintln!("what the stores are asked");
    let mut redis = Redis::connect(&site.redis(0)).await?;
    let (client, connection) = tokio_postgres::connect(site.postgres().as_str(), NoTls).await.context("Postgres does not answer")?;
    tokio::spawn(connection);
    // What was done before has been told by then.
    let reads = settled(&client, 0).await?;
    let calls = redis.calls("evalsha").await?;
    side.ask(Order::count(Request::Refresh, CONNECTIONS, REFRESHES)).await?;
    let each = |before: u64, after: u64| bytes(after.saturating_sub(before)) / number(REFRESHES);
    figures.put("asked.redis_calls", each(calls, redis.calls("evalsha").await?));
    figures.put("asked.postgres_reads", each(reads, settled(&client, reads).await?));
    Ok(())
}

/// Waits until the count has changed and then not for a while, but no longer than it may take.
async fn settled(client: &Client, before: u64) -> Result<u64> {
    let end = Instant::now() + LATEST;
    loop {
        let row = client.query_one("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", &[]).await?;
        let count = row.get::<_, i64>(0).unsigned_abs();
        if Instant::now() >= end || (before > 0 && count >= before + REFRESHES as u64) {
            return Ok(count);
        }
        sleep(PAUSE).await;
    }
}
