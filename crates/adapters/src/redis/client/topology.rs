//! The way to the data, whatever stands at the other end: one server, the master that Sentinels know, or the masters of a cluster. Every
//! intent stays in one hash slot, so that a call of a script works the same over each.

use super::{
    cluster::Cluster,
    config::{RedisConfig, RedisMode},
    connect::Way,
    failure::Failure,
    pool::Node,
    sentinel::Sentinels,
    url,
    url::UrlError,
};
use deadpool_redis::redis::{FromRedisValue, ScriptInvocation, cmd};
use std::sync::Arc;

impl RedisConfig {
    /// What is wrong with the URL or what goes with it, so that it can be told before anything is started: the key and a colon come
    /// first.
    pub fn mistake(&self) -> Option<String> {
        Links::new(self).err().map(|mistake| mistake.to_string())
    }
}

/// The connections.
pub(crate) enum Links {
    /// To one server, whichever it is.
    One(Arc<Node>),
    /// To the masters of a cluster.
    Cluster(Cluster),
}

impl Links {
    /// Nothing is dialled yet.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, UrlError> {
        let one = |way| Self::One(Arc::new(Node::new(way, config.connections, config.timeout)));
        Ok(match &config.mode {
            RedisMode::Standalone => one(Way::Fixed(url::only(config)?)),
            RedisMode::Sentinel(sentinel) => one(Way::Sentinels(Sentinels::new(config, sentinel)?)),
            RedisMode::Cluster => Self::Cluster(Cluster::new(config)?),
        })
    }

    /// Where it is, for people.
    pub(crate) fn address(&self) -> Arc<str> {
        match self {
            Self::One(node) => node.address(),
            Self::Cluster(cluster) => cluster.address(),
        }
    }

    /// Every server that takes part, and whether one of them may be missing.
    pub(crate) async fn servers(&self) -> Result<(Vec<Arc<Node>>, bool), Failure> {
        match self {
            Self::One(node) => Ok((vec![Arc::clone(node)], false)),
            Self::Cluster(cluster) => cluster.masters().await.map(|masters| (masters, true)),
        }
    }

    /// Calls a script, all of whose keys are in one hash slot: one round trip, unless the server does not know it yet.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, Failure> {
        match self {
            Self::One(node) => {
                node.run(node.deadline(), async |mut link| {
                    call.invoke_async(&mut link).await
                })
                .await
            }
            Self::Cluster(cluster) => cluster.call(call).await,
        }
    }

    /// Whether anything can be done.
    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        match self {
            Self::One(node) => node.command(&cmd("PING")).await,
            Self::Cluster(cluster) => cluster.ping().await,
        }
    }

    /// How many connections there should be, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        match self {
            Self::One(node) => node.count(),
            Self::Cluster(cluster) => cluster.count(),
        }
    }

    /// Lets go of all.
    pub(crate) fn close(&self) {
        match self {
            Self::One(node) => node.close(),
            Self::Cluster(cluster) => cluster.close(),
        }
    }
}
