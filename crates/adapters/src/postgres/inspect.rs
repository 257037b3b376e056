//! Inspects a Postgres without changing it: no table is made, a standby will do, and a lock of another process is not
//! waited for past the deadline.

use super::{
    config::PostgresConfig,
    connect::{Probe, connector, place},
    database::decoded,
    error::{PostgresError, STORE},
    migrate::{LATEST, UNKEYED},
    pooling::PoolMode,
    transaction::begin,
    url,
    values::PgTimestamp,
};
use crate::sql;
use revolve_domain::{
    deliveries::Backlog,
    keys::StoredKey,
    model::{Timestamp, UserId},
    ports::StoreError,
    webhooks::Webhook,
};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::{
    Client,
    config::{Host, SslMode, TargetSessionAttrs},
    types::Type,
};
use uuid::Uuid;

const OPERATION: &str = "look at it";

const LOOK: &str = "
    SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
        current_setting('transaction_read_only') = 'on' AS read_only, current_setting('fsync') = 'on' AS fsync,
        current_setting('synchronous_commit') AS synchronous_commit,
        current_setting('synchronous_standby_names') AS synchronous_standby_names,
        current_setting('max_connections')::bigint AS max_connections, current_setting('server_encoding') AS encoding,
        to_regclass('refinery_schema_history') IS NOT NULL AS has_tables";
/// Standbys that follow the log, without backups and subscribers, which could not take over; and the slots that wait for one.
const STANDBYS: &str = "
    SELECT (
        SELECT count(*) FROM pg_stat_replication WHERE coalesce(state, '') <> 'backup'
            AND pid NOT IN (SELECT active_pid FROM pg_replication_slots WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
    ) AS following, (
        SELECT count(*) FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active AND NOT temporary
    ) AS awaited";
const ENDED: &str =
    "SELECT count(*) AS ended FROM sessions WHERE ended_at >= now() - interval '1 hour'";
const CLOCK: &str = "SELECT clock_timestamp() AS clock";
const SCHEMA: &str =
    "SELECT coalesce(max(version), 0)::bigint AS schema FROM refinery_schema_history";

const HOLDER: &str = "SELECT id, email FROM users WHERE email = $1";

/// The servers that could take over from a Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standbys {
    /// Standbys that follow.
    pub following: i64,
    /// Physical replication slots that no standby uses at the moment.
    pub awaited: i64,
}

/// The state and the settings of a Postgres.
#[derive(Debug)]
pub struct PostgresFacts {
    /// Host, port and database.
    pub place: String,
    /// Whose session of the server a connection has.
    pub pool_mode: PoolMode,
    /// Its version.
    pub version: String,
    /// It follows a primary.
    pub standby: bool,
    /// It takes no writes, for any reason.
    pub read_only: bool,
    /// What is committed reaches the disk (`fsync`).
    pub fsync: bool,
    /// When a commit is answered (`synchronous_commit`), for the user of the URL.
    pub synchronous_commit: String,
    /// The standbys that a commit waits for (`synchronous_standby_names`); empty if it waits for none.
    pub synchronous_standby_names: String,
    /// The servers that could take over; `None` if the user may not see them.
    pub standbys: Option<Standbys>,
    /// Connections that it takes at most.
    pub max_connections: i64,
    /// How the database encodes text; `UTF8` is the only one that holds every text.
    pub encoding: String,
    /// The version of its tables; `None` if there are none yet.
    pub schema: Option<i64>,
    /// The version of the tables that this program works with.
    pub wanted_schema: i64,
    /// The stored keys, sealed as they are, or why they can't be read; `None` if the tables are of another version.
    pub keys: Option<Result<Vec<StoredKey>, StoreError>>,
    /// The sessions that ended within the last hour; `None` if the tables are of another version or don't say it in time.
    pub ended_last_hour: Option<u64>,
    /// How full the outbox is; `None` if the tables are of another version or don't say it in time.
    pub backlog: Option<Backlog>,
    /// The endpoints of webhooks; `None` if the tables are of another version or don't say it in time.
    pub webhooks: Option<Vec<Webhook>>,
    /// Accounts of an earlier release whose address has the same key as another account's, each before that one; `None` if the tables are of
    /// another version or can't be read.
    pub same_address: Option<Vec<(UserId, UserId)>>,
    /// Its clock.
    pub clock: Timestamp,
}

