//! One shared connection that is replaced after a fault. It is made when it is needed, by one caller at a time, and while Redis is down
//! attempts have a pause between them.

use super::{endpoint::RedisEndpoint, failure::RedisFailure};
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

/// For so long after a failed attempt no other is made, and every call fails at once.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// An open connection. Its number tells it from earlier and later ones of the same [`ReconnectingConnection`], so that a late fault of an
/// earlier one does not close a later one.
#[derive(Clone)]
pub(crate) struct ConnectionHandle {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) number: u64,
}

#[derive(Clone)]
enum ConnectionState {
    /// Not connected; the next call connects.
    Idle,
    Open(ConnectionHandle),
    /// The last attempt failed. The next one may begin at `retry_at`.
    Down {
        failure: RedisFailure,
        retry_at: Instant,
    },
    Closed,
}

impl ConnectionState {
    fn down(failure: RedisFailure) -> Self {
        Self::Down {
            failure,
            retry_at: Instant::now() + RETRY_PAUSE,
        }
    }
}

pub(crate) struct ReconnectingConnection {
    endpoint: Arc<RedisEndpoint>,
    address: Arc<str>,
    timeout: Duration,
    config: AsyncConnectionConfig,
    state: Mutex<ConnectionState>,
    connecting: tokio::sync::Mutex<()>,
    next_number: AtomicU64,
    /// Set by the client when a connection ends. It may have been an earlier one that was still in use: then a good one is replaced,
    /// which costs a connect and fails no request.
    lost: Arc<AtomicBool>,
}

impl ReconnectingConnection {
    /// Does not connect yet.
    pub(crate) fn new(endpoint: Arc<RedisEndpoint>, address: Arc<str>, timeout: Duration) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let on_disconnect = Arc::clone(&lost);
        let config = AsyncConnectionConfig::new()
            // Callers set deadlines over the whole operation, connecting included.
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    on_disconnect.store(true, Ordering::Release);
                }
                Ok::<_, Infallible>(())
            });
        Self {
            endpoint,
            address,
            timeout,
            config,
            state: Mutex::new(ConnectionState::Idle),
            connecting: tokio::sync::Mutex::default(),
            next_number: AtomicU64::new(0),
            lost,
        }
    }

    /// The open connection; connects if there is none.
    pub(crate) async fn get(&self, deadline: Instant) -> Result<ConnectionHandle, RedisFailure> {
        self.drop_lost();
        let seen = self.state().clone();
        let guard = match seen {
            ConnectionState::Open(handle) => return Ok(handle),
            ConnectionState::Closed => return Err(RedisFailure::Closed),
            ConnectionState::Idle => timeout_at(deadline, self.connecting.lock())
                .await
                .map_err(|_| self.timed_out())?,
            // While Redis is down one caller tries, and the others do not wait for it.
            ConnectionState::Down { failure, retry_at } => match self.connecting.try_lock() {
                Ok(guard) if retry_at <= Instant::now() => guard,
                _ => return Err(failure),
            },
        };
        // Another caller may have tried while this one waited; its result holds for both.
        let seen = self.state().clone();
        match seen {
            ConnectionState::Open(handle) => return Ok(handle),
            ConnectionState::Closed => return Err(RedisFailure::Closed),
            ConnectionState::Down { failure, retry_at } if Instant::now() < retry_at => {
                return Err(failure);
            }
            ConnectionState::Idle | ConnectionState::Down { .. } => {}
        }
        let result = self.connect(deadline).await;
        self.record(result.clone());
        drop(guard);
        result
    }

    /// Whether it can't be used now: a retry is not due yet, or another caller is at it.
    pub(crate) fn is_down(&self) -> bool {
        match &*self.state() {
            ConnectionState::Down { retry_at, .. } => {
                Instant::now() < *retry_at || self.connecting.try_lock().is_err()
            }
            ConnectionState::Idle | ConnectionState::Open(_) | ConnectionState::Closed => false,
        }
    }

    /// Whether a connection is open, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.lost.load(Ordering::Acquire) && matches!(&*self.state(), ConnectionState::Open(_))
    }

    /// The connection with this number can't be used any more; the next call connects.
    pub(crate) fn discard(&self, number: u64) {
        self.replace(number, ConnectionState::Idle);
    }

    /// The connection with this number works, but leads to a server that is of no use now; connect again after the pause.
    pub(crate) fn back_off(&self, number: u64, failure: RedisFailure) {
        self.replace(number, ConnectionState::down(failure));
    }

    /// Drops the connection and makes no other.
    pub(crate) fn close(&self) {
        *self.state() = ConnectionState::Closed;
    }

    pub(crate) fn timed_out(&self) -> RedisFailure {
        RedisFailure::TimedOut {
            address: Arc::clone(&self.address),
            after: self.timeout,
        }
    }

    async fn connect(&self, deadline: Instant) -> Result<ConnectionHandle, RedisFailure> {
        self.lost.store(false, Ordering::Release);
        let connected = timeout_at(deadline, self.endpoint.connect(&self.config)).await;
        let connection = connected.map_err(|_| RedisFailure::Unreached {
            address: Arc::clone(&self.address),
            after: self.timeout,
            encrypted: self.endpoint.is_encrypted(),
        })??;
        Ok(ConnectionHandle {
            connection,
            number: self.next_number.fetch_add(1, Ordering::Relaxed),
        })
    }

    fn record(&self, result: Result<ConnectionHandle, RedisFailure>) {
        let mut state = self.state();
        if !matches!(*state, ConnectionState::Closed) {
            *state = result.map_or_else(ConnectionState::down, ConnectionState::Open);
        }
    }

    /// Drops a connection that ended while it was idle.
    fn drop_lost(&self) {
        if self.lost.load(Ordering::Acquire) && self.lost.swap(false, Ordering::AcqRel) {
            let mut state = self.state();
            if matches!(*state, ConnectionState::Open(_)) {
                *state = ConnectionState::Idle;
            }
        }
    }

    fn replace(&self, number: u64, next: ConnectionState) {
        let mut state = self.state();
        if matches!(&*state, ConnectionState::Open(open) if open.number == number) {
            *state = next;
        }
    }

    fn state(&self) -> MutexGuard<'_, ConnectionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
