//! `[redis]`: the white list of the server profile.

use super::Rule;
use crate::{Config, ConfigError, Hidden, Human, Secret};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, time::Duration};

/// What stands at the other end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RedisModeName {
    /// One server.
    #[default]
    Standalone,
    /// A master and its replicas, watched by Sentinels.
    Sentinel,
    /// A Redis Cluster.
    Cluster,
}

/// `[redis]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// `redis://[[user]:password@]host:port/[db]`, or `rediss://` for TLS, which is always verified. Several hosts with commas in between:
    /// the Sentinels, or some nodes of the cluster; user, password and database are those of the servers with the data.
    #[schemars(with = "Hidden")]
    pub url: Option<SecretString>,
    /// The same as a file.
    pub url_file: Option<PathBuf>,
    /// `standalone`, `sentinel` or `cluster`; `standalone`.
    pub mode: RedisModeName,
    /// How Sentinels are asked for the master.
    pub sentinel: Sentinel,
    /// Certificates in PEM of the authorities that servers' certificates may come from, with `rediss://`; those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Our certificate in PEM, for servers that ask for one, with `rediss://`; none.
    pub client_certificate_file: Option<PathBuf>,
    /// The key of our certificate in PEM; none.
    pub client_key_file: Option<PathBuf>,
    /// Long-lived connections to each server, each shared by all requests of a thread; one more than `http.workers`.
    pub connections: Option<usize>,
    /// Longest time for one step, connecting included; 1 s.
    #[serde(with = "Human")]
    pub timeout: Duration,
}

/// `[redis.sentinel]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sentinel {
    /// The master's name in `sentinel monitor`, needed with `mode = "sentinel"`; empty.
    pub master: String,
    /// The Sentinels' own user, which is not the servers'; none.
    pub username: Option<String>,
    /// The Sentinels' own password, which is not the servers'; none.
    #[schemars(with = "Hidden")]
    pub password: Option<SecretString>,
    /// The same as a file.
    pub password_file: Option<PathBuf>,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            url_file: None,
            mode: RedisModeName::default(),
            sentinel: Sentinel::default(),
            ca_file: None,
            client_certificate_file: None,
            client_key_file: None,
            connections: None,
            timeout: Duration::from_secs(1),
        }
    }
}

impl Redis {
    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let (sentinel, named) = (
            self.mode == RedisModeName::Sentinel,
            !self.sentinel.master.is_empty(),
        );
        vec![
            (
                self.connections != Some(0),
                "redis.connections: must be at least 1",
            ),
            (
                !sentinel || named,
                "redis.sentinel.master: `mode = \"sentinel\"` needs the name in `sentinel monitor`",
            ),
            (
                sentinel || !named,
                "redis.sentinel.master: is for `mode = \"sentinel\"` only",
            ),
            (
                self.client_certificate_file.is_some() == self.client_key_file.is_some(),
                "redis.client_certificate_file: goes together with redis.client_key_file",
            ),
        ]
    }
}

impl Config {
    /// Where Redis is.
    ///
    /// # Errors
    /// [`ConfigError`] if it is not given or its file can't be read.
    pub fn redis_url(&self) -> Result<SecretString, ConfigError> {
        Secret::resolve(
            "redis.url",
            self.redis.url.as_ref(),
            self.redis.url_file.as_ref(),
        )?
        .required("redis.url")
    }

    /// The Sentinels' own password, if one is given.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn sentinel_password(&self) -> Result<Secret, ConfigError> {
        Secret::resolve(
            "redis.sentinel.password",
            self.redis.sentinel.password.as_ref(),
            self.redis.sentinel.password_file.as_ref(),
        )
    }
}