/// The hosts on other machines that the URL reaches in plain text. Empty for a URL that can't be read, which is reported elsewhere.
pub fn plain_hosts(config: &PostgresConfig) -> Vec<String> {
    let Ok(settings) = url::read(config.url.expose_secret()) else {
        return Vec::new();
    };
    if settings.get_ssl_mode() != SslMode::Disable || url::stays_here(&settings) {
        return Vec::new();
    }
    let named = settings.get_hosts().iter().filter_map(|host| match host {
        Host::Tcp(name) if !url::is_here(host) => Some(name.clone()),
        _ => None,
    });
    named
        .chain(
            settings
                .get_hostaddrs()
                .iter()
                .filter(|address| !address.is_loopback())
                .map(ToString::to_string),
        )
        .collect()
}

/// Inspects the Postgres of a configuration: the primary if several hosts are named, any of them if there is none. `now` is called right
/// after its clock was read.
///
/// # Errors
/// If it can't be reached in time or refuses; a source names host, port and database, never the password.
pub async fn inspect<T>(
    config: &PostgresConfig,
    now: impl FnOnce() -> T,
) -> Result<(PostgresFacts, T), StoreError> {
    let mut settings = url::read(config.url.expose_secret())
        .map_err(|mistake| StoreError::broken(STORE, OPERATION, mistake))?;
    let tls = connector(&settings, &config.tls)
        .map_err(|mistake| StoreError::broken(STORE, OPERATION, mistake))?;
    settings
        .application_name("revolve doctor")
        .connect_timeout(config.timeout);
    let place = place(&settings);
    let failed = |error: PostgresError| error.into_store_error(OPERATION, &place);
    let mut primary = settings.clone();
    primary.target_session_attrs(TargetSessionAttrs::ReadWrite);
    let patience = config.timeout * u32::try_from(settings.get_hosts().len().max(1)).unwrap_or(1);
    let probe = match Probe::connect(&primary, tls.clone(), config.pooler, patience).await {
        Ok(probe) => probe,
        // Perhaps there is no primary: then a standby will do.
        Err(first @ PostgresError::Sql(_)) => {
            match Probe::connect(&settings, tls, config.pooler, patience).await {
                Ok(probe) => probe,
                Err(_) => return Err(failed(first)),
            }
        }
        Err(error) => return Err(failed(error)),
    };
    let looked = timeout(patience, look(&probe, config.timeout, &place, now)).await;
    // It would wait for an answer that is of no use any more.
    probe.abort();
    looked
        .unwrap_or(Err(PostgresError::TimedOut))
        .map_err(failed)
}

async fn look<T>(
    probe: &Probe,
    limit: Duration,
    place: &str,
    now: impl FnOnce() -> T,
) -> Result<(PostgresFacts, T), PostgresError> {
    let client = &probe.client;
    begin_look(client, limit).await?;
    let row = client.query_typed_one(LOOK, &[]).await?;
    let PgTimestamp(clock) = client.query_typed_one(CLOCK, &[]).await?.try_get("clock")?;
    let now = now();
    client.batch_execute("COMMIT").await?;
    let standbys = standbys(client, limit).await?;
    let (schema, keys) = if row.try_get("has_tables")? {
        tables(client, limit, place).await?
    } else {
        (None, None)
    };
    let slow = if keys.is_some() {
        slow_facts(client, limit).await?
    } else {
        SlowFacts::default()
    };
    let facts = PostgresFacts {
        pool_mode: probe.mode,
        version: row.try_get("version")?,
        standby: row.try_get("standby")?,
        read_only: row.try_get("read_only")?,
        fsync: row.try_get("fsync")?,
        synchronous_commit: row.try_get("synchronous_commit")?,
        synchronous_standby_names: row.try_get("synchronous_standby_names")?,
        standbys,
        max_connections: row.try_get("max_connections")?,
        encoding: row.try_get("encoding")?,
        schema,
        wanted_schema: LATEST,
        keys,
        ended_last_hour: slow.ended,
        backlog: slow.backlog,
        webhooks: slow.webhooks,
        same_address: slow.same_address,
        clock,
        place: place.to_owned(),
    };
    Ok((facts, now))
}

/// A transaction as of one instant. The server gives up when we do; on a lock earlier, so that the rest can still be read.
async fn begin_look(client: &Client, limit: Duration) -> Result<(), PostgresError> {
    let millis = limit.as_millis().max(2);
    let settings = [("statement_timeout", millis), ("lock_timeout", millis / 2)];
    let begin = begin("REPEATABLE READ", &settings);
    Ok(client.batch_execute(&begin).await?)
}

