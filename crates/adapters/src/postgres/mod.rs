//! Accounts, sessions' rows and keys in Postgres. Every statement goes through [`Database`], which owns connections,
//! deadlines and retries.

mod api_keys;
mod begin;
mod change;
mod config;
mod connect;
mod database;
mod deliveries;
mod directory;
mod end;
mod error;
mod factors;
mod inspect;
mod journal;
mod keys;
mod migrate;
mod personal_data;
mod pooling;
mod proofs;
mod revocations;
mod row;
mod sessions;
mod shared;
mod statement;
mod transaction;
mod url;
mod users;
mod values;
mod webhooks;
mod write;

pub use config::PostgresConfig;
use database::Database;
pub use database::PoolState;
pub use inspect::{PostgresFacts, Standbys, inspect, plain_hosts};
pub use pooling::PoolMode;
use revolve_domain::ports::StoreError;
use std::sync::Arc;

/// Accounts and sessions' rows in Postgres. A clone is the same pool of connections.
#[derive(Clone)]
pub struct PostgresAccounts {
    db: Database,
    migrated: Arc<[String]>,
}

impl PostgresAccounts {
    /// Connects, brings the tables up to date and is ready. Replicas that start at once wait for each other.
    ///
    /// # Errors
    /// If Postgres can't be reached in time or refuses; a source names host, port and database, never the password.
    pub async fn connect(config: PostgresConfig) -> Result<Self, StoreError> {
        let (db, migrated) = Database::connect(&config).await?;
        Ok(Self {
            db,
            migrated: migrated.into(),
        })
    }

    /// The migrations that connecting applied, in order.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// Whose session of the server its connections have.
    pub fn pool_mode(&self) -> PoolMode {
        self.db.mode()
    }

    /// How the pool is used at this moment.
    pub fn pool(&self) -> PoolState {
        self.db.pool()
    }

    /// Closes idle connections now and the others as they become idle; later calls fail as unavailable.
    pub fn close(&self) {
        self.db.close();
    }
}
