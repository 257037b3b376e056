//! Brings the tables up to date, one replica at a time.

use super::{connect::add_options, error::PostgresError};
use crate::sql::{
    migrations::{self, APPLIED, Script},
    missing_key,
};
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;
use tracing::{
    callsite::rebuild_interest_cache, instrument::WithSubscriber, subscriber::NoSubscriber,
};
use uuid::Uuid;

const MIGRATIONS: [Script; 6] = migrations::scripts!("postgres":
    "V1__accounts_and_sessions",
    "V2__signing_keys",
    "V3__epoch_raised_at",
    "V4__known_devices",
    "V5__disabled_accounts",
    "V8__email_keys",
);

/// The version of the tables once all have run.
pub(super) const LATEST: i64 = 8;

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
    let outcome = match run_missing(&mut client).await {
        Ok(ran) => set_keys(&client).await.map(|()| ran),
        Err(error) => Err(error),
    };
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
        .await;
    rebuild_interest_cache();
    Ok(migrations::log("Postgres", &report?))
}

/// Addresses that may be stored under the form of an earlier release: by the index that has only those, some at a time.
pub(super) const UNKEYED: &str = "SELECT id, email FROM users WHERE email_typed IS NULL \
    AND (octet_length(email) <> char_length(email) OR left(email, 1) = '\"') AND ($1::uuid IS NULL OR id > $1) ORDER BY id LIMIT 1000";
/// Nothing if another account has the key: then this one is found as it signed up. Nothing either if another replica was here first.
const SET_KEY: &str = "UPDATE users SET email = $2, email_typed = $3 WHERE id = $1 AND email = $3 \
    AND NOT EXISTS (SELECT FROM users WHERE email = $2)";

/// Stores addresses of an earlier release under their keys. Replicas may do so at once: each row is one statement.
async fn set_keys(client: &Client) -> Result<(), PostgresError> {
    let mut after: Option<Uuid> = None;
    loop {
        let rows = client.query(UNKEYED, &[&after]).await?;
        for row in &rows {
            let (id, stored): (Uuid, String) = (row.try_get("id")?, row.try_get("email")?);
            if let Some(address) = missing_key(&stored) {
                let set = client
                    .execute(SET_KEY, &[&id, &address.key(), &stored])
                    .await;
                // An account of the same key was made between the look and the commit.
                match set.map_err(PostgresError::from) {
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
                4_727_926_498_398_406_473,
            ],
        );
    }
}
