//! A client that is as slow as possible. It writes to the socket itself: no HTTP client sends a request in pieces.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
    time::{sleep, timeout},
};

/// Longer than any service should wait.
const LONGEST: Duration = Duration::from_mins(2);

/// The part of a request that is sent slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SlowPart {
    /// The head of the first request.
    Head,
    /// The head of a request after a good one.
    LaterHead,
    /// A body of an announced length.
    Body,
    /// A body in chunks.
    Chunks,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct DripOutcome {
    /// From the first byte of the slow request until the service ended the connection.
    pub(super) lifetime: Duration,
    /// With a 408.
    pub(super) answered: bool,
}

const HOST: &str = "Host: localhost\r\n";
const POST: &str =
    "POST /api/account/signin HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";

impl SlowPart {
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

    fn begin(self) -> String {
        match self {
            Self::Head | Self::LaterHead => format!("GET /health/live HTTP/1.1\r\n{HOST}"),
            Self::Body => format!("{POST}Content-Length: 16000\r\n\r\n"),
            Self::Chunks => format!("{POST}Transfer-Encoding: chunked\r\n\r\n"),
        }
    }

    fn next_piece(self) -> &'static str {
        match self {
            Self::Head | Self::LaterHead => "X-Drip: drip\r\n",
            Self::Body => " ",
            Self::Chunks => "1\r\n \r\n",
        }
    }
}

/// Sends requests slowly, each over a connection of its own, until it is told to stop. The last one is sent until the service cuts it off,
/// and counts as well.
pub(super) async fn run(
    address: &str,
    part: SlowPart,
    pause: Duration,
    stopped: watch::Receiver<bool>,
) -> (SlowPart, Vec<DripOutcome>) {
    let mut outcomes = Vec::new();
    while !*stopped.borrow() {
        match once(address, part, pause).await {
            Ok(outcome) => outcomes.push(outcome),
            // It could not connect, or the connection ended before the slow part.
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
    (part, outcomes)
}

async fn once(address: &str, part: SlowPart, pause: Duration) -> std::io::Result<DripOutcome> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    if part == SlowPart::LaterHead {
        stream
            .write_all(format!("GET /health/live HTTP/1.1\r\n{HOST}\r\n").as_bytes())
            .await?;
        // It arrives in one piece.
        let _ = stream.read(&mut [0; 4096]).await?;
    }
    let begun = Instant::now();
    let (mut read, mut write) = stream.split();
    let dripping = async {
        write.write_all(part.begin().as_bytes()).await?;
        loop {
            sleep(pause).await;
            write.write_all(part.next_piece().as_bytes()).await?;
        }
    };
    let mut answer = Vec::new();
    let ended = timeout(LONGEST, async {
        tokio::select! {
            broken = dripping => broken,
            // A reset is an end as well.
            _ = read.read_to_end(&mut answer) => Ok::<_, std::io::Error>(()),
        }
    });
    let in_time = ended.await.is_ok();
    let lifetime = if in_time { begun.elapsed() } else { LONGEST };
    Ok(DripOutcome {
        lifetime,
        answered: answer.starts_with(b"HTTP/1.1 408 "),
    })
}
