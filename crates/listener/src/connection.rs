//! What is known of a connection, shared between its byte stream and the requests on it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::Waker,
};
use tokio::time::Instant;

/// A client's connection. It stays on one thread.
#[derive(Debug, Default)]
pub struct Connection {
    in_flight: Cell<usize>,
    /// When the first byte came of a request that has not begun yet.
    head_since: Cell<Option<Instant>>,
    closing: Cell<bool>,
    reader: RefCell<Option<Waker>>,
}

impl Connection {
    /// A request has been read as far as its body. It is in flight until the answer is dropped.
    pub fn begin(self: &Rc<Self>) -> InFlight {
        self.in_flight.set(self.in_flight.get() + 1);
        let since = self.head_since.take().unwrap_or_else(Instant::now);
        InFlight {
            connection: Rc::clone(self),
            since,
        }
    }

    /// Ends the connection when nothing is in flight any more.
    pub fn close(&self) {
        self.closing.set(true);
    }

    /// Whether it is to end now.
    pub(crate) fn is_over(&self) -> bool {
        self.closing.get() && self.is_idle()
    }

    /// Whether no request is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight.get() == 0
    }

    /// Bytes have come.
    pub(crate) fn heard(&self) {
        if self.is_idle() && self.head_since.get().is_none() {
            self.head_since.set(Some(Instant::now()));
        }
    }

    /// What was heard so far was no request.
    pub(crate) fn forget(&self) {
        self.head_since.set(None);
    }

    /// Since when a request is on its way that has not begun.
    pub(crate) fn head_since(&self) -> Option<Instant> {
        self.head_since.get()
    }

    /// Whom to wake when the connection is to end.
    pub(crate) fn remember(&self, reader: &Waker) {
        let mut kept = self.reader.borrow_mut();
        if kept.as_ref().is_none_or(|kept| !kept.will_wake(reader)) {
            *kept = Some(reader.clone());
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub struct InFlight {
    connection: Rc<Connection>,
    since: Instant,
}

impl InFlight {
    /// When the request's first byte came.
    pub fn since(&self) -> Instant {
        self.since
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let connection = &self.connection;
        connection
            .in_flight
            .set(connection.in_flight.get().saturating_sub(1));
        if connection.is_over()
            && let Some(reader) = connection.reader.borrow_mut().take()
        {
            reader.wake();
        }
    }
}
