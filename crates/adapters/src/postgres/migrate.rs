//! Brings the tables up to date, one replica at a time.

use super::{database::add_options, error::Fault};
use crate::sql::migrations::{self, APPLIED, Script};
use refinery::Runner;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

const MIGRATIONS: [Script; 5] = [
    (
        "V1__accounts_and_sessions",
        include_str!("../../migrations/postgres/V1__accounts_and_sessions.sql"),
    ),
    (
        "V2__signing_keys",
        include_str!("../../migrations/postgres/V2__signing_keys.sql"),
    ),
    (
        "V3__epoch_raised_at",
        include_str!("../../migrations/postgres/V3__epoch_raised_at.sql"),
    ),
    (
        "V4__known_devices",
        include_str!("../../migrations/postgres/V4__known_devices.sql"),
    ),
    (
        "V5__disabled_accounts",
        include_str!("../../migrations/postgres/V5__disabled_accounts.sql"),
    ),
];

/// The version of the tables once all have run.
#[expect(clippy::cast_possible_wrap, reason = "a few")]
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// One lock per schema, so that installations that share a database don't wait for each other. It goes with the
/// connection, whatever happens.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";

/// Whether any have run, in the schema that tables would be made in: the next in the search path may be another installation's.
const KNOWN: &str =
    "SELECT to_regclass(quote_ident(current_schema()) || '.refinery_schema_history') IS NOT NULL";

/// Runs what is missing on a connection of its own, which no time-out of the server cuts; only connecting to it must not
/// take longer than `patience`. Says what was missing.
pub(super) async fn run(
    mut config: Config,
    tls: MakeRustlsConnect,
    patience: Duration,
) -> Result<Vec<String>, Fault> {
    add_options(
        &mut config,
        "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0",
    );
    let (mut client, connection) = timeout(patience, config.connect(tls))
        .await
        .map_err(|_| Fault::Late)??;
    let connection = tokio::spawn(connection);
    let outcome = missing(&mut client).await;
    drop(client);
    // It ends once the client is gone; whatever failed in it failed for the client, too.
    drop(connection.await);
    outcome
}

async fn missing(client: &mut Client) -> Result<Vec<String>, Fault> {
    if migrations::are_all(&applied(client).await?, &MIGRATIONS) {
        return Ok(Vec::new());
    }
    client.batch_execute(LOCK).await?;
    let report = Runner::new(&migrations::parse(&MIGRATIONS)?)
        .run_async(client)
        .await?;
    for migration in report.applied_migrations() {
        tracing::info!(%migration, "migrated the tables in Postgres");
    }
    Ok(report
        .applied_migrations()
        .iter()
        .map(ToString::to_string)
        .collect())
}

/// None if there are no tables yet.
async fn applied(client: &Client) -> Result<Vec<String>, Fault> {
    if client.query_one(KNOWN, &[]).await?.try_get(0)? {
        Ok(client
            .query(APPLIED, &[])
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?)
    } else {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_is_never_edited() {
        let sums: Vec<u64> = migrations::parse(&MIGRATIONS)
            .unwrap()
            .iter()
            .map(refinery::Migration::checksum)
            .collect();
        let released = [
            3_221_486_096_679_121_752,
            8_201_126_193_444_049_300,
            18_208_285_211_424_890_098,
            10_330_961_919_917_916_286,
            8_594_679_555_467_291_214,
        ];
        assert_eq!(
            sums, released,
            "a change of tables is a new migration: starts don't look at the text of those that were applied"
        );
    }
}
