//! `[redis]`: the white list of the server profile.

use super::{Config, ConfigError, Rule, Secret};
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[redis]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://[:password@]host:port/[db]`
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Long-lived connections that all requests share; 2.
    pub connections: usize,
    /// Longest time for one step, connecting included; 1 s.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for Redis {
    fn default() -> Self {
        Self { url: None, url_file: None, connections: 2, timeout: Duration::from_secs(1) }
    }
}

impl Redis {
    /// What types alone can't say.
    pub(super) fn rules(&self) -> Vec<Rule> {
        vec![(self.connections >= 1, "redis.connections: must be at least 1")]
    }
}

impl Config {
    /// Where Redis is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn redis_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve("redis.url", self.redis.url.as_ref(), self.redis.url_file.as_ref())?.required("redis.url")
    }
}
