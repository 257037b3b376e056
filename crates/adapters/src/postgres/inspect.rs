//! A look at a Postgres that changes nothing: no table is made, a standby is looked at as well.

use super::{
    PostgresConfig, STORE,
    database::{connector, place},
    error::Fault,
    migrate::LATEST,
    url,
    values::At,
};
use revolve_domain::{model::Timestamp, ports::StoreError};
use secrecy::ExposeSecret;
use tokio::time::timeout;
use tokio_postgres::{Client, config::TargetSessionAttrs};

const OPERATION: &str = "look at it";

const LOOK: &str = "
    SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
        current_setting('fsync') = 'on', current_setting('synchronous_commit') <> 'off', current_setting('max_connections')::bigint,
        to_regclass('refinery_schema_history') IS NOT NULL";
const CLOCK: &str = "SELECT clock_timestamp()";
const SCHEMA: &str = "SELECT coalesce(max(version), 0)::bigint FROM refinery_schema_history";

/// What a Postgres says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "settings that are on or off, each by itself")]
pub struct PostgresFacts {
    /// Host, port and database.
    pub place: String,
    /// Its version.
    pub version: String,
    /// It follows a primary.
    pub standby: bool,
    /// It takes no writes, for whatever reason.
    pub read_only: bool,
    /// What is committed reaches the disk (`fsync`).
    pub fsync: bool,
    /// A commit is answered when it is on the disk (`synchronous_commit` is not `off`).
    pub synchronous: bool,
    /// Connections that it takes at most.
    pub max_connections: i64,
    /// The version of its tables; `None` if there are none yet.
    pub schema: Option<i64>,
    /// The version of the tables that this program works with.
    pub wanted_schema: i64,
    /// Its clock.
    pub clock: Timestamp,
}

/// Looks at the Postgres of a configuration: the primary if several hosts are named, any of them if there is none. `now` is called right
/// after its clock was read.
///
/// # Errors
/// If it can't be reached in time or refuses; a source names host, port and database, never the password.
pub async fn inspect<T>(config: &PostgresConfig, now: impl FnOnce() -> T) -> Result<(PostgresFacts, T), StoreError> {
    let mut settings = url::read(config.url.expose_secret()).map_err(|mistake| StoreError::broken(STORE, OPERATION, mistake))?;
    let tls = connector(&settings, &config.tls).map_err(|mistake| StoreError::broken(STORE, OPERATION, mistake))?;
    settings.application_name("revolve doctor").connect_timeout(config.timeout);
    let place = place(&settings);
    let failed = |fault: Fault| fault.into_store_error(OPERATION, &place);
    let mut primary = settings.clone();
    primary.target_session_attrs(TargetSessionAttrs::ReadWrite);
    let patience = config.timeout * u32::try_from(settings.get_hosts().len().max(1)).unwrap_or(1);
    let connected = match timeout(patience, primary.connect(tls.clone())).await {
        Ok(Ok(connected)) => connected,
        // Perhaps there is no primary: then what is there says so.
        Ok(Err(first)) => match timeout(patience, settings.connect(tls)).await {
            Ok(Ok(connected)) => connected,
            _ => return Err(failed(first.into())),
        },
        Err(_) => return Err(failed(Fault::Late)),
    };
    let (client, connection) = connected;
    let connection = tokio::spawn(connection);
    let looked = timeout(patience, look(&client, place.clone(), now)).await;
    drop(client);
    drop(connection.await);
    looked.unwrap_or(Err(Fault::Late)).map_err(failed)
}

async fn look<T>(client: &Client, place: String, now: impl FnOnce() -> T) -> Result<(PostgresFacts, T), Fault> {
    let row = client.query_one(LOOK, &[]).await?;
    let tables: bool = row.try_get(6)?;
    let schema = if tables { Some(client.query_one(SCHEMA, &[]).await?.try_get(0)?) } else { None };
    let At(clock) = client.query_one(CLOCK, &[]).await?.try_get(0)?;
    let now = now();
    let facts = PostgresFacts {
        place,
        version: row.try_get(0)?,
        standby: row.try_get(1)?,
        read_only: row.try_get(2)?,
        fsync: row.try_get(3)?,
        synchronous: row.try_get(4)?,
        max_connections: row.try_get(5)?,
        schema,
        wanted_schema: LATEST,
        clock,
    };
    Ok((facts, now))
}
