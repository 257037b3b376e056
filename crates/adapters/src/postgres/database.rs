//! Connections to Postgres: a pool and a few that are shared, one deadline per call, and retries.
//!
//! A call that failed is repeated only where it can't have taken effect: a read always, a write as long as it was not
//! sent, a transaction as long as its commit was not.
//!
//! Behind a pooler that gives sessions to transactions ([`PoolMode::Transaction`]) nothing is left in a session, and
//! nothing is sent over a connection before the answer to what was sent before has come: the pooler may give the session
//! back between the two, in the middle of a statement.

use super::{
    config::PostgresConfig,
    connect::{Probe, add_options, connector, place},
    error::{PostgresError, Remedy, STORE},
    migrate,
    pooling::PoolMode,
    shared::{SharedConnection, SharedConnections},
    statement::{Params, Statement},
    transaction::{Transaction, limits},
    url,
};
use crate::sql::{self, CorruptRow};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use revolve_domain::ports::StoreError;
use secrecy::ExposeSecret;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{Row, config::TargetSessionAttrs};

/// How often a transaction is tried again after a conflict with another one.
const CONFLICTS: u32 = 4;

/// How a pool is used at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Connections at most.
    pub max: usize,
    /// Connections that are open.
    pub open: usize,
    /// Open connections that are not in use.
    pub idle: usize,
    /// Calls that wait for a connection.
    pub waiting: usize,
}

/// A connection pool with deadlines. A clone is the same pool.
#[derive(Clone)]
pub(super) struct Database {
    pool: Pool,
    shared: Arc<SharedConnections>,
    mode: PoolMode,
    timeout: Duration,
    place: Arc<str>,
}

/// Whether an attempt may have taken effect when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    None,
    Possible,
}

/// Work with a connection. It sets `effect` when it must not be repeated any more.
pub(super) trait Attempt: Sync {
    type Answer: Send;

    fn run(
        &self,
        client: &mut Object,
        effect: &mut Effect,
    ) -> impl Future<Output = Result<Self::Answer, PostgresError>> + Send;
}

impl<I: Intent> Intent for &I {
    type Answer = I::Answer;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<I::Answer, PostgresError> {
        (**self).apply(tx).await
    }
}

/// Work in one transaction.
pub(super) trait Intent: Sync {
    type Answer: Send;

    fn apply(
        &self,
        tx: &Transaction<'_>,
    ) -> impl Future<Output = Result<Self::Answer, PostgresError>> + Send;
}

/// One statement that is a transaction of its own.
struct Single<'a> {
    sql: &'static str,
    params: Params<'a>,
    effect: Effect,
    mode: PoolMode,
    /// Of the server, where a session has none of its own; `None` for a read by key, which holds no lock and waits for none but that of
    /// a change of tables, and so takes one round trip.
    limit: Option<Duration>,
}

impl Attempt for Single<'_> {
    type Answer = Vec<Row>;

    async fn run(
        &self,
        client: &mut Object,
        effect: &mut Effect,
    ) -> Result<Vec<Row>, PostgresError> {
        if let (PoolMode::Transaction, Some(limit)) = (self.mode, self.limit) {
            return self.run_pooled(limit, client, effect).await;
        }
        let statement = Statement::on(client, self.mode, self.sql).await?;
        *effect = self.effect;
        Ok(statement.query(client, self.params).await?)
    }
}

impl Single<'_> {
    /// With the limits that a session would have.
    async fn run_pooled(
        &self,
        limit: Duration,
        client: &mut Object,
        effect: &mut Effect,
    ) -> Result<Vec<Row>, PostgresError> {
        let tx = Transaction::begin(client, self.mode, limit).await?;
        let statement = tx.prepare_cached(self.sql).await?;
        let outcome = tx.query(&statement, self.params).await;
        end(tx, outcome.map_err(Into::into), effect, self.effect).await
    }
}

struct InTransaction<'a, I> {
    intent: &'a I,
    mode: PoolMode,
    limit: Duration,
}

impl<I: Intent> Attempt for InTransaction<'_, I> {
    type Answer = I::Answer;

    async fn run(
        &self,
        client: &mut Object,
        effect: &mut Effect,
    ) -> Result<I::Answer, PostgresError> {
        let tx = Transaction::begin(client, self.mode, self.limit).await?;
        let outcome = self.intent.apply(&tx).await;
        end(tx, outcome, effect, Effect::Possible).await
    }
}

/// Commits, or rolls back after a failure and waits until that is done.
async fn end<T>(
    tx: Transaction<'_>,
    outcome: Result<T, PostgresError>,
    effect: &mut Effect,
    of_commit: Effect,
) -> Result<T, PostgresError> {
    if outcome.is_ok() {
        *effect = of_commit;
        tx.commit().await?;
    } else {
        // What fails in it fails for the next call, too, which finds a connection of its own.
        drop(tx.rollback().await);
    }
    outcome
}

