//! How a connection is made: to a server that is known by its address, or to whoever is the master by what Sentinels say.

use super::{failure::Failure, sentinel::Sentinels, url};
use deadpool_redis::{
    Connection, Manager, Pool, PoolError,
    redis::{
        AsyncConnectionConfig, ConnectionInfo, ErrorKind, RedisError, aio::MultiplexedConnection,
    },
};
use std::{fmt, sync::Arc};

/// The way to a server.
pub(crate) enum Way {
    /// Its address.
    Fixed(ConnectionInfo),
    /// The Sentinels that know it.
    Sentinels(Sentinels),
}

impl Way {
    /// Makes a connection. The caller sets the deadline.
    pub(crate) async fn dial(
        &self,
        config: &AsyncConnectionConfig,
    ) -> Result<MultiplexedConnection, Failure> {
        match self {
            Self::Fixed(info) => connect(info, config).await,
            Self::Sentinels(sentinels) => sentinels.dial(config).await,
        }
    }

    /// Whether the connection is encrypted.
    pub(crate) fn encrypted(&self) -> bool {
        match self {
            Self::Fixed(info) => encrypted(info),
            Self::Sentinels(sentinels) => encrypted(sentinels.master()),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(info) => write!(f, "{}", info.addr()),
            Self::Sentinels(sentinels) => write!(f, "{sentinels}"),
        }
    }
}

/// Makes a connection to a server, by the pool's manager. A pool is for connections that one request holds at a time; ours are shared, so
/// it is made for one, which is taken out of it for good.
pub(crate) async fn connect(
    info: &ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, Failure> {
    let address: Arc<str> = info.addr().to_string().into();
    let failed = |source| Failure::connect(Arc::clone(&address), encrypted(info), source);
    let manager = Manager::new_with_config(info.clone(), config.clone()).map_err(failed)?;
    let pool = Pool::builder(manager).max_size(1).build();
    let pool = pool.map_err(|error| {
        failed(RedisError::from((
            ErrorKind::InvalidClientConfig,
            "no pool",
            error.to_string(),
        )))
    })?;
    match pool.get().await {
        Ok(connection) => Ok(Connection::take(connection)),
        Err(PoolError::Backend(source)) => Err(failed(source)),
        // The pool has no time-outs and no hooks.
        Err(_) => Err(Failure::Closed),
    }
}

fn encrypted(info: &ConnectionInfo) -> bool {
    matches!(
        info.addr(),
        deadpool_redis::redis::ConnectionAddr::TcpTls { .. }
    ) && url::place(info).is_some()
}
