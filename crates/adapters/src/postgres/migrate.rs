//! Brings the tables up to date, one replica at a time.

use super::{database::add_options, error::Fault};
use refinery::{Migration, Runner};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

const MIGRATIONS: [(&str, &str); 5] = [
    ("V1__accounts_and_sessions", include_str!("../../migrations/postgres/V1__accounts_and_sessions.sql")),
    ("V2__signing_keys", include_str!("../../migrations/postgres/V2__signing_keys.sql")),
    ("V3__epoch_raised_at", include_str!("../../migrations/postgres/V3__epoch_raised_at.sql")),
    ("V4__known_devices", include_str!("../../migrations/postgres/V4__known_devices.sql")),
    ("V5__disabled_accounts", include_str!("../../migrations/postgres/V5__disabled_accounts.sql")),
];

/// The version of the tables once all have run.
#[expect(clippy::cast_possible_wrap, reason = "a few")]
pub(super) const LATEST: i64 = MIGRATIONS.len() as i64;

/// One lock per schema, so that installations that share a database don't wait for each other. It goes with the
/// connection, whatever happens.
const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";

/// Runs what is missing on a connection of its own, which no time-out of the server cuts; only connecting to it must not
/// take longer than `patience`. Says what was missing.
pub(super) async fn run(mut config: Config, tls: MakeRustlsConnect, patience: Duration) -> Result<Vec<String>, Fault> {
    add_options(&mut config, "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0");
    let (mut client, connection) = timeout(patience, config.connect(tls)).await.map_err(|_| Fault::Late)??;
    let connection = tokio::spawn(connection);
    let outcome = locked(&mut client).await;
    drop(client);
    // It ends once the client is gone; whatever failed in it failed for the client, too.
    drop(connection.await);
    outcome
}

async fn locked(client: &mut Client) -> Result<Vec<String>, Fault> {
    client.batch_execute(LOCK).await?;
    let migrations = MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>()?;
    let report = Runner::new(&migrations).run_async(client).await?;
    for migration in report.applied_migrations() {
        tracing::info!(%migration, "migrated the tables in Postgres");
    }
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}
