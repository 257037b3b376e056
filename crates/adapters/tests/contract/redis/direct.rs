//! Connections to the Redis under test that bypass the adapter.

use super::RedisUnderTest;
use deadpool_redis::redis::{
    AsyncCommands, AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind,
    aio::MultiplexedConnection,
};
use revolve_domain::model::UserId;

/// One connection to each master.
pub(super) struct DirectConnections(Vec<MultiplexedConnection>);

/// Connects to every host of the URL.
pub(super) async fn connect_directly(server: &RedisUnderTest) -> DirectConnections {
    let (scheme, rest) = server.url.split_once("://").expect("a URL");
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut all = Vec::new();
    for host in hosts.split(',') {
        all.push(open(&format!("{scheme}://{host}/{path}")).await);
    }
    DirectConnections(all)
}

/// A connection without time-outs, for a busy machine.
pub(super) async fn open(url: &str) -> MultiplexedConnection {
    let client = Client::open(url).expect("a URL that was read once should be fine");
    let patient = AsyncConnectionConfig::new()
        .set_connection_timeout(None)
        .set_response_timeout(None);
    client
        .get_multiplexed_async_connection_with_config(&patient)
        .await
        .expect("the Redis under test should be reachable")
}

impl DirectConnections {
    /// The connection to the master of the user's keys.
    pub(super) async fn for_user(&self, user: UserId) -> MultiplexedConnection {
        self.for_key(&format!("{{{user}}}:sessions")).await
    }

    /// The connection to the master of this key, whether it exists or not.
    pub(super) async fn for_key(&self, key: &str) -> MultiplexedConnection {
        for connection in &self.0 {
            let asked: Result<bool, RedisError> = connection.clone().exists(key).await;
            match asked {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {}
                asked => {
                    asked.expect("EXISTS works");
                    return connection.clone();
                }
            }
        }
        panic!("no master has {key}");
    }
}
