//! What users and sessions take: memory in Redis, files of Postgres and SQLite.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::{
    figures::{PostgresSize, RedisSize, SqliteSize, TableSize},
    setup::{Setup, settings},
    users::Users,
};
use crate::harness::{
    service::Instance,
    statistics::float,
    stores::{PostgresConnection, RedisConnection},
};

/// Further sessions of some users.
const MORE: u32 = 9;

/// Fills and measures Redis and Postgres.
pub(super) async fn server(setup: &Setup<'_>) -> Result<(RedisSize, PostgresSize)> {
    eprintln!(
        "{} users with a session each, on Redis and Postgres",
        setup.args.users
    );
    let mut service = setup.service("sizing", "ES256").await?;
    let mut redis = RedisConnection::connect(&setup.redis_url()?).await?;
    let users = setup.args.users;
    let empty = redis.used_memory().await?;
    let mut clients = Users::sign_up(service.url(), users).await?;
    let full = redis.used_memory().await?;
    clients.refresh_each().await?;
    let refreshed = redis.used_memory().await?;
    let postgres = tables(setup).await?;
    let some = users / 100;
    let before = redis.used_memory().await?;
    clients.sign_in(some, MORE).await?;
    let after = redis.used_memory().await?;
    service.stop().await?;
    let per = |from: u64, to: u64, number: u32| float(to.saturating_sub(from)) / f64::from(number);
    let redis = RedisSize {
        first: per(empty, full, users),
        refreshed: per(empty, refreshed, users),
        further: per(before, after, some * MORE),
    };
    Ok((redis, postgres))
}

async fn tables(setup: &Setup<'_>) -> Result<PostgresSize> {
    let client = PostgresConnection::open(&setup.postgres_url()?).await?;
    let mut lasting = Vec::new();
    for name in ["users", "sessions"] {
        lasting.push(table(&client, name).await?);
    }
    Ok(PostgresSize {
        lasting,
        journal: table(&client, "journal").await?,
    })
}

async fn table(client: &PostgresConnection, name: &'static str) -> Result<TableSize> {
    // Removes dead rows, as in the long run.
    client
        .batch_execute(&format!("VACUUM sizing.{name}"))
        .await?;
    let sizes = format!(
        "SELECT pg_table_size('sizing.{name}'), pg_indexes_size('sizing.{name}'), (SELECT count(*) FROM sizing.{name})"
    );
    let row = client.query_one(&sizes, &[]).await?;
    let (heap, indexes, rows): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    let each = |bytes: i64| float(bytes.unsigned_abs()) / float(rows.unsigned_abs().max(1));
    Ok(TableSize {
        name,
        heap: each(heap),
        indexes: each(indexes),
    })
}

/// Fills and measures a file.
pub(super) async fn embedded(setup: &Setup<'_>) -> Result<SqliteSize> {
    let users = setup.args.embedded_users;
    eprintln!("{users} users with a session each, on SQLite");
    let home = setup.folder.path().join("embedded");
    let mut service = Instance::start(
        &setup.binary,
        &settings().with("TOKENS__ALGORITHM", "ES256"),
        home.clone(),
    )
    .await?;
    let before = size(&home).unwrap_or_default();
    Users::sign_up(service.url(), users)
        .await?
        .refresh_each()
        .await?;
    // In order, so that the log is in the file.
    service.stop().await?;
    let after = size(&home)?;
    Ok(SqliteSize {
        each: float(after.saturating_sub(before)) / f64::from(users),
    })
}

fn size(home: &Path) -> Result<u64> {
    let file = home.join("data/revolve.sqlite3");
    Ok(fs::metadata(&file)
        .with_context(|| format!("{} is not there", file.display()))?
        .len())
}
