//! A client's byte stream with limits. actix-http limits the time for the first request's head on a connection, but not for
//! those after it, nor for what a client still sends after its answer, nor for an answer that nobody reads; its timer for idle
//! connections may be half a second early; and it buffers 128 KiB of a head, and as much behind a request that is in flight.
//! So that is done here.

use crate::connection::{Connection, Room};
use std::{
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How many bytes that have arrived are read before a connection is closed: with unread bytes the system resets the connection,
/// and the client might never see its answer.
const TAKEN_IN: usize = 64 * 1024;

/// To a head that is cut off before there is a request.
const HEAD_TOO_LARGE: &[u8] =
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const HEAD_TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// What a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// From the first byte of a request to the end of its head; also without taking in anything of an answer.
    pub(crate) request_timeout: Duration,
    /// Without a request, after one.
    pub(crate) keep_alive: Duration,
    /// Bytes of a request's head.
    pub(crate) head: usize,
}

/// A client's byte stream, held to its limits.
pub(crate) struct Guarded<T> {
    io: T,
    connection: Rc<Connection>,
    limits: ConnectionLimits,
    /// Of a head, or without one.
    reading: Timer,
    writing: Timer,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// A timer that is made when it is first needed.
#[derive(Default)]
struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Ready when `at` has passed; else the task is woken then.
    fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self.0.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}

impl<T> Guarded<T> {
    /// A stream that also ends when the service stops and nothing is in flight.
    pub(crate) fn new(io: T, limits: ConnectionLimits, stopping: CancellationToken) -> Self {
        let stopping = Box::pin(stopping.cancelled_owned());
        Self {
            io,
            connection: Rc::default(),
            limits,
            reading: Timer::default(),
            writing: Timer::default(),
            stopping,
        }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// Ready when the connection was open without a request for its time; else the task is woken then.
    fn idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.connection.idle_since() {
            Some(since) => self.reading.poll(since + self.limits.keep_alive, cx),
            None => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    /// The end of the stream, after the bytes that have arrived are read and dropped.
    fn end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        for _ in 0..TAKEN_IN / scratch.len() {
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.io).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Guarded<T> {
    /// Ends the connection with an answer, unless another answer has begun or what arrived is no head.
    fn refuse(&mut self, answer: &'static [u8], cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_blocked = self.writing.0.is_some();
        if !is_blocked && !self.connection.is_abandoned() {
            // What does not fit is not waited for.
            let _ = Pin::new(&mut self.io).poll_write(cx, answer);
        }
        self.connection.close();
        self.end(cx)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.connection.is_over() {
            return this.end(cx);
        }
        let read = match this.connection.room(this.limits.head) {
            Room::Free => {
                let before = buffer.filled().len();
                let read = Pin::new(&mut this.io).poll_read(cx, buffer);
                let bytes = buffer.filled().len() - before;
                if bytes > 0 {
                    this.connection.heard(bytes);
                }
                read
            }
            Room::Offer => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Room::Hold => Poll::Pending,
            Room::Over => return this.refuse(HEAD_TOO_LARGE, cx),
        };
        if read.is_pending() {
            this.connection.remember(cx.waker());
            if this.connection.is_idle() && this.stopping.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            if this.idle(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
        }
        // A client that never pauses must not be read for longer than one that does.
        let Some(since) = this.connection.head_since() else {
            return read;
        };
        let limit = this.limits.request_timeout;
        match this.reading.poll(since + limit, cx) {
            Poll::Ready(()) => this.refuse(HEAD_TOO_SLOW, cx),
            Poll::Pending => read,
        }
    }
}

impl<T: AsyncWrite + Unpin> Guarded<T> {
    /// Gives up on a client that takes in nothing for the whole limit.
    fn watch<R>(
        &mut self,
        result: Poll<io::Result<R>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<R>> {
        if result.is_ready() {
            self.writing = Timer::default();
            self.connection.spoke();
            return result;
        }
        let at = self.writing.0.as_ref().map_or_else(
            || Instant::now() + self.limits.request_timeout,
            |sleep| sleep.deadline(),
        );
        ready!(self.writing.poll(at, cx));
        Poll::Ready(Err(too_slow()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.watch(result, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.watch(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        // actix-http flushes last: an answer that was written meanwhile begins the time without a request.
        if self.idle(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
        self.watch(result, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.watch(result, cx)
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")
}
