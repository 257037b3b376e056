//! Brings the tables up to date, one replica at a time.

use super::{connect::Probe, error::PostgresError, pooling::PoolMode, transaction::begin};
use crate::sql::{
    migrations::{self, APPLIED, Script},
    missing_key,
};
use refinery::{AsyncMigrate, Migration, Report};
use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio_postgres::{
    Client, Error, Row,
    error::SqlState,
    types::{ToSql, Type},
};
use tracing::{
    callsite::rebuild_interest_cache, instrument::WithSubscriber, subscriber::NoSubscriber,
};
use uuid::Uuid;

const MIGRATIONS: [Script; 19] = migrations::scripts!("postgres":
    "V1__accounts_and_sessions",
    "V2__signing_keys",
    "V3__epoch_raised_at",
    "V4__known_devices",
    "V5__disabled_accounts",
    "V6__devices",
    "V7__ended_in",
    "V8__email_keys",
    "V9__journal",
    "V10__deliveries",
    "V11__proofs",
    "V12__session_amr",
    "V13__deferred_deliveries",
    "V14__roles",
    "V15__api_keys",
    "V16__journal_of_event",
    "V17__webhooks",
    "V18__quiet_mailboxes",
    "V19__factors",
);

/// The version of the tables once all have run.
pub(super) const LATEST: i64 = 19;

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

/// Runs what is missing on a connection of its own; no time-out of the server cuts a migration. Answers the names of what it
/// ran.
pub(super) async fn run(mut probe: Probe) -> Result<Vec<String>, PostgresError> {
    let outcome = match run_missing(&mut probe.client, probe.mode).await {
        Ok(ran) => set_keys(&probe.client).await.map(|()| ran),
        Err(error) => Err(error),
    };
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

/// Addresses that may be stored under the form of an earlier release: by the index that has only those, some at a time.
pub(super) const UNKEYED: &str = "SELECT id, email FROM users WHERE email_typed IS NULL \
    AND (octet_length(email) <> char_length(email) OR left(email, 1) = '\"') AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT 1000";
/// Nothing if another account has the key: then this one is found as it signed up. Nothing either if another replica was here first.
const SET_KEY: &str = "UPDATE users SET email = $2, email_typed = $3 WHERE id = $1 AND email = $3 \
    AND NOT EXISTS (SELECT FROM users WHERE email = $2)";

/// Stores addresses of an earlier release under their keys. A start does not wait for a lock on the table: such accounts are found without
/// it, too, and the next start does what is left.
async fn set_keys(client: &Client) -> Result<(), PostgresError> {
    match set_all_keys(client).await {
        Err(PostgresError::Sql(error)) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => {
            tracing::warn!("the accounts are locked: the next start stores the keys of addresses");
            Ok(())
        }
        outcome => outcome,
    }
}

/// Replicas may do so at once: each row is one statement.
async fn set_all_keys(client: &Client) -> Result<(), PostgresError> {
    let mut after: Option<Uuid> = None;
    loop {
        let rows = hurried(client, UNKEYED, &[(&after, Type::UUID)]).await?;
        for row in &rows {
            let (id, stored): (Uuid, String) = (row.try_get("id")?, row.try_get("email")?);
            if let Some(address) = missing_key(&stored) {
                let params: [(&(dyn ToSql + Sync), Type); 3] = [
                    (&id, Type::UUID),
                    (&address.key(), Type::TEXT),
                    (&stored, Type::TEXT),
                ];
                let set = hurried(client, SET_KEY, &params).await;
                // An account of the same key was made between the look and the commit.
                match set {
                    Err(error) if !error.is_taken_email() => return Err(error),
                    _ => {}
                }
            }
            after = Some(id);
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// One statement, which waits for a lock for two seconds at most.
async fn hurried(
    client: &Client,
    sql: &str,
    params: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, PostgresError> {
    let begin = begin("READ COMMITTED", &[("lock_timeout", 2000)]);
    client.batch_execute(&begin).await?;
    let rows = client.query_typed(sql, params).await;
    let end = if rows.is_ok() { "COMMIT" } else { "ROLLBACK" };
    client.batch_execute(end).await?;
    Ok(rows?)
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
        let (last, _) = MIGRATIONS[MIGRATIONS.len() - 1];
        assert!(last.starts_with(&format!("V{LATEST}__")), "{last}");
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
                4_727_926_498_398_406_473,
                10_801_142_422_330_044_818,
                4_537_688_790_676_067_242,
                16_723_308_424_561_664_301,
                1_219_798_411_468_261_382,
                6_367_035_919_789_756_907,
                15_369_022_367_046_845_402,
                3_102_833_524_685_260_074,
                4_492_248_375_682_116_365,
                929_511_105_697_334_749,
                15_122_347_956_563_413_554,
                5_827_149_885_350_010_404,
            ],
        );
    }

    /// Every refresh reads an account, and waits as long as a migration has locked their table.
    #[test]
    fn nothing_that_grows_with_a_table_is_done_while_accounts_are_locked() {
        // Those before are released, and had fewer rows.
        for (name, sql) in &MIGRATIONS[13..] {
            let locked = ["ALTER TABLE users", "DROP INDEX users"];
            let from = locked.iter().filter_map(|lock| sql.find(lock)).min();
            let under_lock = from.map_or("", |from| &sql[from..]);
            for long in [" CHECK ", "CREATE INDEX", "INSERT INTO", "UPDATE users"] {
                assert!(!under_lock.contains(long), "{name}: {long}");
            }
        }
    }
}
