//! Memory of Redis for each live session with one session a user, all keys counted. Limits are off here: their buckets are gone a while
//! after a sign-up, the session is not.

use anyhow::Result;

use super::{
    figures::Figures,
    load::{Order, Request},
    testbed::{Site, bytes, number, usual},
};
use crate::harness::stores::RedisConnection;

const DATABASE: u8 = 14;

pub(super) async fn measure(site: &Site<'_>, figures: &mut Figures) -> Result<()> {
    let people = site.plan.memory;
    eprintln!("{people} sign-ups, for the memory of Redis");
    let settings = usual("ES256")
        .with("LIMITS__ENABLED", "false")
        .with("LOG__LEVEL", "warn");
    let mut side = site.server("memory", DATABASE, settings).await?;
    let mut redis = RedisConnection::connect(&site.redis(DATABASE)).await?;
    let before = redis.used_memory().await?;
    side.ask(Order::count(Request::SignUp, 16, people)).await?;
    let after = redis.used_memory().await?;
    figures.put(
        "redis.bytes_per_session",
        bytes(after.saturating_sub(before)) / number(people),
    );
    figures.put("redis.sessions", number(people));
    side.stop().await
}
