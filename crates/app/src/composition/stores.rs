//! The stores: those of a profile, as the service and the commands reach them.

use super::{
    Purpose,
    purpose::{embedded_file, is_there},
    settings,
};
use crate::{
    config::{Config, Profile},
    data_dir,
};
use anyhow::{Context, Result};
use revolve_adapters::{
    postgres::PostgresAccounts,
    redis::RedisTokens,
    sqlite::SqliteStore,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    ports::{
        AccountDirectory, ApiKeys, Clock, Decorator, Deliveries, Factors, Journal, KeyRepository,
        NamedRequests, PortFuture, Proofs, RevokedKeys, SessionRepository, StoreError,
        TokenRepository, UserRepository, Webhooks,
    },
    use_cases::ManageDeliveries,
};
use revolve_observe::{
    metrics::{Measured, Metrics},
    telemetry::LogEvents,
};
use std::sync::Arc;

/// The stores that a profile runs on.
pub(crate) struct Stores {
    pub(crate) users: Arc<dyn UserRepository>,
    pub(crate) directory: Arc<dyn AccountDirectory>,
    pub(crate) sessions: Arc<dyn SessionRepository>,
    pub(crate) proofs: Arc<dyn Proofs>,
    pub(crate) tokens: Arc<dyn TokenRepository>,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) keys: Arc<dyn KeyRepository>,
    pub(crate) deliveries: Arc<dyn Deliveries>,
    pub(crate) api_keys: Arc<dyn ApiKeys>,
    pub(crate) requests: Arc<dyn NamedRequests>,
    pub(crate) webhooks: Arc<dyn Webhooks>,
    pub(crate) factors: Arc<dyn Factors>,
    pub(crate) revoked_keys: Option<Arc<dyn RevokedKeys>>,
    pub(crate) closer: Closer,
}

impl Stores {
    /// The same, with every call measured.
    pub(super) fn measured(self, metrics: &Arc<Metrics>) -> Self {
        let (database, white_list) = self.closer.names();
        Self {
            users: Arc::new(Measured::new(self.users, database, metrics)),
            directory: Arc::new(Measured::new(self.directory, database, metrics)),
            sessions: Arc::new(Measured::new(self.sessions, database, metrics)),
            proofs: Arc::new(Measured::new(self.proofs, database, metrics)),
            tokens: Arc::new(Measured::new(self.tokens, white_list, metrics)),
            journal: Arc::new(Measured::new(self.journal, database, metrics)),
            keys: Arc::new(Measured::new(self.keys, database, metrics)),
            deliveries: Arc::new(Measured::new(self.deliveries, database, metrics)),
            api_keys: Arc::new(Measured::new(self.api_keys, database, metrics)),
            requests: Arc::new(Measured::new(self.requests, database, metrics)),
            webhooks: Arc::new(Measured::new(self.webhooks, database, metrics)),
            factors: Arc::new(Measured::new(self.factors, database, metrics)),
            revoked_keys: self
                .revoked_keys
                .map(|revoked| Arc::new(Measured::new(revoked, white_list, metrics)) as _),
            closer: self.closer,
        }
    }
}

/// What is closed after the last request.
pub(crate) enum Closer {
    /// The embedded file.
    Embedded(Arc<SqliteStore>),
    /// The pools.
    Server(Arc<PostgresAccounts>, Arc<RedisTokens>),
}

impl Closer {
    /// Which stores they are: the user database and the white list.
    pub(super) fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Embedded(_) => ("sqlite", "sqlite"),
            Self::Server(..) => ("postgres", "redis"),
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Embedded(store) => store.close().await,
            Self::Server(accounts, tokens) => {
                tokens.close().await;
                accounts.close();
            }
        }
    }
}

/// Reaches and checks the stores, for the service or for a command that serves nothing; a failure names what could not be
/// reached.
pub(crate) async fn stores(config: &Config, clock: Arc<dyn Clock>) -> Result<Stores> {
    match config.profile {
        Profile::Embedded => {
            let store = Arc::new(embedded_store(config, clock).await?);
            Ok(Stores {
                users: store.clone(),
                directory: store.clone(),
                sessions: store.clone(),
                proofs: store.clone(),
                tokens: store.clone(),
                journal: store.clone(),
                keys: store.clone(),
                deliveries: store.clone(),
                api_keys: store.clone(),
                requests: store.clone(),
                webhooks: store.clone(),
                factors: store.clone(),
                // A restore sets back the one file as a whole.
                revoked_keys: None,
                closer: Closer::Embedded(store),
            })
        }
        Profile::Server => {
            let tokens = Arc::new(
                RedisTokens::connect(settings::redis(config)?)
                    .await
                    .context("Redis")?,
            );
            let accounts = Arc::new(server_accounts(config).await?);
            Ok(Stores {
                users: accounts.clone(),
                directory: accounts.clone(),
                sessions: accounts.clone(),
                proofs: accounts.clone(),
                tokens: tokens.clone(),
                journal: accounts.clone(),
                keys: accounts.clone(),
                deliveries: accounts.clone(),
                api_keys: accounts.clone(),
                requests: accounts.clone(),
                webhooks: accounts.clone(),
                factors: accounts.clone(),
                revoked_keys: Some(Arc::new(tokens.revoked_keys())),
                closer: Closer::Server(accounts, tokens),
            })
        }
    }
}

