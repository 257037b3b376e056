//! Finds out whether a pooler stands between us and the server, that gives each transaction any of its sessions.

use std::{
    future::{Ready, ready},
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    CancelToken, Client, Error,
    tls::{ChannelBinding, TlsConnect, TlsStream},
};

/// Whose session of the server a connection has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolMode {
    /// The connection has one session as long as it lives: prepared statements and settings of the session stay.
    Session,
    /// A pooler, such as PgBouncer with `pool_mode = transaction`, gives each transaction any of its sessions: what one
    /// transaction leaves in a session, another client's transaction finds.
    Transaction,
}

/// `int4`, as in the server's message `BackendKeyData`.
const OWN_PROCESS: &str = "SELECT pg_backend_pid() AS pid";

/// The mode that the answers of the server show.
///
/// A server names its process at the start of a connection, for requests to cancel. A pooler has to name one of its own
/// making, since the process behind the connection changes; the process itself tells its true number. A pooler that keeps
/// sessions does so, too, and is taken for one that does not: that costs speed, the other way round is not safe.
pub(super) async fn detect(client: &Client) -> Result<PoolMode, Error> {
    let rows = client.query_typed(OWN_PROCESS, &[]).await?;
    let own: Option<i32> = rows.first().map(|row| row.try_get("pid")).transpose()?;
    let named = named_process(&client.cancel_token()).await?;
    Ok(if own.is_some() && own == named {
        PoolMode::Session
    } else {
        PoolMode::Transaction
    })
}

/// The process that the other side named. The driver says it only in a request to cancel, so that one is written, and
/// read here instead of sent.
async fn named_process(token: &CancelToken) -> Result<Option<i32>, Error> {
    let mut recorder = Recorder::default();
    token.cancel_query_raw(&mut recorder, Plain).await?;
    Ok(process_in(&recorder.written))
}

/// The process in a `CancelRequest`, which an `SSLRequest` may come before.
fn process_in(written: &[u8]) -> Option<i32> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    const CANCEL: [u8; 4] = [0x04, 0xd2, 0x16, 0x2e];
    let request = written.strip_prefix(&SSL_REQUEST).unwrap_or(written);
    let rest = request.get(4..)?.strip_prefix(&CANCEL)?;
    rest.first_chunk().copied().map(i32::from_be_bytes)
}

/// Keeps what is written, and agrees to TLS.
#[derive(Default)]
struct Recorder {
    written: Vec<u8>,
}

/// The TLS of a recorder: none.
struct Plain;

impl<'a> TlsConnect<&'a mut Recorder> for Plain {
    type Stream = &'a mut Recorder;
    type Error = io::Error;
    type Future = Ready<io::Result<&'a mut Recorder>>;

    fn connect(self, stream: &'a mut Recorder) -> Self::Future {
        ready(Ok(stream))
    }
}

impl TlsStream for &mut Recorder {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Recorder {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if into.remaining() == 0 {
            return Poll::Ready(Err(ErrorKind::UnexpectedEof.into()));
        }
        into.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Recorder {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_read_from_a_request_to_cancel_with_tls_and_without() {
        let cancel = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 1, 2, 9, 9, 9, 9];
        assert_eq!(process_in(&cancel), Some(258));
        let over_tls = [&[0, 0, 0, 8, 4, 210, 22, 47], &cancel[..]].concat();
        assert_eq!(process_in(&over_tls), Some(258));
        for other in [&[][..], &cancel[..8], &over_tls[..8], &[0; 16]] {
            assert_eq!(process_in(other), None, "{other:?}");
        }
    }
}
