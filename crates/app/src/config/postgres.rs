//! `[postgres]`: the user database of the server profile.

use super::{Config, ConfigError, Hidden, Human, Profile, Rule, Secret};
use revolve_adapters::postgres::PostgresConfig;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[postgres]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`
    #[schemars(with = "Hidden")]
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Connections at most; 16.
    pub pool_size: usize,
    /// Longest time for one statement, waiting for a connection included; 2 s.
    #[serde(with = "Human")]
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

    /// Whether the server profile can find it.
    pub(super) fn check_postgres_url(&self) -> Result<(), ConfigError> {
        if self.profile == Profile::Server && !PostgresConfig::new(self.postgres_url()?).is_url() {
            return Err(ConfigError::new("postgres.url: it is not of the form postgres://user:password@host:port/database"));
        }
        Ok(())
    }
}
