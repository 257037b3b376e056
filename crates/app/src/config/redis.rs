//! `[redis]`: the white list of the server profile.

use super::{Config, ConfigError, Hidden, Human, Profile, Rule, Secret};
use revolve_adapters::redis::RedisConfig;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[redis]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://[:password@]host:port/[db]`
    #[schemars(with = "Hidden")]
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// Long-lived connections that all requests share; 2.
    pub connections: usize,
    /// Longest time for one step, connecting included; 1 s.
    #[serde(with = "Human")]
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

    /// Whether the server profile can find it.
    pub(super) fn check_redis_url(&self) -> Result<(), ConfigError> {
        if self.profile == Profile::Server && !RedisConfig::new(self.redis_url()?).is_url() {
            return Err(ConfigError::new("redis.url: it is not of the form redis://[:password@]host:port/[db]"));
        }
        Ok(())
    }
}
