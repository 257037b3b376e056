//! A few connections to one server. All requests of a thread share one: a connection per request costs several times the CPU. Every
//! operation has a deadline.

use super::{
    connection::ReconnectingConnection,
    endpoint::RedisEndpoint,
    failure::{ConnectionVerdict, RedisFailure, verdict},
};
use crate::per_thread;
use deadpool_redis::redis::{Cmd, FromRedisValue, RedisResult, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The connections to one server.
pub(crate) struct ConnectionPool {
    address: Arc<str>,
    timeout: Duration,
    connections: Box<[ReconnectingConnection]>,
}

impl ConnectionPool {
    /// Does not connect yet.
    pub(crate) fn new(endpoint: RedisEndpoint, connections: usize, timeout: Duration) -> Self {
        let (address, endpoint): (Arc<str>, _) = (endpoint.to_string().into(), Arc::new(endpoint));
        let connections = (0..connections.max(1)).map(|_| {
            ReconnectingConnection::new(Arc::clone(&endpoint), Arc::clone(&address), timeout)
        });
        Self {
            connections: connections.collect(),
            address,
            timeout,
        }
    }

    /// Host and port, or the Sentinels' names for it.
    pub(crate) fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    /// Of an operation that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends a command.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        command: &Cmd,
    ) -> Result<T, RedisFailure> {
        self.run(self.deadline(), async |mut connection| {
            command.query_async(&mut connection).await
        })
        .await
    }

    /// Runs `work` on one of the connections, and replaces the connection if the outcome says so.
    pub(crate) async fn run<T, F>(
        &self,
        deadline: Instant,
        work: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, RedisFailure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let shared = self.choose();
        let handle = shared.get(deadline).await?;
        let number = handle.number;
        match timeout_at(deadline, work(handle.connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => {
                let verdict = verdict(&source);
                let failure = RedisFailure::Command {
                    address: self.address(),
                    source,
                };
                match verdict {
                    ConnectionVerdict::Keep => {}
                    ConnectionVerdict::Discard => shared.discard(number),
                    ConnectionVerdict::BackOff => shared.back_off(number, failure.clone()),
                }
                Err(failure)
            }
            Err(_) => {
                // Answers come in order: what delays this one delays all behind it. Other requests that are under way may still finish.
                shared.discard(number);
                Err(shared.timed_out())
            }
        }
    }

    /// Whether none of the connections can be used now.
    pub(crate) fn is_down(&self) -> bool {
        self.connections.iter().all(ReconnectingConnection::is_down)
    }

    /// This thread's connection, or the next that is not down.
    fn choose(&self) -> &ReconnectingConnection {
        let own = per_thread::index(self.connections.len());
        let (before, from_own) = self.connections.split_at(own);
        from_own
            .iter()
            .chain(before)
            .find(|connection| !connection.is_down())
            .unwrap_or(&self.connections[own])
    }

    /// How many connections are configured, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        let open = self.connections.iter().filter(|one| one.is_open()).count();
        (self.connections.len(), open)
    }

    pub(crate) fn close(&self) {
        self.connections
            .iter()
            .for_each(ReconnectingConnection::close);
    }
}
