//! What a connection leads to: a server with a known address, or the master that Sentinels name.

use super::{
    connect::{connect, is_encrypted},
    failure::RedisFailure,
    sentinel::Sentinels,
};
use deadpool_redis::redis::{AsyncConnectionConfig, ConnectionInfo, aio::MultiplexedConnection};
use std::fmt;

pub(crate) enum RedisEndpoint {
    Server(ConnectionInfo),
    Sentinels(Sentinels),
}

impl RedisEndpoint {
    /// Connects. The caller sets the deadline.
    pub(crate) async fn connect(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, RedisFailure> {
        match self {
            Self::Server(info) => connect(info, config).await,
            // Only this last connection gets the caller's configuration: its push sender reports the end of any connection that
            // has it, and those to Sentinels end at once.
            Self::Sentinels(sentinels) => connect(&sentinels.find_master().await?, config).await,
        }
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        match self {
            Self::Server(info) => is_encrypted(info),
            Self::Sentinels(sentinels) => is_encrypted(sentinels.master_template()),
        }
    }
}

impl fmt::Display for RedisEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(info) => write!(f, "{}", info.addr()),
            Self::Sentinels(sentinels) => write!(f, "{sentinels}"),
        }
    }
}
