//! How Redis is reached: the part of the configuration that this adapter needs.

use crate::tls::TlsSettings;
use secrecy::SecretString;
use std::time::Duration;

/// Where Redis is, and how it is used.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// `redis://[[user]:password@]host[:port][/db]`, `rediss://` for TLS. With Sentinels or a cluster the hosts are the Sentinels, or
    /// some nodes of the cluster, with commas in between; user, password and database are those of the servers with the data.
    pub url: SecretString,
    /// What stands at the other end.
    pub mode: RedisMode,
    /// Whom to trust and who we are, where the URL says `rediss`.
    pub tls: TlsSettings,
    /// So many connections to each server are kept open, at least 1. All requests of a thread share one: as many as threads that serve, and
    /// one for what goes on in the background, are best.
    pub connections: usize,
    /// Every operation has an answer by then, connecting included.
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

/// What stands at the other end.
#[derive(Clone, Debug, Default)]
pub enum RedisMode {
    /// One server.
    #[default]
    Standalone,
    /// A master and its replicas, watched by Sentinels. Whenever a connection is made they are asked who the master is.
    Sentinel(SentinelConfig),
    /// A Redis Cluster. All keys of a user are in one hash slot.
    Cluster,
}

/// What the Sentinels need to hear.
#[derive(Clone, Debug)]
pub struct SentinelConfig {
    /// The master's name in `sentinel monitor`.
    pub master: String,
    /// The Sentinels' own user, if they have any.
    pub username: Option<String>,
    /// The Sentinels' own password, if they have one.
    pub password: Option<SecretString>,
}
