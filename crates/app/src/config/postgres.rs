//! `[postgres]`: the user database of the server profile.

use super::{Config, ConfigError, Rule, Secret};
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[postgres]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Connections at most; 16.
    pub pool_size: usize,
    /// Longest time for one statement, waiting for a connection included; 2 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        Self { url: None, url_file: None, pool_size: 16, timeout: Duration::from_secs(2) }
    }
}

impl Postgres {
    /// What types alone can't say.
    pub(super) fn rules(&self) -> Vec<Rule> {
        vec![(self.pool_size >= 1, "postgres.pool_size: must be at least 1")]
    }
}

impl Config {
    /// Where Postgres is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn postgres_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve("postgres.url", self.postgres.url.as_ref(), self.postgres.url_file.as_ref())?.required("postgres.url")
    }
}
