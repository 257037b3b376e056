//! Redis memory for each live session with one session a user, all keys counted. Limits are off: their buckets expire a while after a
//! sign-up, unlike the session.

use anyhow::Result;

use super::{
    figures::Figures,
    load::{LoadOrder, LoadRequest},
    testbed::{Testbed, default_settings},
};
use crate::harness::{
    statistics::{count, float},
    stores::RedisConnection,
};

const DATABASE: u8 = 14;

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    let users = testbed.size.memory;
    eprintln!("{users} sign-ups, for the memory of Redis");
    let settings = default_settings("ES256")
        .with("LIMITS__ENABLED", "false")
        .with("LOG__LEVEL", "warn");
    let mut server = testbed.start_server("memory", DATABASE, settings).await?;
    let mut redis = RedisConnection::connect(&testbed.redis(DATABASE)).await?;
    let before = redis.used_memory().await?;
    server
        .run(LoadOrder::count(LoadRequest::SignUp, 16, users))
        .await?;
    let after = redis.used_memory().await?;
    figures.put(
        "redis.bytes_per_session",
        float(after.saturating_sub(before)) / count(users),
    );
    figures.put("redis.sessions", count(users));
    server.stop().await
}
