//! A client that is as slow as it can be.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};

/// Longer than any service should wait.
const GIVE_UP: Duration = Duration::from_mins(2);

/// What is dripped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The head of the first request.
    Head,
    /// The head of a request after a good one.
    LaterHead,
    /// A body of an announced length.
    Body,
    /// A body in chunks.
    Chunks,
}

/// What became of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// From the first byte of the slow request until the service ended the connection.
    pub(super) lived: Duration,
    /// Whether it said why, with a 408.
    pub(super) answered: bool,
}

const HOST: &str = "Host: localhost\r\n";
const POST: &str =
    "POST /api/account/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

impl Kind {
    pub(super) fn of(number: usize) -> Self {
        [Self::Head, Self::LaterHead, Self::Body, Self::Chunks][number % 4]
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Head => "slow head",
            Self::LaterHead => "slow head after a good request",
            Self::Body => "slow body",
            Self::Chunks => "slow body in chunks",
        }
    }

    fn begins(self) -> String {
        match self {
            Self::Head | Self::LaterHead => format!("GET /health/live HTTP/1.1\r\n{HOST}"),
            Self::Body => format!("{POST}Content-Length: 16000\r\n\r\n"),
            Self::Chunks => format!("{POST}Transfer-Encoding: chunked\r\n\r\n"),
        }
    }

    fn goes_on(self) -> &'static str {
        match self {
            Self::Head | Self::LaterHead => "X-Drip: drip\r\n",
            Self::Body => " ",
            Self::Chunks => "1\r\n \r\n",
        }
    }
}

/// Drips requests of a kind, each over a connection of its own, until it is told to stop. The last one counts, too: it is dripped
/// until the service cuts it off.
pub(super) async fn drip(
    address: &str,
    kind: Kind,
    pause: Duration,
    stopped: watch::Receiver<bool>,
) -> (Kind, Vec<Outcome>) {
    let mut outcomes = Vec::new();
    while !*stopped.borrow() {
        match once(address, kind, pause).await {
            Ok(outcome) => outcomes.push(outcome),
            // No place, or it ended before the slow part: not what is measured. It comes again.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
    (kind, outcomes)
}

async fn once(address: &str, kind: Kind, pause: Duration) -> std::io::Result<Outcome> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    if kind == Kind::LaterHead {
        stream
            .write_all(format!("GET /health/live HTTP/1.1\r\n{HOST}\r\n").as_bytes())
            .await?;
        // It comes in one piece, and what is in it does not matter.
        let _ = stream.read(&mut [0; 4096]).await?;
    }
    let begun = Instant::now();
    let (mut read, mut write) = stream.split();
    let dripping = async {
        write.write_all(kind.begins().as_bytes()).await?;
        loop {
            sleep(pause).await;
            write.write_all(kind.goes_on().as_bytes()).await?;
        }
    };
    let mut answer = Vec::new();
    let ended = timeout(GIVE_UP, async {
        tokio::select! {
            broken = dripping => broken,
            // Broken off is ended, too.
            _ = read.read_to_end(&mut answer) => Ok::<_, std::io::Error>(()),
        }
    });
    let in_time = ended.await.is_ok();
    let lived = if in_time { begun.elapsed() } else { GIVE_UP };
    Ok(Outcome {
        lived,
        answered: answer.starts_with(b"HTTP/1.1 408 "),
    })
}
