//! Accounts and sessions' rows in Postgres: SQL, rows and retries. What the rows mean is the domain's to say.
//!
//! Every statement goes through [`Database`], which owns connections, deadlines and retries; statements and the decoding
//! of rows know nothing of it, so that a read can be sent another way without touching them.

mod begin;
mod change;
mod database;
mod end;
mod error;
mod keys;
mod migrate;
mod rows;
mod sessions;
mod users;
mod values;
mod write;

use database::Database;
use revolve_domain::ports::StoreError;
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};

/// How errors call this store.
const STORE: &str = "postgres";

/// Where Postgres is and how long to wait for it.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`. The connection is not encrypted by this adapter.
    pub url: SecretString,
    /// Connections at most; at least 1.
    pub pool_size: usize,
    /// The longest time that one call of a port takes, waiting for a connection included. The server gives up on a
    /// statement, or on a transaction that is left open, after the same time.
    pub timeout: Duration,
}

impl PostgresConfig {
    /// With 16 connections and a time-out of 1 s.
    pub fn new(url: SecretString) -> Self {
        Self { url, pool_size: 16, timeout: Duration::from_secs(1) }
    }

    /// Whether the URL is one, so that a mistake in it can be told before anything is started.
    pub fn is_url(&self) -> bool {
        self.url.expose_secret().parse::<tokio_postgres::Config>().is_ok_and(|config| !config.get_hosts().is_empty())
    }
}

/// How a pool is used at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Connections at most.
    pub max: usize,
    /// Connections that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// Calls that wait for one.
    pub waiting: usize,
}

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
        Ok(Self { db, migrated: migrated.into() })
    }

    /// The migrations that connecting applied, in order.
    pub fn migrated(&self) -> &[String] {
        &self.migrated
    }

    /// How the pool is used at this moment.
    pub fn pool(&self) -> PoolState {
        self.db.pool()
    }

    /// Closes the idle connections now and those in use as they become idle; later calls fail as unavailable.
    pub fn close(&self) {
        self.db.close();
    }
}
