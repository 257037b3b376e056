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
    /// What has come of a request that has not begun yet.
    head: Cell<Option<Head>>,
    /// Bytes that came while a request was in flight whose body is not being read: the next requests.
    ahead: Cell<usize>,
    body: Cell<BodyState>,
    /// When the last request was answered, or the last byte of its answer was written; none while one is in flight and before
    /// the first.
    idle_since: Cell<Option<Instant>>,
    closing: Cell<bool>,
    held: Cell<bool>,
    reader: RefCell<Option<Waker>>,
}

/// A request's head on its way.
#[derive(Clone, Copy, Debug)]
struct Head {
    since: Instant,
    bytes: usize,
    /// All that has come was offered to the parser.
    offered: bool,
}

/// How the body of the last request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum BodyState {
    /// It is not being read: there is none, or the handler takes none.
    #[default]
    Unread,
    /// It is being read.
    Wanted,
    /// The request was answered before the body had come; the rest is thrown away.
    Abandoned,
}

/// What may be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Anything.
    Free,
    /// Nothing until what has come was offered to the parser.
    Offer,
    /// Nothing until a request is answered or its body is wanted.
    Hold,
    /// The head is too large.
    Over,
}

impl Connection {
    /// A request has been read as far as its body. It is in flight until the answer is dropped.
    pub fn begin(self: &Rc<Self>) -> InFlight {
        self.in_flight.set(self.in_flight.get() + 1);
        self.body.set(BodyState::Unread);
        self.idle_since.set(None);
        let since = self
            .head
            .take()
            .map_or_else(Instant::now, |head| head.since);
        InFlight {
            connection: Rc::clone(self),
            since,
        }
    }

    /// The body of the request in flight is being read.
    pub fn want_body(&self) {
        if self.body.replace(BodyState::Wanted) != BodyState::Wanted {
            self.release();
        }
    }

    /// The body of the request in flight is not read any further; `arrived` says whether all of it has come.
    pub fn leave_body(&self, arrived: bool) {
        self.body.set(if arrived {
            BodyState::Unread
        } else {
            BodyState::Abandoned
        });
    }

    /// Whether the body of the last request is left unread on the connection, which then must end with the answer.
    pub fn is_abandoned(&self) -> bool {
        self.body.get() == BodyState::Abandoned
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

    /// Counts bytes that have arrived.
    pub(crate) fn heard(&self, bytes: usize) {
        if self.is_idle() {
            self.ahead.set(0);
            let head = self.head.get().unwrap_or_else(|| Head {
                since: Instant::now(),
                bytes: 0,
                offered: false,
            });
            self.head.set(Some(Head {
                bytes: head.bytes + bytes,
                ..head
            }));
        } else if self.body.get() != BodyState::Wanted {
            self.ahead.set(self.ahead.get() + bytes);
        }
    }

    /// What may be read if a head has at most `limit` bytes.
    pub(crate) fn room(&self, limit: usize) -> Room {
        match (self.is_idle(), self.head.get(), self.body.get()) {
            (true, Some(head), BodyState::Unread | BodyState::Wanted) if head.bytes > limit => {
                self.head.set(Some(Head {
                    offered: true,
                    ..head
                }));
                if head.offered {
                    Room::Over
                } else {
                    Room::Offer
                }
            }
            (false, _, BodyState::Unread | BodyState::Abandoned) if self.ahead.get() > limit => {
                self.held.set(true);
                Room::Hold
            }
            _ => Room::Free,
        }
    }

    /// Bytes of an answer were taken in.
    pub(crate) fn spoke(&self) {
        if self.idle_since.get().is_some() {
            self.idle_since.set(Some(Instant::now()));
        }
    }

    /// Since when a request is on its way that has not begun.
    pub(crate) fn head_since(&self) -> Option<Instant> {
        self.head.get().map(|head| head.since)
    }

    /// Since when it is open without a request, after one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        self.idle_since.get().filter(|_| self.head.get().is_none())
    }

    /// The task to wake when bytes may be read again, or the connection is to end.
    pub(crate) fn remember(&self, reader: &Waker) {
        let mut kept = self.reader.borrow_mut();
        if kept.as_ref().is_none_or(|kept| !kept.will_wake(reader)) {
            *kept = Some(reader.clone());
        }
    }

    /// Lets a reader that was held read on.
    fn release(&self) {
        if self.held.take() || self.is_over() {
            // Not while it is borrowed: a waker may run anything.
            let reader = self.reader.borrow_mut().take();
            if let Some(reader) = reader {
                reader.wake();
            }
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
        if connection.is_idle() {
            connection.idle_since.set(Some(Instant::now()));
            connection.release();
        }
    }
}
