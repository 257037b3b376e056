//! `[postgres]`: the user database of the server profile.

use super::Rule;
use crate::{Config, ConfigError, Hidden, Human, Secret};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[postgres]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Postgres {
    /// `postgres://user:password@host:port/database`; several hosts with commas in between: the one that takes writes is used. Encrypted
    /// and verified with `?sslmode=verify-full`, plain text with `?sslmode=disable`; without either, plain text on this machine only.
    #[schemars(with = "Hidden")]
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Certificates in PEM of the authorities that the server's certificate may come from; those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Our certificate in PEM, for a server that asks for one; none.
    pub client_certificate_file: Option<PathBuf>,
    /// The key of our certificate in PEM; none.
    pub client_key_file: Option<PathBuf>,
    /// Connections at most; 16. One more than `http.workers`, at most half of them, are shared by the short reads of all requests.
    pub pool_size: usize,
    /// Whether a pooler stands between, such as PgBouncer with `pool_mode = transaction`, that gives each transaction any of its sessions:
    /// then nothing is left in one. Without it the start finds out; `true` also where a pooler keeps the server's own process ids,
    /// `false` where one keeps sessions.
    pub pooler: Option<bool>,
    /// Longest time for one statement, waiting for a connection included; 2 s.
    #[serde(with = "Human")]
    pub timeout: Duration,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            pool_size: 16,
            pooler: None,
            timeout: Duration::from_secs(2),
        }
    }
}

impl Postgres {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        vec![
            (
                self.pool_size >= 1,
                "postgres.pool_size: must be at least 1",
            ),
            (
                self.client_certificate_file.is_some() == self.client_key_file.is_some(),
                "postgres.client_certificate_file: goes together with postgres.client_key_file",
            ),
        ]
    }
}

impl Config {
    /// Where Postgres is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn postgres_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve(
            "postgres.url",
            self.postgres.url.as_ref(),
            self.postgres.url_file.as_ref(),
        )?
        .required("postgres.url")
    }
}
