//! One new connection to one server.

use super::failure::RedisFailure;
use deadpool_redis::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, aio::MultiplexedConnection,
};

/// Connects. The caller sets the deadline.
pub(crate) async fn connect(
    info: &ConnectionInfo,
    config: &AsyncConnectionConfig,
) -> Result<MultiplexedConnection, RedisFailure> {
    let failed =
        |source| RedisFailure::connect(info.addr().to_string().into(), is_encrypted(info), source);
    Client::open(info.clone())
        .map_err(failed)?
        .get_multiplexed_async_connection_with_config(config)
        .await
        .map_err(failed)
}

pub(crate) fn is_encrypted(info: &ConnectionInfo) -> bool {
    matches!(info.addr(), ConnectionAddr::TcpTls { .. })
}
