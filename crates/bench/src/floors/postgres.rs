//! A read by primary key, that of a refresh, through one connection on which all tasks' queries are pipelined.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio_postgres::NoTls;
use uuid::Uuid;

use super::{Figures, cpu, micros};

const TASKS: u32 = 64;
const ROWS: u32 = 10_000;
/// Rows like those of a session and its user.
const TABLES: &str = "
    DROP TABLE IF EXISTS floor_sessions, floor_users;
    CREATE TABLE floor_users (id uuid PRIMARY KEY, email text NOT NULL, password_hash text NOT NULL, name text, website text,
        image_url text, created_at timestamptz NOT NULL, disabled_at timestamptz, session_epoch bigint NOT NULL, kept_sid uuid);
    CREATE TABLE floor_sessions (id uuid PRIMARY KEY, user_id uuid NOT NULL, device_id uuid NOT NULL, device_name text, user_agent text,
        address inet, epoch bigint NOT NULL, began_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, bound_at timestamptz,
        ended_at timestamptz, end_reason text, origin text);
    INSERT INTO floor_users SELECT lpad(to_hex(n), 32, '0')::uuid, 'person-' || n || '@example.org', repeat('x', 97), NULL, NULL, NULL,
        now(), NULL, 0, NULL FROM generate_series(0, 9999) n;
    INSERT INTO floor_sessions SELECT u.id, u.id, u.id, NULL, NULL, '127.0.0.1', 0, now(), now(), NULL, NULL, NULL, NULL FROM floor_users u;
    ANALYZE floor_users, floor_sessions";
/// One round trip, two look-ups by primary key, every column that a refresh looks at.
const READ: &str = "
    SELECT s.id, s.user_id, s.device_id, s.device_name, s.user_agent, s.address, s.origin, s.epoch, s.began_at, s.ends_at, s.bound_at,
        s.ended_at, s.end_reason, u.id, u.email, u.name, u.website, u.image_url, u.created_at, u.disabled_at, u.session_epoch, u.kept_sid
    FROM floor_sessions s LEFT JOIN floor_users u ON u.id = s.user_id WHERE s.id = $2 AND s.user_id = $1";

pub(super) async fn measure(figures: &mut Figures, url: &str, lasts: Duration) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .context("Postgres does not answer")?;
    let driver = tokio::spawn(connection);
    client.batch_execute(TABLES).await?;
    let client = Arc::new(client);
    let statement = client.prepare(READ).await?;
    let count = Arc::new(AtomicU32::new(0));
    let (begun, before) = (Instant::now(), cpu());
    let tasks = (0..TASKS).map(|task| {
        let (client, statement, count) =
            (Arc::clone(&client), statement.clone(), Arc::clone(&count));
        tokio::spawn(async move {
            let mut number = task;
            while begun.elapsed() < lasts {
                number = (number + TASKS) % ROWS;
                let id = Uuid::from_u128(number.into());
                let rows = client.query(&statement, &[&id, &id]).await?;
                let email: &str = rows.first().context("no row")?.try_get(14)?;
                anyhow::ensure!(!email.is_empty(), "no address");
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        })
    });
    for ended in try_join_all(tasks).await? {
        ended?;
    }
    figures.insert(
        "postgres.read".to_owned(),
        micros(cpu().saturating_sub(before), count.load(Ordering::Relaxed)),
    );
    drop(client);
    driver.await??;
    Ok(())
}
