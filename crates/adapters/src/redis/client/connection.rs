//! One shared connection that comes back after a fault: dialled when it is needed, by one caller at a time, and not again and again while
//! Redis is down. It knows nothing of what is said over it.

use super::{connect::Way, failure::Failure};
use deadpool_redis::redis::{
    AsyncConnectionConfig, PushInfo, PushKind, aio::MultiplexedConnection,
};
use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// After a failed attempt nobody dials for so long, and everybody fails at once.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection, and which of the line's it is: a fault of an earlier one must not cost a later one.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) connection: MultiplexedConnection,
    number: u64,
}

#[derive(Clone)]
enum State {
    /// Not connected, and no reason not to be.
    Idle,
    Live(Link),
    /// The last attempt failed; the next may be made then.
    Down {
        failure: Failure,
        until: Instant,
    },
    Closed,
}

/// The place of one connection.
pub(crate) struct Line {
    way: Arc<Way>,
    address: Arc<str>,
    timeout: Duration,
    config: AsyncConnectionConfig,
    state: Mutex<State>,
    dialling: tokio::sync::Mutex<()>,
    dialled: AtomicU64,
    /// The client has seen a connection end. It may be an earlier one that somebody still used: then a good one goes, which costs a
    /// dial and no request.
    lost: Arc<AtomicBool>,
}

impl Line {
    pub(crate) fn new(way: Arc<Way>, address: Arc<str>, timeout: Duration) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&lost);
        let config = AsyncConnectionConfig::new()
            // Deadlines are set where an operation begins, connecting included.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    ended.store(true, Ordering::Release);
                }
                Ok::<_, Infallible>(())
            });
        let state = Mutex::new(State::Idle);
        Self {
            way,
            address,
            timeout,
            config,
            state,
            dialling: tokio::sync::Mutex::default(),
            dialled: AtomicU64::new(0),
            lost,
        }
    }

    /// The connection; dials if there is none.
    pub(crate) async fn link(&self, deadline: Instant) -> Result<Link, Failure> {
        self.notice_loss();
        let seen = self.state().clone();
        let flight = match seen {
            State::Live(link) => return Ok(link),
            State::Closed => return Err(Failure::Closed),
            State::Idle => timeout_at(deadline, self.dialling.lock())
                .await
                .map_err(|_| self.timed_out())?,
            // Whoever comes while Redis is down does not wait for the one who tries.
            State::Down { failure, until } => match self.dialling.try_lock() {
                Ok(flight) if until <= Instant::now() => flight,
                _ => return Err(failure),
            },
        };
        // What was tried while we waited holds for us too.
        let seen = self.state().clone();
        match seen {
            State::Live(link) => return Ok(link),
            State::Closed => return Err(Failure::Closed),
            State::Down { failure, until } if Instant::now() < until => return Err(failure),
            State::Idle | State::Down { .. } => {}
        }
        let result = self.dial(deadline).await;
        self.settle(result.clone());
        drop(flight);
        result
    }

    /// Whether it can't be used right now, and somebody else sees to it or will.
    pub(crate) fn rests(&self) -> bool {
        match &*self.state() {
            State::Down { until, .. } => {
                Instant::now() < *until || self.dialling.try_lock().is_err()
            }
            State::Idle | State::Live(_) | State::Closed => false,
        }
    }

    /// Whether there is a connection that nothing is known against.
    pub(crate) fn is_live(&self) -> bool {
        !self.lost.load(Ordering::Acquire) && matches!(&*self.state(), State::Live(_))
    }

    /// The connection is of no use any more.
    pub(crate) fn forget(&self, link: u64) {
        self.replace(link, State::Idle);
    }

    /// The connection leads to a server that is of no use now.
    pub(crate) fn avoid(&self, link: u64, failure: Failure) {
        self.replace(
            link,
            State::Down {
                failure,
                until: Instant::now() + PAUSE,
            },
        );
    }

    /// Lets go for good.
    pub(crate) fn close(&self) {
        *self.state() = State::Closed;
    }

    pub(crate) fn timed_out(&self) -> Failure {
        Failure::TimedOut {
            address: self.address(),
            after: self.timeout,
        }
    }

    async fn dial(&self, deadline: Instant) -> Result<Link, Failure> {
        self.lost.store(false, Ordering::Release);
        let dialled = timeout_at(deadline, self.way.dial(&self.config)).await;
        let connection = dialled.map_err(|_| Failure::Unreached {
            address: self.address(),
            after: self.timeout,
            encrypted: self.way.encrypted(),
        })??;
        Ok(Link {
            connection,
            number: self.dialled.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn address(&self) -> Arc<str> {
        Arc::clone(&self.address)
    }

    fn settle(&self, result: Result<Link, Failure>) {
        let mut state = self.state();
        if !matches!(*state, State::Closed) {
            *state = match result {
                Ok(link) => State::Live(link),
                Err(failure) => State::Down {
                    failure,
                    until: Instant::now() + PAUSE,
                },
            };
        }
    }

    /// Drops a connection that has ended while nobody used it.
    fn notice_loss(&self) {
        if self.lost.load(Ordering::Acquire) && self.lost.swap(false, Ordering::AcqRel) {
            let mut state = self.state();
            if matches!(*state, State::Live(_)) {
                *state = State::Idle;
            }
        }
    }

    fn replace(&self, link: u64, next: State) {
        let mut state = self.state();
        if matches!(&*state, State::Live(live) if live.number == link) {
            *state = next;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Which of the line's connections it is.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}
