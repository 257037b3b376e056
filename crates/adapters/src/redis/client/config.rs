//! How Redis is reached.

use crate::tls::TlsSettings;
use secrecy::SecretString;
use std::time::Duration;

/// How Redis is reached.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://[[user]:password@]host[:port][/db]`, `rediss://` for TLS. With Sentinels or a cluster several hosts, separated by commas:
    /// the Sentinels, or some nodes of the cluster. User, password and database are those of the servers with the data.
    pub url: SecretString,
    /// What the URL leads to.
    pub mode: RedisMode,
    /// For `rediss://`.
    pub tls: TlsSettings,
    /// Connections to each server, at least 1. All requests of a thread share one, so the best number is one for each thread that serves
    /// and one for background work.
    pub connections: usize,
    /// The deadline of every operation, connecting included.
    pub timeout: Duration,
}

impl RedisConfig {
    /// One server, two connections, one second.
    pub fn new(url: SecretString) -> Self {
        Self {
            url,
            mode: RedisMode::Standalone,
            tls: TlsSettings::default(),
            connections: 2,
            timeout: Duration::from_secs(1),
        }
    }
}

/// What the URL leads to.
#[derive(Clone, Debug, Default)]
pub enum RedisMode {
    /// One server.
    #[default]
    Standalone,
    /// A master and its replicas, watched by Sentinels, which are asked for the master whenever a connection is made.
    Sentinel(SentinelConfig),
    /// A Redis Cluster. All keys of a user are in one hash slot.
    Cluster,
}

/// How Sentinels are asked.
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    /// The master's name in `sentinel monitor`.
    pub master: String,
    /// The Sentinels' own user, if they have any.
    pub username: Option<String>,
    /// The Sentinels' own password, if they have one.
    pub password: Option<SecretString>,
}
