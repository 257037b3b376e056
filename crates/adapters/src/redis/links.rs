//! A few connections, shared by all requests in turn: a connection per request would cost several times the CPU. Every operation has a
//! deadline. What is said over a connection is not known here.
//!
//! Sentinel and Cluster would change how a [`Slot`] dials, and nothing else: every intent stays in one hash slot.

use super::{
    RedisConfig, connection_info,
    failure::{Aftermath, Failure, aftermath},
    slot::Slot,
};
use deadpool_redis::redis::{Cmd, FromRedisValue, RedisError, RedisResult, ScriptInvocation, aio::MultiplexedConnection, cmd};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// The connections.
pub(super) struct Links {
    address: Arc<str>,
    timeout: Duration,
    slots: Box<[Slot]>,
    turn: AtomicUsize,
}

impl Links {
    /// Nothing is dialled yet.
    pub(super) fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        let info = connection_info(&config.url)?;
        let address: Arc<str> = info.addr().to_string().into();
        let slots = (0..config.connections.max(1)).map(|_| Slot::new(&info, Arc::clone(&address), config.timeout));
        Ok(Self { slots: slots.collect::<Result<_, _>>()?, address, timeout: config.timeout, turn: AtomicUsize::new(0) })
    }

    /// Host and port.
    pub(super) fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    /// Dials all of them.
    pub(super) async fn open(&self) -> Result<(), Failure> {
        for slot in &self.slots {
            self.run_on(slot, async |mut link| cmd("PING").exec_async(&mut link).await).await?;
        }
        Ok(())
    }

    /// Sends a command.
    pub(super) async fn command<T: FromRedisValue>(&self, command: Cmd) -> Result<T, Failure> {
        self.run(|mut link| async move { command.query_async(&mut link).await }).await
    }

    /// Calls a script: one round trip, unless the server does not know it yet.
    pub(super) async fn call<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, Failure> {
        self.run(|mut link| async move { call.invoke_async(&mut link).await }).await
    }

    /// Does something over one of the connections.
    pub(super) async fn run<T, F>(&self, work: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.run_on(self.next(), work).await
    }

    /// The connection whose turn it is. One that is down is passed over while another may do.
    fn next(&self) -> &Slot {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.slots.len();
        let (earlier, later) = self.slots.split_at(turn);
        later.iter().chain(earlier).find(|slot| !slot.rests()).unwrap_or(&self.slots[turn])
    }

    /// Does something over a connection, and judges the connection by how it went.
    async fn run_on<T, F>(&self, slot: &Slot, work: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Failure>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let deadline = Instant::now() + self.timeout;
        let link = slot.link(deadline).await?;
        let number = link.number();
        match timeout_at(deadline, work(link.connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(source)) => {
                let aftermath = aftermath(&source);
                let failure = Failure::Command { address: self.address(), source };
                match aftermath {
                    Aftermath::Keep => {}
                    Aftermath::Drop => slot.forget(number),
                    Aftermath::LeadsAstray => slot.avoid(number, failure.clone()),
                }
                Err(failure)
            }
            Err(_) => {
                // Answers come in order: whatever holds this one up holds up all behind it. What else is under way may still finish.
                slot.forget(number);
                Err(slot.timed_out())
            }
        }
    }

    /// How many there should be, and how many are open.
    pub(super) fn count(&self) -> (usize, usize) {
        (self.slots.len(), self.slots.iter().filter(|slot| slot.is_live()).count())
    }

    /// Lets go of all.
    pub(super) fn close(&self) {
        for slot in &self.slots {
            slot.close();
        }
    }
}
