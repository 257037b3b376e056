//! A look behind the adapter's back, at the one Redis or at the master that has a user's keys.

use super::Server;
use deadpool_redis::redis::{
    AsyncCommands, AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind,
    aio::MultiplexedConnection,
};
use revolve_domain::model::UserId;

/// Ordinary connections to all masters.
pub(super) struct Look(Vec<MultiplexedConnection>);

/// Connects to every host of the URL.
pub(super) async fn look(server: &Server) -> Look {
    let (scheme, rest) = server.url.split_once("://").expect("a URL");
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut all = Vec::new();
    for host in hosts.split(',') {
        all.push(open(&format!("{scheme}://{host}/{path}")).await);
    }
    Look(all)
}

/// An ordinary connection. A busy machine is no failure.
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

impl Look {
    /// The connection to where the user's keys are.
    pub(super) async fn at(&self, user: UserId) -> MultiplexedConnection {
        self.with(&format!("{{{user}}}:sessions")).await
    }

    /// The connection to where that key is, or would be.
    pub(super) async fn with(&self, key: &str) -> MultiplexedConnection {
        for link in &self.0 {
            let asked: Result<bool, RedisError> = link.clone().exists(key).await;
            match asked {
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Moved) => {}
                asked => {
                    asked.expect("EXISTS works");
                    return link.clone();
                }
            }
        }
        panic!("no master has {key}");
    }
}
