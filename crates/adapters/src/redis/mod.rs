//! The white list in Redis 7: one hash per live session, one index per user, one Lua script per intent. What decides on a
//! rotation lives in `lua/`; nothing in here knows SQL, tokens' signatures or HTTP, and no type of the Redis client leaves it.
//!
//! - `limits`: buckets for limits, beside the white list
//! - `links`: the way to the data: one server, the master that Sentinels know (`sentinel`), or a `cluster`'s masters
//! - `node`, `line`, `dial`, `url`: a few shared connections to a server, and how they come back after a fault
//! - `server`: whether the server at the other end will do
//! - `scripts`, `keys`, `reply`: the words of the conversation
//! - `inspect`: a look that changes nothing, for `revolve doctor`
//! - `failure`: what went wrong, and whether it passes by itself

mod cluster;
mod dial;
mod failure;
mod inspect;
mod keys;
mod limits;
mod line;
mod links;
mod node;
mod reply;
mod scripts;
mod sentinel;
mod server;
mod tokens;
mod url;

use crate::tls::TlsSettings;
use deadpool_redis::redis;
use failure::Failure;
pub use inspect::{Looked, RedisFacts, inspect, plain_hosts};
pub use limits::{BucketNames, RedisLimits};
use links::Links;
use node::Node;
use revolve_domain::ports::StoreError;
use scripts::Scripts;
use secrecy::SecretString;
use std::{fmt, sync::Arc, time::Duration};

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

    /// What is wrong with the URL or what goes with it, so that it can be told before anything is started: the key and a colon come
    /// first.
    pub fn mistake(&self) -> Option<String> {
        Links::new(self).err().map(|mistake| mistake.to_string())
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

/// The white list in Redis.
pub struct RedisTokens {
    links: Arc<Links>,
    scripts: Scripts,
}

impl RedisTokens {
    /// Reaches Redis, makes sure that it will do, and loads the scripts.
    ///
    /// Warns if Redis is set up so that it may forget sessions.
    ///
    /// # Errors
    /// Unavailable if Redis can't be reached, is still loading or is a replica; broken if the URL, the password or the version is
    /// wrong. The error's sources name host and port, never the password.
    pub async fn connect(config: RedisConfig) -> Result<Self, StoreError> {
        let refused = |failure: Failure| failure.while_it_should("connect");
        let links =
            Arc::new(Links::new(&config).map_err(|source| refused(Failure::Url { source }))?);
        let scripts = Scripts::new();
        let (servers, one_may_be_missing) = links.servers().await.map_err(refused)?;
        let (mut fit, mut missing) = (0, None);
        for server in &servers {
            match prepare(server, &scripts, one_may_be_missing).await {
                Ok(()) => fit += 1,
                Err(failure) if one_may_be_missing && failure.passes() => {
                    tracing::warn!(redis = %server.address(), error = &failure as &dyn std::error::Error, "a master is missing");
                    missing = Some(failure);
                }
                Err(failure) => return Err(refused(failure)),
            }
        }
        match missing {
            Some(failure) if fit == 0 => Err(refused(failure)),
            _ => Ok(Self { links, scripts }),
        }
    }

    /// How many connections there should be, and how many of them are open.
    pub fn connections(&self) -> (usize, usize) {
        self.links.count()
    }

    /// Lets go of the connections. What is under way may finish; what comes later is refused.
    pub async fn close(&self) {
        self.links.close();
        // Each connection's task ends, and its socket closes, once the task is scheduled again.
        tokio::task::yield_now().await;
    }
}

impl fmt::Debug for RedisTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisTokens")
            .field("address", &self.links.address())
            .finish_non_exhaustive()
    }
}

/// Makes sure that a server will do, and loads the scripts. Each thread dials its own connection when it first needs one.
async fn prepare(server: &Node, scripts: &Scripts, cluster: bool) -> Result<(), Failure> {
    let info: String = server.command(&redis::cmd("INFO")).await?;
    server::check(&info, cluster).map_err(|unfit| Failure::Unfit {
        address: server.address(),
        source: unfit,
    })?;
    for warning in server::warnings(&info) {
        tracing::warn!(redis = %server.address(), "{warning}");
    }
    scripts.load(server).await
}
