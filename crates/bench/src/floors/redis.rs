//! A call of a script with as many keys and arguments as a rotation, through connections that all tasks share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use deadpool_redis::redis::{Client, Script};
use futures_util::future::try_join_all;

use super::{Figures, cpu, micros};

const TASKS: usize = 64;
const CONNECTIONS: usize = 2;
/// Reads what a rotation reads, and changes what it changes.
const SCRIPT: &str = "
    local value = redis.call('HGET', KEYS[1], ARGV[1])
    local field = redis.call('HMGET', KEYS[2], 'iat', 'exp', 'rotated_at', 'late', 'did', 'epoch', 'charged', 'reused')
    redis.call('HSET', KEYS[3], 'sid', ARGV[1], 'gen', ARGV[2], 'iat', ARGV[4], 'exp', ARGV[5])
    redis.call('PEXPIRE', KEYS[3], 60000)
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    redis.call('PEXPIRE', KEYS[1], 60000)
    return { 'rotated' }";

pub(super) async fn measure(figures: &mut Figures, url: &str, lasts: Duration) -> Result<()> {
    let client = Client::open(url)?;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(client.get_multiplexed_async_connection().await?);
    }
    let script = Arc::new(Script::new(SCRIPT));
    script.load_async(&mut connections[0]).await?;
    let count = Arc::new(AtomicU32::new(0));
    let (begun, before) = (Instant::now(), cpu());
    let tasks = (0..TASKS).map(|task| {
        let (mut connection, script, count) = (
            connections[task % CONNECTIONS].clone(),
            Arc::clone(&script),
            Arc::clone(&count),
        );
        tokio::spawn(async move {
            let user = format!("{{floor-{task:036}}}");
            while begun.elapsed() < lasts {
                let mut call = script.prepare_invoke();
                for key in [
                    "sessions",
                    "01234567-89ab-cdef-0123-456789abcdef",
                    "11234567-89ab-cdef-0123-456789abcdef",
                ] {
                    call.key(format!("{user}:{key}"));
                }
                call.arg("01234567-89ab-cdef-0123-456789abcdef")
                    .arg(1)
                    .arg(2)
                    .arg(1_800_000_000_u64)
                    .arg(1_800_259_200_u64)
                    .arg(0)
                    .arg(0);
                call.arg("01234567-89ab-cdef-0123-456789abcdef")
                    .arg("")
                    .arg(0)
                    .arg(10_000)
                    .arg(600_000)
                    .arg(3)
                    .arg(1);
                let _: Vec<String> = call.invoke_async(&mut connection).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        })
    });
    for ended in try_join_all(tasks).await? {
        ended?;
    }
    figures.insert(
        "redis.call".to_owned(),
        micros(cpu().saturating_sub(before), count.load(Ordering::Relaxed)),
    );
    Ok(())
}
