//! The way to Postgres: a pool of connections and a few that are shared, one deadline per call, and what is tried again.
//!
//! A call that failed is repeated only where it can't have taken effect: a read always, a write as long as it was not
//! sent, a transaction as long as its commit was not.

use super::{
    PoolState, PostgresConfig, STORE,
    error::{Fault, Remedy},
    migrate,
    shared::{Lane, Shared},
    url,
};
use crate::tls::TlsSettings;
use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Transaction,
};
use revolve_domain::ports::StoreError;
use secrecy::ExposeSecret;
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{
    Config, IsolationLevel, Row,
    config::{Host, SslMode, TargetSessionAttrs},
    types::ToSql,
};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How often a transaction is tried again that another one got in the way of.
const CONFLICTS: u32 = 4;

/// A connection pool with deadlines. A clone is the same pool.
#[derive(Clone)]
pub(super) struct Database {
    pool: Pool,
    shared: Arc<Shared>,
    timeout: Duration,
    place: Arc<str>,
}

/// Whether an attempt may have taken effect when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Certainly not.
    None,
    /// Nobody knows.
    Possible,
}

/// What is done with a connection, once or again. It says in `effect` from when on it must not be repeated blindly.
pub(super) trait Attempt: Sync {
    type Answer: Send;

    fn run(
        &self,
        client: &mut Object,
        effect: &mut Effect,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// What is done in one transaction.
pub(super) trait Intent: Sync {
    type Answer: Send;

    fn apply(
        &self,
        tx: &Transaction<'_>,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// Parameters of a statement.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

struct Statement<'a> {
    sql: &'static str,
    params: Params<'a>,
    effect: Effect,
}

impl Attempt for Statement<'_> {
    type Answer = Vec<Row>;

    async fn run(&self, client: &mut Object, effect: &mut Effect) -> Result<Vec<Row>, Fault> {
        let statement = client.prepare_cached(self.sql).await?;
        *effect = self.effect;
        Ok(client.query(&statement, self.params).await?)
    }
}

struct InTransaction<'a, I>(&'a I);

impl<I: Intent> Attempt for InTransaction<'_, I> {
    type Answer = I::Answer;

    async fn run(&self, client: &mut Object, effect: &mut Effect) -> Result<I::Answer, Fault> {
        // Under read committed, what follows the lock on the user's row sees all that was committed before it.
        let tx = client
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .start()
            .await?;
        let answer = self.0.apply(&tx).await?;
        *effect = Effect::Possible;
        tx.commit().await?;
        Ok(answer)
    }
}

