//! Checks whether a server serves, in its own protocol: an open port says little, since a container engine's proxy accepts connections long
//! before the server does.

use std::{io, time::Duration};

use anyhow::{Result, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::kind::StoreKind;

const POLL: Duration = Duration::from_millis(30);
const ANSWER: Duration = Duration::from_secs(2);

/// Waits until the server at `address` (host:port) serves clients.
pub(crate) async fn wait(kind: StoreKind, address: &str, at_most: Duration) -> Result<()> {
    let end = Instant::now() + at_most;
    while !serves(kind, address).await {
        if Instant::now() > end {
            bail!(
                "{kind} at {address} did not answer within {} s",
                at_most.as_secs()
            );
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Whether the server serves clients right now.
pub(crate) async fn serves(kind: StoreKind, address: &str) -> bool {
    let (question, good): (&[u8], &[u8]) = match kind {
        // A server that asks for a password serves as well.
        StoreKind::Redis => (b"PING\r\n", b"+-"),
        // A start-up message (protocol 3.0): R begins the authentication, E says why not, such as "is starting up".
        StoreKind::Postgres => (b"\0\0\0\x16\0\x03\0\0user\0revolve\0\0\0", b"R"),
    };
    let first = timeout(ANSWER, async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(question).await?;
        let mut answer = [0; 9];
        let length = stream.read(&mut answer).await?;
        io::Result::Ok((length > 0 && !answer.starts_with(b"-LOADING")).then_some(answer[0]))
    });
    matches!(first.await, Ok(Ok(Some(byte))) if good.contains(&byte))
}
