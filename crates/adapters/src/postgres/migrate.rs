//! Brings the tables up to date, one replica at a time.

use super::{connect::add_options, error::PostgresError};
use crate::sql::migrations::{self, APPLIED, Script};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

const MIGRATIONS: [Script; 6] = migrations::scripts!("postgres":
    "V1__accounts_and_sessions",
    "V2__signing_keys",
    "V3__epoch_raised_at",
    "V4__known_devices",
    "V5__disabled_accounts",
    "V6__ended_in",
);

/// The version of the tables once all have run.
#[expect(clippy::cast_possible_wrap, reason = "a few")]
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// One lock per schema, so that installations that share a database don't wait for each other. It ends with the
/// connection, whatever happens.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";

/// Whether any have run, in the schema that tables would be made in: the next in the search path may be another installation's.
const KNOWN: &str = "SELECT to_regclass(quote_ident(current_schema()) || '.refinery_schema_history') IS NOT NULL AS known, \
    current_setting('server_encoding') AS encoding";

/// The only encoding that holds every text.
const ENCODING: &str = "UTF8";

/// Runs what is missing on a connection of its own, which no time-out of the server cuts; only connecting may take no
/// longer than `patience`. Answers the names of what it ran.
pub(super) async fn run(
    mut config: Config,
    tls: MakeRustlsConnect,
    patience: Duration,
) -> Result<Vec<String>, PostgresError> {
    add_options(
        &mut config,
        "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0",
    );
    let (mut client, connection) = timeout(patience, config.connect(tls))
        .await
        .map_err(|_| PostgresError::TimedOut)??;
    let connection = tokio::spawn(connection);
    let outcome = run_missing(&mut client).await;
    drop(client);
    // It ends with the client; what failed in it failed for the client, too.
    drop(connection.await);
    outcome
}

async fn run_missing(client: &mut Client) -> Result<Vec<String>, PostgresError> {
    if migrations::are_all(&applied(client).await?, &MIGRATIONS) {
        return Ok(Vec::new());
    }
    client.batch_execute(LOCK).await?;
    let report = migrations::runner(&MIGRATIONS)?
        .run_async(client)
        .with_subscriber(NoSubscriber::new())
        .await?;
    Ok(migrations::log("Postgres", &report))
}

/// None if there are no tables yet. Refuses a database that can't hold every text.
async fn applied(client: &Client) -> Result<Vec<String>, PostgresError> {
    let row = client.query_one(KNOWN, &[]).await?;
    let encoding: String = row.try_get("encoding")?;
    if encoding != ENCODING {
        return Err(PostgresError::Encoding(encoding));
    }
    if !row.try_get("known")? {
        return Ok(Vec::new());
    }
    let rows = client.query(APPLIED, &[]).await?;
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
                14_697_092_411_574_738_420,
            ],
        );
    }
}
