//! Accounts and sessions' rows in Postgres: SQL, rows and retries. What the rows mean is the domain's to say.
//!
//! Every statement goes through [`Database`], which owns connections, deadlines and retries; statements and the decoding
//! of rows know nothing of it, so that a read can be sent another way without touching them.

mod begin;
mod change;
mod database;
mod directory;
mod end;
mod error;
mod inspect;
mod keys;
mod migrate;
mod rows;
mod sessions;
mod shared;
mod url;
mod users;
mod values;
mod write;

use crate::tls::TlsSettings;
use database::Database;
pub use inspect::{PostgresFacts, Standbys, inspect, plain_hosts};
use revolve_domain::ports::StoreError;
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};

/// How errors call this store.
const STORE: &str = "postgres";

/// Where Postgres is and how long to wait for it.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database`, with several hosts with commas in between: the one that takes writes is used.
    ///
    /// With `sslmode=verify-full` the connection is encrypted, and the server's certificate has to come from a trusted authority and be
    /// for the host's name; `require` and `verify-ca` mean the same here. `disable` is plain text. Without `sslmode`, what stays on the
    /// machine (loopback, Unix socket) is plain text, and everything else as with `verify-full`. `prefer` and `allow` are refused.
    pub url: SecretString,
    /// Whom to trust and who we are, where the connection is encrypted.
    pub tls: TlsSettings,
    /// Connections at most; at least 1.
    pub pool_size: usize,
    /// So many of them, at most half, are shared by the short reads of all requests. All of a thread share one: as many as threads that
    /// serve, and one for what goes on in the background, are best. With 0 each read has a connection of its own.
    pub shared: usize,
    /// The longest time that one call of a port takes, waiting for a connection included. The server gives up on a
    /// statement, or on a transaction that is left open, after the same time.
    pub timeout: Duration,
}

impl PostgresConfig {
    /// With 16 connections, 2 of them shared, and a time-out of 1 s.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            tls: TlsSettings::default(),
            pool_size: 16,
            shared: 2,
            timeout: Duration::from_secs(1),
        }
    }

    /// What is wrong with the URL or what goes with it, so that it can be told before anything is started: the key and a colon come
    /// first.
    pub fn mistake(&self) -> Option<String> {
        let config = match url::read(self.url.expose_secret()) {
            Ok(config) => config,
            Err(mistake) => return Some(format!("url: {mistake}")),
        };
        database::connector(&config, &self.tls).err()
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
        Ok(Self {
            db,
            migrated: migrated.into(),
        })
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
