//! Live sessions of other users, written into the stores as the service would. No client has their tokens.

use anyhow::{Context as _, Result};
use url::Url;

use crate::harness::stores::{PostgresConnection, RedisConnection};

/// Sessions at a time, so that Redis answers others in between.
const AT_ONCE: usize = 5_000;
/// In seconds: longer than the run.
const LIFE: u64 = 259_200;

/// ARGV: number of the first, count, lifetime in seconds. Writes the keys of a session each, as `begin` does.
const SESSIONS: &str = "
    local now = redis.call('TIME')[1]
    for n = ARGV[1], ARGV[1] + ARGV[2] - 1 do
        local uid = string.format('%08x-0000-7000-8000-%012x', n, n)
        local sid = string.format('%08x-1111-7000-8000-%012x', n, n)
        local jti = string.format('%022x', n)
        local token, index = '{' .. uid .. '}:' .. jti, '{' .. uid .. '}:sessions'
        redis.call('HSET', token, 'gen', '1', 'iat', now, 'exp', now + ARGV[3], 'rotated_at', now .. '000')
        redis.call('HSET', index, sid, '1:' .. jti)
        redis.call('EXPIRE', token, ARGV[3])
        redis.call('EXPIRE', index, ARGV[3])
    end";

/// Writes two keys for each session.
pub(super) async fn redis(url: &Url, sessions: usize) -> Result<()> {
    let mut redis = RedisConnection::connect(url).await?;
    for first in (0..sessions).step_by(AT_ONCE) {
        let count = AT_ONCE.min(sessions - first);
        redis
            .run(
                SESSIONS,
                &[first.to_string(), count.to_string(), LIFE.to_string()],
            )
            .await?;
    }
    Ok(())
}

/// Writes a user and a session each, as copies of rows that exist, whatever columns they have.
pub(super) async fn postgres(url: &Url, schema: &str, sessions: usize) -> Result<()> {
    let client = PostgresConnection::open(url).await?;
    let copy = |table: &str, own: String| {
        format!(
            "INSERT INTO {schema}.{table} SELECT r.* FROM (SELECT x FROM {schema}.{table} x LIMIT 1) t, generate_series(0, {sessions} - 1) n,
             LATERAL jsonb_populate_record(t.x, jsonb_build_object({own})) r; ANALYZE {schema}.{table};"
        )
    };
    let users = copy(
        "users",
        format!(
            "'id', {}, 'email', 'other-' || n || '@example.org'",
            id("0000")
        ),
    );
    let sessions = copy(
        "sessions",
        format!(
            "'id', {}, 'user_id', {}, 'device_id', {}",
            id("1111"),
            id("0000"),
            id("3333")
        ),
    );
    client.batch_execute(&users).await.context("users")?;
    client.batch_execute(&sessions).await.context("sessions")?;
    client.close().await;
    Ok(())
}

/// The id of the row of this number, `n` in the statement.
pub(super) fn id(infix: &str) -> String {
    format!("(lpad(to_hex(n), 8, '0') || '-{infix}-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid")
}
