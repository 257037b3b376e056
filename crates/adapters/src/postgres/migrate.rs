//! Brings the tables up to date, one replica at a time.

use super::{connect::Probe, error::PostgresError, pooling::PoolMode, transaction::begin};
use crate::sql::migrations::{self, APPLIED, Script};
use refinery::{AsyncMigrate, Migration, Report};
use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::{Client, Error, Row};
use tracing::{
    callsite::rebuild_interest_cache, instrument::WithSubscriber, subscriber::NoSubscriber,
};

const MIGRATIONS: [Script; 7] = migrations::scripts!("postgres":
    "V1__accounts_and_sessions",
    "V2__signing_keys",
    "V3__epoch_raised_at",
    "V4__known_devices",
    "V5__disabled_accounts",
    "V6__devices",
    "V7__ended_in",
);

/// The version of the tables once all have run.
#[expect(clippy::cast_possible_wrap, reason = "a few")]
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// One lock per schema, so that installations that share a database don't wait for each other. It ends with the
/// connection, whatever happens.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";

/// The same lock, which ends with the transaction: a pooler's session would keep the other.
const LOCK_IN_TRANSACTION: &str = "SELECT pg_advisory_xact_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";

/// The time-outs that would cut migrations.
const TIME_OUTS: [&str; 3] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
];

/// Whether any have run, in the schema that tables would be made in: the next in the search path may be another installation's.
const KNOWN: &str = "SELECT to_regclass(quote_ident(current_schema()) || '.refinery_schema_history') IS NOT NULL AS known, \
    current_setting('server_encoding') AS encoding";

/// The only encoding that holds every text.
const ENCODING: &str = "UTF8";

/// Runs what is missing on a connection of its own, which no time-out of the server cuts. Answers the names of what it
/// ran.
pub(super) async fn run(mut probe: Probe) -> Result<Vec<String>, PostgresError> {
    let outcome = run_missing(&mut probe.client, probe.mode).await;
    probe.close().await;
    outcome
}

async fn run_missing(client: &mut Client, mode: PoolMode) -> Result<Vec<String>, PostgresError> {
    if migrations::are_all(&applied(client).await?, &MIGRATIONS) {
        return Ok(Vec::new());
    }
    let report = match mode {
        PoolMode::Session => run_in_session(client).await,
        PoolMode::Transaction => run_in_transaction(client).await,
    };
    rebuild_interest_cache();
    Ok(migrations::log("Postgres", &report?))
}

/// One transaction for each.
async fn run_in_session(client: &mut Client) -> Result<Report, PostgresError> {
    let unlimited = TIME_OUTS.map(|name| format!("SET {name} = 0"));
    client.batch_execute(&unlimited.join("; ")).await?;
    client.batch_execute(LOCK).await?;
    Ok(migrations::runner(&MIGRATIONS)?
        .run_async(client)
        .with_subscriber(NoSubscriber::new())
        .await?)
}

/// One transaction for all: it holds the lock.
async fn run_in_transaction(client: &Client) -> Result<Report, PostgresError> {
    let unlimited = TIME_OUTS.map(|name| (name, 0));
    client
        .batch_execute(&begin("READ COMMITTED", &unlimited))
        .await?;
    client.batch_execute(LOCK_IN_TRANSACTION).await?;
    let report = migrations::runner(&MIGRATIONS)?
        .run_async(&mut OpenTransaction(client))
        .with_subscriber(NoSubscriber::new())
        .await?;
    client.batch_execute("COMMIT").await?;
    Ok(report)
}

/// Runs migrations in a transaction that is open already, without a named statement. A failure closes the connection,
/// which ends the transaction.
struct OpenTransaction<'a>(&'a Client);

impl AsyncTransaction for OpenTransaction<'_> {
    type Error = Error;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Error> {
        let mut count = 0;
        for query in queries {
            self.0.batch_execute(query).await?;
            count += 1;
        }
        Ok(count)
    }
}

impl AsyncQuery<Vec<Migration>> for OpenTransaction<'_> {
    async fn query(&mut self, query: &str) -> Result<Vec<Migration>, Error> {
        let rows = self.0.query_typed(query, &[]).await?;
        rows.iter().map(migration).collect()
    }
}

impl AsyncMigrate for OpenTransaction<'_> {}

/// A row of the library's own table.
fn migration(row: &Row) -> Result<Migration, Error> {
    let (at, checksum): (&str, &str) = (row.try_get("applied_on")?, row.try_get("checksum")?);
    Ok(Migration::applied(
        row.try_get("version")?,
        row.try_get("name")?,
        // The library compares versions, names and checksums; no checksum is 0.
        OffsetDateTime::parse(at, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        checksum.parse().unwrap_or_default(),
    ))
}

/// None if there are no tables yet. Refuses a database that can't hold every text.
async fn applied(client: &Client) -> Result<Vec<String>, PostgresError> {
    let row = client.query_typed_one(KNOWN, &[]).await?;
    let encoding: String = row.try_get("encoding")?;
    if encoding != ENCODING {
        return Err(PostgresError::Encoding(encoding));
    }
    if !row.try_get("known")? {
        return Ok(Vec::new());
    }
    let rows = client.query_typed(APPLIED, &[]).await?;
    let names = rows.iter().map(|row| row.try_get("migration"));
    Ok(names.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_is_never_edited() {
        migrations::assert_unchanged(
            &MIGRATIONS,
            &[
                3_221_486_096_679_121_752,
                8_201_126_193_444_049_300,
                18_208_285_211_424_890_098,
                10_330_961_919_917_916_286,
                8_594_679_555_467_291_214,
                12_421_951_948_424_253_249,
                5_628_711_364_734_191_669,
            ],
        );
    }
}
