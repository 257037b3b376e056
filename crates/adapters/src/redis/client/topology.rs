//! The three modes behind one interface: a single server, the master that Sentinels name, or the masters of a cluster. All keys of a script
//! are in one hash slot, so a call works the same in each.

use super::{
    cluster::Cluster,
    config::{RedisConfig, RedisMode},
    endpoint::RedisEndpoint,
    failure::{RedisFailure, UnreadableReply},
    pool::ConnectionPool,
    routing,
    sentinel::Sentinels,
    url,
    url::UrlError,
};
use deadpool_redis::redis::{FromRedisValue, ScriptInvocation, cmd};
use revolve_domain::ports::StoreError;
use std::sync::Arc;

pub(crate) enum Topology {
    /// A fixed server, or the master that Sentinels name.
    Single(Arc<ConnectionPool>),
    Cluster(Cluster),
}

impl RedisConfig {
    /// What is wrong with the URL or the TLS settings. The message begins with the key and a colon.
    pub fn mistake(&self) -> Option<String> {
        Topology::new(self).err().map(|mistake| mistake.to_string())
    }
}

impl Topology {
    /// Does not connect yet.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, UrlError> {
        let endpoint = match &config.mode {
            RedisMode::Standalone => RedisEndpoint::Server(url::single_host(config)?),
            RedisMode::Sentinel(sentinel) => {
                RedisEndpoint::Sentinels(Sentinels::new(config, sentinel)?)
            }
            RedisMode::Cluster => return Cluster::new(config).map(Self::Cluster),
        };
        let pool = ConnectionPool::new(endpoint, config.connections, config.timeout);
        Ok(Self::Single(Arc::new(pool)))
    }

    /// For messages.
    pub(crate) fn address(&self) -> Arc<str> {
        match self {
            Self::Single(pool) => pool.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
    }

    /// Every server that takes part, and whether they are a cluster.
    pub(crate) async fn servers(&self) -> Result<(Vec<Arc<ConnectionPool>>, bool), RedisFailure> {
        match self {
            Self::Single(pool) => Ok((vec![Arc::clone(pool)], false)),
            Self::Cluster(cluster) => cluster.masters().await.map(|masters| (masters, true)),
        }
    }

    /// Calls a script: one round trip, unless the server has to load it first.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        operation: &'static str,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        let answer = match self {
            Self::Single(pool) => {
                pool.run(pool.deadline(), async |mut connection| {
                    call.invoke_async(&mut connection).await
                })
                .await
            }
            Self::Cluster(cluster) => routing::call(cluster, call).await,
        };
        answer.map_err(|failure| failure.during(operation))
    }

    /// The error for an answer that can't be parsed.
    pub(crate) fn unreadable(
        &self,
        operation: &'static str,
        source: UnreadableReply,
    ) -> StoreError {
        let address = self.address();
        RedisFailure::Reply { address, source }.during(operation)
    }

    /// Whether a server answers; of a cluster, whether any master does.
    pub(crate) async fn ping(&self) -> Result<(), RedisFailure> {
        match self {
            Self::Single(pool) => pool.command(&cmd("PING")).await,
            Self::Cluster(cluster) => cluster.ping().await,
        }
    }

    /// How many connections are configured, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        match self {
            Self::Single(pool) => pool.count(),
            Self::Cluster(cluster) => cluster.count(),
        }
    }

    pub(crate) fn close(&self) {
        match self {
            Self::Single(pool) => pool.close(),
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}
