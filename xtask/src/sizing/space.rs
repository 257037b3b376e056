//! What users and sessions take: memory in Redis, files of Postgres and SQLite.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use super::{Bench, settings, users::Users};
use crate::harness::{
    service::Instance,
    stores::{PostgresConnection, RedisConnection},
};

/// Sessions that some users get besides their first.
const MORE: u32 = 9;

/// Bytes of `used_memory`, keys of every kind and the tables that find them included.
pub(super) struct Redis {
    /// Of a user's only session, with the index.
    pub(super) first: f64,
    /// The same after everybody has refreshed once.
    pub(super) refreshed: f64,
    /// Of each further session of the same user.
    pub(super) further: f64,
}

/// Bytes of a table and of its indexes, for each row.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) heap: f64,
    pub(super) indexes: f64,
}

/// The tables that grow.
pub(super) struct Postgres(pub(super) Vec<Table>);

/// Bytes of the database's file for each user with a session.
pub(super) struct Sqlite {
    pub(super) each: f64,
}

/// Fills Redis and Postgres.
pub(super) async fn server(bench: &Bench<'_>) -> Result<(Redis, Postgres)> {
    eprintln!(
        "{} users with a session each, on Redis and Postgres",
        bench.args.users
    );
    let mut service = bench.service("sizing", "ES256").await?;
    let mut link = RedisConnection::connect(&bench.redis).await?;
    let users = bench.args.users;
    let empty = link.used_memory().await?;
    let mut people = Users::sign_up(service.url(), users).await?;
    let full = link.used_memory().await?;
    people.refresh_each().await?;
    let refreshed = link.used_memory().await?;
    let postgres = tables(bench).await?;
    let some = users / 100;
    let before = link.used_memory().await?;
    people.sign_in(some, MORE).await?;
    let after = link.used_memory().await?;
    service.stop().await?;
    let per = |from: u64, to: u64, number: u32| float(to.saturating_sub(from)) / f64::from(number);
    let redis = Redis {
        first: per(empty, full, users),
        refreshed: per(empty, refreshed, users),
        further: per(before, after, some * MORE),
    };
    Ok((redis, postgres))
}

async fn tables(bench: &Bench<'_>) -> Result<Postgres> {
    let client = PostgresConnection::open(&bench.postgres).await?;
    // Dead rows are gone and pages are as they would be in the long run.
    let mut tables = Vec::new();
    for name in ["users", "sessions"] {
        client
            .batch_execute(&format!("VACUUM sizing.{name}"))
            .await?;
        let sizes = format!(
            "SELECT pg_table_size('sizing.{name}'), pg_indexes_size('sizing.{name}'), (SELECT count(*) FROM sizing.{name})"
        );
        let row = client.query_one(&sizes, &[]).await?;
        let (heap, indexes, rows): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let each = |bytes: i64| float(bytes.unsigned_abs()) / float(rows.unsigned_abs().max(1));
        tables.push(Table {
            name,
            heap: each(heap),
            indexes: each(indexes),
        });
    }
    Ok(Postgres(tables))
}

/// Fills a file.
pub(super) async fn embedded(bench: &Bench<'_>) -> Result<Sqlite> {
    let users = bench.args.embedded_users;
    eprintln!("{users} users with a session each, on SQLite");
    let home = bench.folder.path().join("embedded");
    let mut service = Instance::start(
        &bench.binary,
        &settings().with("TOKENS__ALGORITHM", "ES256"),
        home.clone(),
    )
    .await?;
    let before = size(&home).unwrap_or_default();
    Users::sign_up(service.url(), users)
        .await?
        .refresh_each()
        .await?;
    // In order, so that the journal is in the file.
    service.stop().await?;
    let after = size(&home)?;
    Ok(Sqlite {
        each: float(after.saturating_sub(before)) / f64::from(users),
    })
}

fn size(home: &Path) -> Result<u64> {
    let file = home.join("data/revolve.sqlite3");
    Ok(fs::metadata(&file)
        .with_context(|| format!("{} is not there", file.display()))?
        .len())
}

/// Sizes of this world are far below what a float holds exactly.
#[expect(clippy::cast_precision_loss, reason = "a size in bytes is below 2^53")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}