/// Brings the tables of the user database up to date, as each start does.
///
/// # Errors
/// A message that names the store that can't be reached.
pub(crate) async fn migrate(config: &Config) -> Result<Migrated> {
    Ok(match config.profile {
        Profile::Embedded => {
            let store = embedded_store(config, Arc::new(SystemClock)).await?;
            store.close().await;
            Migrated {
                store: "SQLite",
                migrations: store.migrated().to_vec(),
            }
        }
        Profile::Server => {
            let store = server_accounts(config).await?;
            store.close();
            Migrated {
                store: "Postgres",
                migrations: store.migrated().to_vec(),
            }
        }
    })
}

/// What a migration did.
pub(crate) struct Migrated {
    pub(crate) store: &'static str,
    /// What was applied, in order; nothing if the tables were up to date.
    pub(crate) migrations: Vec<String>,
}

/// Every port of the user database.
pub(crate) trait UserDatabase:
    UserRepository
    + AccountDirectory
    + SessionRepository
    + Proofs
    + Journal
    + KeyRepository
    + Deliveries
    + ApiKeys
    + Webhooks
    + Factors
{
}

impl UserDatabase for SqliteStore {}
impl UserDatabase for PostgresAccounts {}

/// The user database alone, for commands: neither white list nor mail server need be there.
///
/// # Errors
/// A message that names the store that can't be reached, or says what to do about its tables.
pub(crate) async fn user_database(
    config: &Config,
    purpose: Purpose,
) -> Result<Arc<dyn UserDatabase>> {
    Ok(match config.profile {
        Profile::Embedded => Arc::new(embedded_for(config, Arc::new(SystemClock), purpose).await?),
        Profile::Server => Arc::new(server_for(config, purpose).await?),
    })
}

/// The keys and where they are revoked, for the command that manages them: Redis need not be there.
pub(crate) async fn key_store(config: &Config, purpose: Purpose) -> Result<KeyStores> {
    let database = user_database(config, purpose).await?;
    Ok(match config.profile {
        Profile::Embedded => (database, None),
        Profile::Server => {
            let revoked: Arc<dyn RevokedKeys> =
                match RedisTokens::connect(settings::redis(config)?).await {
                    Ok(tokens) => Arc::new(tokens.revoked_keys()),
                    Err(error) => Arc::new(UnreachableRevokedKeys(Arc::new(error))),
                };
            (database, Some(revoked))
        }
    })
}

/// The keys, and where they are revoked if a store outlives a restore of the user database.
pub(crate) type KeyStores = (Arc<dyn KeyRepository>, Option<Arc<dyn RevokedKeys>>);

/// A Redis that can't be reached, with the reason.
struct UnreachableRevokedKeys(Arc<StoreError>);

impl Decorator for UnreachableRevokedKeys {
    type Port = dyn RevokedKeys;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        _work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        Err(StoreError::unavailable(
            "redis",
            operation,
            Arc::clone(&self.0),
        ))
    }
}

/// The outbox alone, for commands.
///
/// # Errors
/// A message that names the store that can't be reached, or says what to do about its tables.
pub(crate) async fn manage_deliveries(
    config: &Config,
    purpose: Purpose,
) -> Result<ManageDeliveries> {
    Ok(ManageDeliveries::new(
        user_database(config, purpose).await?,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        Arc::new(LogEvents),
        config.mail.max_age,
    ))
}

/// The embedded store as a command uses it.
pub(super) async fn embedded_for(
    config: &Config,
    clock: Arc<dyn Clock>,
    purpose: Purpose,
) -> Result<SqliteStore> {
    purpose.check(config).await?;
    let is_new = !is_there(config)?;
    let store = embedded_store(config, clock).await?;
    if is_new {
        Purpose::tell_new(config);
    } else {
        Purpose::tell("SQLite", store.migrated());
    }
    Ok(store)
}

/// The user database as a command uses it.
pub(super) async fn server_for(config: &Config, purpose: Purpose) -> Result<PostgresAccounts> {
    purpose.check(config).await?;
    let store = server_accounts(config).await?;
    Purpose::tell("Postgres", store.migrated());
    Ok(store)
}

/// The folder is made if it is not there.
async fn embedded_store(config: &Config, clock: Arc<dyn Clock>) -> Result<SqliteStore> {
    data_dir::prepare(&config.data_dir)?;
    let file = embedded_file(config);
    SqliteStore::open(&file, clock)
        .await
        .with_context(|| format!("the store {}", file.display()))
}

async fn server_accounts(config: &Config) -> Result<PostgresAccounts> {
    PostgresAccounts::connect(settings::postgres(config)?)
        .await
        .context("Postgres")
}