/// A connection of the pool while a call uses it. If the call is dropped before its answer has come, a connection to a
/// pooler does not go back into the pool.
struct Lease {
    client: Option<Object>,
    mode: PoolMode,
}

impl Lease {
    fn client(&mut self) -> &mut Object {
        self.client.as_mut().expect("it ends with the lease")
    }

    fn end(mut self) -> Object {
        self.client.take().expect("it ends with the lease")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = self.client.take()
            && self.mode == PoolMode::Transaction
        {
            drop(Object::take(client));
        }
    }
}

impl Database {
    /// Brings the tables up to date; answers the names of the migrations that it applied, too.
    pub(super) async fn connect(
        settings: &PostgresConfig,
    ) -> Result<(Self, Vec<String>), StoreError> {
        let mut config = url::read(settings.url.expose_secret())
            .map_err(|mistake| StoreError::broken(STORE, "read its URL", mistake))?;
        let tls = connector(&config, &settings.tls)
            .map_err(|mistake| StoreError::broken(STORE, "set up TLS", mistake))?;
        let timeout = settings.timeout;
        // Only a primary will do, whatever the URL says: a standby may not know yet that a session has ended.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_connect_timeout().is_none() {
            // A host that is gone must leave time for the others.
            config.connect_timeout(
                timeout / u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1),
            );
        }
        if config.get_application_name().is_none() {
            config.application_name("revolve");
        }
        let place = place(&config);
        let failed = |error: PostgresError| {
            error.into_store_error("connect and bring its tables up to date", &place)
        };
        let probe = Probe::connect(&config, tls.clone(), settings.pooler, timeout)
            .await
            .map_err(failed)?;
        let mode = probe.mode;
        let migrated = migrate::run(probe).await.map_err(failed)?;

        if mode == PoolMode::Transaction {
            tracing::info!(
                "Postgres is behind a pooler that shares its sessions: nothing is left in one"
            );
        } else {
            // The server gives up when we do: a call that timed out must hold no locks.
            let options: Vec<_> = limits(timeout)
                .iter()
                .map(|(name, millis)| format!("-c {name}={millis}"))
                .collect();
            add_options(&mut config, &options.join(" "));
        }
        let size = settings.pool_size.max(1);
        let shared = match mode {
            PoolMode::Session => settings.shared.min(size / 2),
            // One request at a time has a connection to a pooler.
            PoolMode::Transaction => 0,
        };
        let pool = |size| {
            let settings = ManagerConfig {
                recycling_method: RecyclingMethod::Fast,
            };
            let manager = Manager::from_config(config.clone(), tls.clone(), settings);
            let pool = Pool::builder(manager)
                .max_size(size)
                .runtime(Runtime::Tokio1)
                .build();
            pool.map_err(|error| StoreError::broken(STORE, "make a pool", error))
        };
        let (pool, shared) = (
            pool(size - shared)?,
            SharedConnections::new(shared, pool(shared)?),
        );
        let db = Self {
            pool,
            shared: Arc::new(shared),
            mode,
            timeout,
            place: place.as_str().into(),
        };
        db.read("connect", "SELECT 1", &[], |_| Ok(())).await?;
        Ok((db, migrated))
    }

    pub(super) fn mode(&self) -> PoolMode {
        self.mode
    }

    pub(super) fn pool(&self) -> PoolState {
        let status = self.pool.status();
        let (shared, open) = self.shared.count();
        PoolState {
            max: status.max_size + shared,
            open: status.size + open,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
        self.shared.close();
    }

    /// Every row of one statement that changes nothing.
    pub(super) async fn read<T>(
        &self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
        decode: impl FnMut(&dyn sql::SqlRow) -> Result<T, CorruptRow> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self
            .single(sql, params, Effect::None, Some(self.timeout))
            .await;
        rows.and_then(|rows| decoded(&rows, decode))
            .map_err(|error| self.error(operation, error))
    }

    /// The first row of one statement that reads by key, as every request does. Sent behind others over a shared
    /// connection.
    pub(super) async fn look_up<T>(
        &self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
        decode: impl Fn(&dyn sql::SqlRow) -> Result<T, CorruptRow> + Send,
    ) -> Result<Option<T>, StoreError> {
        let rows = if let Some(connection) = self.shared.of_this_thread() {
            self.read_shared(connection, sql, params).await
        } else {
            self.single(sql, params, Effect::None, None).await
        };
        let first = |rows: Vec<Row>| Ok(rows.first().map(|row| decode(row)).transpose()?);
        rows.and_then(first)
            .map_err(|error| self.error(operation, error))
    }

    async fn single(
        &self,
        sql: &'static str,
        params: Params<'_>,
        effect: Effect,
        limit: Option<Duration>,
    ) -> Result<Vec<Row>, PostgresError> {
        self.run(&Single {
            sql,
            params,
            effect,
            mode: self.mode,
            limit,
        })
        .await
    }

    async fn read_shared(
        &self,
        connection: &SharedConnection,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, PostgresError> {
        let deadline = Instant::now() + self.timeout;
        let mut lost = false;
        loop {
            let client = timeout_at(deadline, self.shared.client(connection))
                .await
                .map_err(|_| PostgresError::TimedOut)??;
            let read = async {
                let statement = Statement::on(&client, self.mode, sql).await?;
                statement.query(&client, params).await
            };
            match timeout_at(deadline, read).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => {
                    let error = PostgresError::from(error);
                    if error.remedy() != Remedy::Reconnect {
                        return Err(error);
                    }
                    // Only the first call that finds it out: connections made since are good.
                    if connection.forget(&client) {
                        self.drop_idle();
                    }
                    if lost {
                        return Err(error);
                    }
                    lost = true;
                }
                Err(_) => {
                    // Answers come in order: what delays this one delays all behind it.
                    connection.forget(&client);
                    return Err(PostgresError::TimedOut);
                }
            }
        }
    }

    /// One statement that is a transaction of its own. Errors without a meaning to the caller go to [`Self::error`].
    pub(super) async fn write(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, PostgresError> {
        self.single(sql, params, Effect::Possible, Some(self.timeout))
            .await
    }

    /// One transaction.
    pub(super) async fn transact<I: Intent>(
        &self,
        operation: &'static str,
        intent: &I,
    ) -> Result<I::Answer, StoreError> {
        self.attempt(intent)
            .await
            .map_err(|error| self.error(operation, error))
    }

    /// One transaction. Errors without a meaning to the caller go to [`Self::error`].
    pub(super) async fn attempt<I: Intent>(&self, intent: &I) -> Result<I::Answer, PostgresError> {
        self.attempt_within(self.timeout, intent).await
    }

    /// One transaction that may take so long. Errors without a meaning to the caller go to [`Self::error`].
    pub(super) async fn attempt_within<I: Intent>(
        &self,
        patience: Duration,
        intent: &I,
    ) -> Result<I::Answer, PostgresError> {
        self.run_within(
            patience,
            &InTransaction {
                intent,
                mode: self.mode,
                limit: patience,
            },
        )
        .await
    }

    pub(super) fn error(&self, operation: &'static str, error: PostgresError) -> StoreError {
        error.into_store_error(operation, &self.place)
    }

    async fn run<A: Attempt>(&self, attempt: &A) -> Result<A::Answer, PostgresError> {
        self.run_within(self.timeout, attempt).await
    }

    async fn run_within<A: Attempt>(
        &self,
        patience: Duration,
        attempt: &A,
    ) -> Result<A::Answer, PostgresError> {
        let deadline = Instant::now() + patience;
        let (mut lost, mut conflicts) = (0, 0);
        loop {
            let client = timeout_at(deadline, self.pool.get())
                .await
                .map_err(|_| PostgresError::TimedOut)??;
            let mut effect = Effect::None;
            let mut lease = Lease {
                client: Some(client),
                mode: self.mode,
            };
            let outcome = timeout_at(deadline, attempt.run(lease.client(), &mut effect)).await;
            let client = lease.end();
            let Ok(outcome) = outcome else {
                // Its answer may come at any time, or never.
                drop(Object::take(client));
                return Err(PostgresError::TimedOut);
            };
            let error = match outcome {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.remedy() {
                // The server has rolled back: nothing happened.
                Remedy::Again if conflicts < CONFLICTS => conflicts += 1,
                Remedy::Reconnect => {
                    self.renew(client);
                    if lost > 0 || effect == Effect::Possible {
                        return Err(error);
                    }
                    lost += 1;
                }
                _ => return Err(error),
            }
        }
    }

    /// Drops a lost connection, and the idle and shared ones, which may be lost, too.
    fn renew(&self, client: Object) {
        drop(Object::take(client));
        self.drop_idle();
    }

    fn drop_idle(&self) {
        self.shared.forget();
        drop(self.pool.retain(|_, _| false));
    }
}

/// Every row as what it holds.
pub(super) fn decoded<T>(
    rows: &[Row],
    mut decode: impl FnMut(&dyn sql::SqlRow) -> Result<T, CorruptRow>,
) -> Result<Vec<T>, PostgresError> {
    Ok(rows
        .iter()
        .map(|row| decode(row))
        .collect::<Result<_, _>>()?)
}