impl Database {
    /// With the migrations that were applied.
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
            // One that is gone must leave time for the others.
            config.connect_timeout(
                timeout / u32::try_from(config.get_hosts().len()).unwrap_or(1).max(1),
            );
        }
        if config.get_application_name().is_none() {
            config.application_name("revolve");
        }
        let place = place(&config);
        let failed = |fault: Fault| {
            fault.into_store_error("connect and bring its tables up to date", &place)
        };
        let migrated = migrate::run(config.clone(), tls.clone(), timeout)
            .await
            .map_err(failed)?;

        // The server gives up when we do: what nobody waits for any more must not hold locks.
        let millis = timeout.as_millis().max(1);
        add_options(
            &mut config,
            &format!(
                "-c statement_timeout={millis} -c idle_in_transaction_session_timeout={millis}"
            ),
        );
        let size = settings.pool_size.max(1);
        let shared = settings.shared.min(size / 2);
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
        let (pool, shared) = (pool(size - shared)?, Shared::new(shared, pool(shared)?));
        let db = Self {
            pool,
            shared: Arc::new(shared),
            timeout,
            place: place.as_str().into(),
        };
        db.read("connect", "SELECT 1", &[]).await?;
        Ok((db, migrated))
    }

    pub(super) fn pool(&self) -> PoolState {
        let status = self.pool.status();
        let (shared, live) = self.shared.count();
        PoolState {
            max: status.max_size + shared,
            open: status.size + live,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
        self.shared.close();
    }

    /// One statement that changes nothing.
    pub(super) async fn read(
        &self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let statement = Statement {
            sql,
            params,
            effect: Effect::None,
        };
        self.run(&statement)
            .await
            .map_err(|fault| self.error(operation, fault))
    }

    /// One statement that reads a few rows by a key, as every request does: sent behind others over a shared connection.
    pub(super) async fn glance(
        &self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(lane) = self.shared.lane() else {
            return self.read(operation, sql, params).await;
        };
        self.read_over(lane, sql, params)
            .await
            .map_err(|fault| self.error(operation, fault))
    }

    async fn read_over(
        &self,
        lane: &Lane,
        sql: &str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Fault> {
        let deadline = Instant::now() + self.timeout;
        let mut lost = false;
        loop {
            let connection = timeout_at(deadline, self.shared.connection(lane))
                .await
                .map_err(|_| Fault::Late)??;
            let read = async {
                connection
                    .query(&connection.prepare_cached(sql).await?, params)
                    .await
            };
            match timeout_at(deadline, read).await {
                Ok(Ok(rows)) => return Ok(rows),
                Ok(Err(error)) => {
                    let fault = Fault::from(error);
                    if fault.remedy() != Remedy::Reconnect {
                        return Err(fault);
                    }
                    // Only whoever finds it out first: what was dialled since is good.
                    if lane.forget(&connection) {
                        self.drop_idle();
                    }
                    if lost {
                        return Err(fault);
                    }
                    lost = true;
                }
                Err(_) => {
                    // Answers come in order: whatever holds this one up holds up all behind it.
                    lane.forget(&connection);
                    return Err(Fault::Late);
                }
            }
        }
    }

    /// One statement that is a transaction of its own. The fault is for [`Self::error`], unless it means something.
    pub(super) async fn write(
        &self,
        sql: &'static str,
        params: Params<'_>,
    ) -> Result<Vec<Row>, Fault> {
        self.run(&Statement {
            sql,
            params,
            effect: Effect::Possible,
        })
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
            .map_err(|fault| self.error(operation, fault))
    }

    /// One transaction. The fault is for [`Self::error`], unless it means something.
    pub(super) async fn attempt<I: Intent>(&self, intent: &I) -> Result<I::Answer, Fault> {
        self.run(&InTransaction(intent)).await
    }

    pub(super) fn error(&self, operation: &'static str, fault: Fault) -> StoreError {
        fault.into_store_error(operation, &self.place)
    }

    async fn run<A: Attempt>(&self, attempt: &A) -> Result<A::Answer, Fault> {
        let deadline = Instant::now() + self.timeout;
        let (mut lost, mut conflicts) = (0, 0);
        loop {
            let mut client = timeout_at(deadline, self.pool.get())
                .await
                .map_err(|_| Fault::Late)??;
            let mut effect = Effect::None;
            let Ok(outcome) = timeout_at(deadline, attempt.run(&mut client, &mut effect)).await
            else {
                // Its answer may come at any time, or never.
                drop(Object::take(client));
                return Err(Fault::Late);
            };
            let fault = match outcome {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            match fault.remedy() {
                // The server has rolled back, so that nothing happened.
                Remedy::Again if conflicts < CONFLICTS => conflicts += 1,
                Remedy::Reconnect => {
                    self.renew(client);
                    if lost > 0 || effect == Effect::Possible {
                        return Err(fault);
                    }
                    lost += 1;
                }
                _ => return Err(fault),
            }
        }
    }

    /// Drops a lost connection and, since they may share its fate without knowing it yet, the idle and the shared ones.
    fn renew(&self, client: Object) {
        drop(Object::take(client));
        self.drop_idle();
    }

    fn drop_idle(&self) {
        self.shared.forget();
        drop(self.pool.retain(|_, _| false));
    }
}

/// What encrypts, where the URL asks for it.
pub(super) fn connector(
    config: &Config,
    settings: &TlsSettings,
) -> Result<MakeRustlsConnect, String> {
    let encrypted = config.get_ssl_mode() != SslMode::Disable;
    if encrypted {
        return settings
            .client()
            .map(MakeRustlsConnect::new)
            .map_err(|error| error.to_string());
    }
    if settings.authorities.is_some() || settings.identity.is_some() {
        return Err(
            "url: certificates are given, but it is not encrypted: write sslmode=verify-full"
                .to_owned(),
        );
    }
    // It is never asked.
    TlsSettings::trusting_nobody()
        .map(MakeRustlsConnect::new)
        .map_err(|error| error.to_string())
}

/// Adds to the `options` that the URL may have.
pub(super) fn add_options(config: &mut Config, options: &str) {
    let all = config
        .get_options()
        .map_or_else(|| options.to_owned(), |given| format!("{given} {options}"));
    config.options(all);
}

/// Host, port and database, as people write them.
pub(super) fn place(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(i, host)| {
        let port = ports.get(i).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{}:{port}", path.display()),
        }
    });
    let hosts: Vec<_> = hosts.collect();
    format!(
        "{}/{}",
        hosts.join(","),
        config
            .get_dbname()
            .or(config.get_user())
            .unwrap_or_default()
    )
}
