//! The flood: a runtime of its own, on one thread at a lower priority. In reality the attackers' processors are not the service's.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::harness::raw_http::{parse, post};

/// So long a client waits for its answer: long past the service's own patience.
const PATIENCE: Duration = Duration::from_mins(1);

/// Clients that are at it.
pub(super) struct Clients {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Result<Tally>>,
}

/// What became of the sign-ins.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) hashed: u64,
    refused: u64,
    limited: u64,
    other: u64,
    broken: u64,
    first_other: Option<String>,
    retry_after: (u64, u64),
    seconds: f64,
}

impl Tally {
    /// Neither an answer after a hash nor an honest refusal.
    pub(super) fn others(&self) -> u64 {
        self.limited + self.other + self.broken
    }

    fn count(&mut self, status: u16, retry_after: Option<u64>) {
        match (status, retry_after) {
            (401, _) => self.hashed += 1,
            (503, Some(seconds)) => {
                let (least, most) = self.retry_after;
                self.retry_after = (
                    if self.refused == 0 {
                        seconds
                    } else {
                        least.min(seconds)
                    },
                    most.max(seconds),
                );
                self.refused += 1;
            }
            (429, _) => self.limited += 1,
            _ => self.wrong(format!("status {status}, Retry-After {retry_after:?}")),
        }
    }

    fn wrong(&mut self, what: String) {
        self.other += 1;
        self.first_other.get_or_insert(what);
    }

    fn add(&mut self, other: Self) {
        let (least, most) = self.retry_after;
        if other.refused > 0 {
            let first = self.refused == 0;
            self.retry_after = (
                if first {
                    other.retry_after.0
                } else {
                    least.min(other.retry_after.0)
                },
                most.max(other.retry_after.1),
            );
        }
        self.hashed += other.hashed;
        self.refused += other.refused;
        self.limited += other.limited;
        self.other += other.other;
        self.broken += other.broken;
        self.first_other = self.first_other.take().or(other.first_other);
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = |count: u64| count as f64 / self.seconds;
        let (hashed, refused) = (per_second(self.hashed), per_second(self.refused));
        write!(
            f,
            "{hashed:.0}/s hashed (401)   {refused:.0}/s refused (503, Retry-After {} to {} s)",
            self.retry_after.0, self.retry_after.1
        )?;
        if self.limited > 0 {
            write!(
                f,
                "   {} limited (429): the limits hide the hashing, raise them",
                self.limited
            )?;
        }
        if let Some(first) = &self.first_other {
            write!(f, "   {} others: {first}", self.other + self.broken)?;
        }
        Ok(())
    }
}

impl Clients {
    pub(super) fn start(address: &str, clients: usize, pause: Duration) -> Self {
        let (address, stop) = (address.to_owned(), Arc::new(AtomicBool::new(false)));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            #[cfg(target_os = "linux")]
            rustix::process::nice(10).context("nice")?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(flood(address, clients, pause, stopped))
        });
        Self { stop, thread }
    }

    /// Waits for the answers that are on their way.
    pub(super) async fn stop(self) -> Result<Tally> {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(|| self.thread.join())
            .await?
            .map_err(|_| anyhow!("the flood panicked"))?
    }
}

async fn flood(
    address: String,
    clients: usize,
    pause: Duration,
    stop: Arc<AtomicBool>,
) -> Result<Tally> {
    let (address, next, begun) = (
        Arc::<str>::from(address),
        Arc::new(AtomicU64::new(0)),
        Instant::now(),
    );
    let mut running = JoinSet::new();
    for _ in 0..clients {
        running.spawn(client(
            Arc::clone(&address),
            Arc::clone(&next),
            pause,
            Arc::clone(&stop),
        ));
    }
    let mut all = Tally::default();
    while let Some(tally) = running.join_next().await {
        all.add(tally?);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    Ok(all)
}

/// Signs in with an address that nobody has, again and again.
async fn client(
    address: Arc<str>,
    next: Arc<AtomicU64>,
    pause: Duration,
    stop: Arc<AtomicBool>,
) -> Tally {
    let mut tally = Tally::default();
    let mut stream = None;
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = post(
            &address,
            "/signin",
            &json!({ "email": format!("flood-{number}@example.org"), "password": "not the password" }),
        );
        match timeout(PATIENCE, sign_in(&address, &mut stream, &request)).await {
            Ok(Ok((status, retry_after))) => {
                tally.count(status, retry_after);
                if status != 401 && !stop.load(Ordering::Relaxed) {
                    sleep(pause).await;
                }
            }
            Ok(Err(error)) => {
                tally.broken += 1;
                tally.first_other.get_or_insert(format!("{error:#}"));
                stream = None;
                sleep(pause).await;
            }
            Err(_) => tally.wrong("no answer in time".to_owned()),
        }
    }
    tally
}

async fn sign_in(
    address: &str,
    stream: &mut Option<TcpStream>,
    request: &[u8],
) -> Result<(u16, Option<u64>)> {
    let stream = match stream {
        Some(stream) => stream,
        None => stream.insert(TcpStream::connect(address).await.context("no connection")?),
    };
    stream.write_all(request).await?;
    let mut received = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Err(anyhow!("the service hung up"));
        }
        if let Some((answer, _)) = parse(&received)? {
            return Ok((answer.status, answer.retry_after));
        }
    }
}
