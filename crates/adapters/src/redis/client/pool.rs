//! A few connections to one server, shared by all requests of a thread: a connection per request would cost several times the CPU. Every
//! operation has a deadline. What is said over a connection is not known here, nor how the server is found.

use super::{
    connect::Way,
    connection::Line,
    failure::{Aftermath, Failure, aftermath},
};
use crate::per_thread;
use deadpool_redis::redis::{Cmd, FromRedisValue, RedisResult, aio::MultiplexedConnection};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The connections to one server.
pub(crate) struct Node {
    address: Arc<str>,
    timeout: Duration,
    lines: Box<[Line]>,
}

impl Node {
    /// Nothing is dialled yet.
    pub(crate) fn new(way: Way, connections: usize, timeout: Duration) -> Self {
        let (address, way): (Arc<str>, _) = (way.to_string().into(), Arc::new(way));
        let lines = (0..connections.max(1))
            .map(|_| Line::new(Arc::clone(&way), Arc::clone(&address), timeout));
        Self {
            lines: lines.collect(),
            address,
            timeout,
        }
    }

    /// Host and port, or how they are found.
    pub(crate) fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    /// When an operation that begins now has to have its answer.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Sends a command.
    pub(crate) async fn command<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Failure> {
        self.run(self.deadline(), async |mut link| {
            command.query_async(&mut link).await
        })
        .await
    }

    /// Does something over one of the connections.
    pub(crate) async fn run<T, F>(
        &self,
        deadline: Instant,
        work: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.run_on(self.next(), deadline, work).await
    }

    /// Whether none of them can be used right now.
    pub(crate) fn rests(&self) -> bool {
        self.lines.iter().all(Line::rests)
    }

    /// The connection of this thread. One that is down is passed over while another may do.
    fn next(&self) -> &Line {
        let own = per_thread::of_this_thread(self.lines.len());
        let (earlier, later) = self.lines.split_at(own);
        later
            .iter()
            .chain(earlier)
            .find(|line| !line.rests())
            .unwrap_or(&self.lines[own])
    }

    /// Does something over a connection, and judges the connection by how it went.
    async fn run_on<T, F>(
        &self,
        line: &Line,
        deadline: Instant,
        work: impl FnOnce(MultiplexedConnection) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let link = line.link(deadline).await?;
        let number = link.number();
        match timeout_at(deadline, work(link.connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => {
                let aftermath = aftermath(&source);
                let failure = Failure::Command {
                    address: self.address(),
                    source,
                };
                match aftermath {
                    Aftermath::Keep => {}
                    Aftermath::Drop => line.forget(number),
                    Aftermath::LeadsAstray => line.avoid(number, failure.clone()),
                }
                Err(failure)
            }
            Err(_) => {
                // Answers come in order: whatever holds this one up holds up all behind it. What else is under way may still finish.
                line.forget(number);
                Err(line.timed_out())
            }
        }
    }

    /// How many there should be, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        (
            self.lines.len(),
            self.lines.iter().filter(|line| line.is_live()).count(),
        )
    }

    /// Lets go of all.
    pub(crate) fn close(&self) {
        for line in &self.lines {
            line.close();
        }
    }
}