/// `None` if the user may not see them.
async fn standbys(client: &Client, limit: Duration) -> Result<Option<Standbys>, PostgresError> {
    begin_look(client, limit).await?;
    let row = client.query_typed_one(STANDBYS, &[]).await;
    client.batch_execute("ROLLBACK").await?;
    let standbys = row.and_then(|row| {
        Ok(Standbys {
            following: row.try_get("following")?,
            awaited: row.try_get("awaited")?,
        })
    });
    Ok(standbys.ok())
}

type Tables = (Option<i64>, Option<Result<Vec<StoredKey>, StoreError>>);

/// All of it as of one instant, although another process may migrate the tables meanwhile.
async fn tables(client: &Client, limit: Duration, place: &str) -> Result<Tables, PostgresError> {
    begin_look(client, limit).await?;
    let schema = client
        .query_typed_one(SCHEMA, &[])
        .await?
        .try_get("schema")?;
    let keys = if schema == LATEST {
        let rows = client.query_typed(sql::LIST_KEYS, &[]).await;
        Some(
            rows.map_err(Into::into)
                .and_then(|rows| decoded(&rows, sql::key)),
        )
    } else {
        None
    };
    client.batch_execute("ROLLBACK").await?;
    let keys = keys.map(|keys| keys.map_err(|error| error.into_store_error("list keys", place)));
    Ok((Some(schema), keys))
}

/// What may take long in a large database; `None` for what it does not say in time.
#[derive(Default)]
struct SlowFacts {
    ended: Option<u64>,
    same_address: Option<Vec<(UserId, UserId)>>,
    backlog: Option<Backlog>,
    webhooks: Option<Vec<Webhook>>,
}

/// The last use of the connection: an answer may still be on its way, and only then is the transaction left to the end
/// of the connection.
async fn slow_facts(client: &Client, limit: Duration) -> Result<SlowFacts, PostgresError> {
    begin_look(client, limit).await?;
    let (in_time, mut facts) = (limit / 5, SlowFacts::default());
    let Ok(Ok(row)) = timeout(in_time, client.query_typed_one(ENDED, &[])).await else {
        return Ok(facts);
    };
    facts.ended = u64::try_from(row.try_get::<_, i64>("ended")?).ok();
    let Ok(Ok(same)) = timeout(in_time, same_address(client)).await else {
        return Ok(facts);
    };
    facts.same_address = Some(same);
    let Ok(Ok(row)) = timeout(in_time, client.query_typed_one(sql::BACKLOG, &[])).await else {
        return Ok(facts);
    };
    facts.backlog = Some(sql::whole_backlog(&row)?);
    let Ok(Ok(rows)) = timeout(in_time, client.query_typed(sql::LIST_WEBHOOKS, &[])).await else {
        return Ok(facts);
    };
    facts.webhooks = Some(decoded(&rows, sql::webhook)?);
    client.batch_execute("ROLLBACK").await?;
    Ok(facts)
}

async fn same_address(client: &Client) -> Result<Vec<(UserId, UserId)>, PostgresError> {
    let (mut same, mut after) = (Vec::new(), None::<Uuid>);
    loop {
        let page = decoded(
            &client.query_typed(UNKEYED, &[(&after, Type::UUID)]).await?,
            sql::stored_address,
        )?;
        let Some((last, _)) = page.last() else {
            return Ok(same);
        };
        after = Some(*last.as_uuid());
        for (id, stored) in &page {
            let Some(address) = sql::missing_key(stored) else {
                continue;
            };
            let holder = client
                .query_typed_opt(HOLDER, &[(&address.key(), Type::TEXT)])
                .await?;
            let holder = holder.map(|row| sql::stored_address(&row)).transpose()?;
            same.extend(holder.map(|(holder, _)| (*id, holder)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_machine_in_plain_text_is_named() {
        let plain = |url: &str| plain_hosts(&PostgresConfig::new(url.to_owned().into()));
        for fine in [
            "postgres://ann:pw@localhost/db",
            "postgres://ann:pw@127.0.0.1,[::1]/db?sslmode=disable",
            "postgres://ann:pw@%2Frun%2Fpostgresql/db?sslmode=disable",
            "postgres://ann:pw@db/db",
            "postgres://ann:pw@db/db?sslmode=verify-full",
            "no URL",
        ] {
            assert_eq!(plain(fine), [""; 0], "{fine}");
        }
        assert_eq!(
            plain("postgres://ann:pw@localhost,db,10.0.0.1/db?sslmode=disable"),
            ["db", "10.0.0.1"]
        );
        assert_eq!(
            plain("postgres://ann:pw@localhost/db?hostaddr=10.0.0.1&sslmode=disable"),
            ["10.0.0.1"]
        );
    }
}
