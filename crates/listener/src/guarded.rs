//! A client's byte stream with deadlines. actix-http limits the time for the first request's head on a connection, but not for
//! those after it, nor for what a client still sends after its answer, nor for an answer that nobody reads: that is done here.

use crate::connection::Connection;
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

/// Before a connection is closed, so many bytes that have come meanwhile are taken in: unread ones would make the system break the
/// connection off, and the client might never see its answer.
const TAKEN_IN: usize = 64 * 1024;

/// A byte stream with deadlines.
pub(crate) struct Guarded<T> {
    io: T,
    connection: Rc<Connection>,
    limit: Duration,
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
    /// A stream on which each request's head must come within `limit` of its first byte, and which ends when the service stops
    /// and nothing is in flight.
    pub(crate) fn new(io: T, limit: Duration, stopping: CancellationToken) -> Self {
        let stopping = Box::pin(stopping.cancelled_owned());
        Self {
            io,
            connection: Rc::default(),
            limit,
            reading: Timer::default(),
            writing: Timer::default(),
            stopping,
        }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }
}

impl<T: AsyncRead + Unpin> Guarded<T> {
    /// The end of the stream, after what is there has been taken in.
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

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.connection.is_over() {
            return this.end(cx);
        }
        let before = buffer.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                this.connection.heard();
            }
            // A client that never pauses must not be read for longer than one that does.
            let Some(since) = this.connection.head_since() else {
                return Poll::Ready(result);
            };
            return match this.reading.poll(since + this.limit, cx) {
                Poll::Ready(()) => Poll::Ready(Err(too_slow())),
                Poll::Pending => Poll::Ready(result),
            };
        }
        this.connection.remember(cx.waker());
        if this.connection.is_idle() && this.stopping.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let Some(since) = this.connection.head_since() else {
            return Poll::Pending;
        };
        ready!(this.reading.poll(since + this.limit, cx));
        Poll::Ready(Err(too_slow()))
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
            return result;
        }
        let at = self
            .writing
            .0
            .as_ref()
            .map_or_else(|| Instant::now() + self.limit, |sleep| sleep.deadline());
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
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")
}
