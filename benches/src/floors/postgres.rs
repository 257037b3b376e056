//! A read by primary key, through one connection on which all tasks' queries are pipelined.

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
/// A row about as wide as that of a session.
const TABLE: &str = "
    DROP TABLE IF EXISTS floor;
    CREATE TABLE floor (id uuid PRIMARY KEY, owner uuid NOT NULL, email text NOT NULL, epoch bigint NOT NULL, began_at timestamptz NOT NULL);
    INSERT INTO floor SELECT lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n), 32, 'f')::uuid, 'person-' || n || '@example.org', 0, now()
        FROM generate_series(0, 9999) n;
    ANALYZE floor";

pub(super) async fn measure(figures: &mut Figures, url: &str, lasts: Duration) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("Postgres does not answer")?;
    let driver = tokio::spawn(connection);
    client.batch_execute(TABLE).await?;
    let client = Arc::new(client);
    let statement = client.prepare("SELECT id, owner, email, epoch, began_at FROM floor WHERE id = $1").await?;
    let count = Arc::new(AtomicU32::new(0));
    let (begun, before) = (Instant::now(), cpu());
    let tasks = (0..TASKS).map(|task| {
        let (client, statement, count) = (Arc::clone(&client), statement.clone(), Arc::clone(&count));
        tokio::spawn(async move {
            let mut number = task;
            while begun.elapsed() < lasts {
                number = (number + TASKS) % ROWS;
                let rows = client.query(&statement, &[&Uuid::from_u128(number.into())]).await?;
                let email: &str = rows.first().context("no row")?.try_get(2)?;
                anyhow::ensure!(!email.is_empty(), "no address");
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        })
    });
    for ended in try_join_all(tasks).await? {
        ended?;
    }
    figures.insert("postgres.read".to_owned(), micros(cpu().saturating_sub(before), count.load(Ordering::Relaxed)));
    drop(client);
    driver.await??;
    Ok(())
}
