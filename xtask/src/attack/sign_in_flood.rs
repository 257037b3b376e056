//! A flood of sign-ins: a runtime of its own, on one thread with a lower priority, since in reality the attackers' processors are not the service's.

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
use serde_json::Value;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::harness::{
    http::{Request, Response},
    raw_http::{encode, exchange},
};

/// How long a client waits for its response: longer than the service lets requests wait.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Makes the request of this number.
type MakeRequest = Arc<dyn Fn(u64) -> Result<Request> + Send + Sync>;

/// What the clients of a flood do.
#[derive(Clone, Copy)]
pub(super) struct FloodClients {
    /// Each with one request after the other.
    pub(super) clients: usize,
    /// Of a client that was refused, whatever `Retry-After` says.
    pub(super) pause: Duration,
    /// A client that has no response by then closes its connection and begins anew.
    pub(super) hang_up_after: Option<Duration>,
}

/// Clients that sign in until they are stopped.
pub(super) struct SignInFlood {
    stop: Arc<AtomicBool>,
    thread: thread::JoinHandle<Result<SignInCounts>>,
}

#[derive(Debug, Default)]
pub(super) struct SignInCounts {
    pub(super) hashed: u64,
    refused: u64,
    limited: u64,
    other: u64,
    broken: u64,
    hung_up: u64,
    first_other: Option<String>,
    retry_after: (u64, u64),
    seconds: f64,
}

impl SignInCounts {
    /// Sign-ins per second that were hashed.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(super) fn hashed_per_second(&self) -> f64 {
        self.hashed as f64 / self.seconds
    }

    /// Responses that are neither a 200 or 401 after a hash nor a 503 with `Retry-After`.
    pub(super) fn others(&self) -> u64 {
        self.limited + self.other + self.broken
    }

    /// Whether clients hung up before the response.
    pub(super) fn has_hung_up(&self) -> bool {
        self.hung_up > 0
    }

    fn count(&mut self, status: u16, retry_after: Option<u64>) {
        match (status, retry_after) {
            (200 | 401, _) => self.hashed += 1,
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
            _ => self.count_other(format!("status {status}, Retry-After {retry_after:?}")),
        }
    }

    fn count_other(&mut self, what: String) {
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
        self.hung_up += other.hung_up;
        self.first_other = self.first_other.take().or(other.first_other);
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
impl fmt::Display for SignInCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hashed, refused) = (self.hashed_per_second(), self.refused as f64 / self.seconds);
        write!(
            f,
            "{hashed:.0}/s hashed (200, 401)   {refused:.0}/s refused (503, Retry-After {} to {} s)",
            self.retry_after.0, self.retry_after.1
        )?;
        if self.limited > 0 {
            write!(
                f,
                "   {} limited (429): the limits hide the hashing, raise them",
                self.limited
            )?;
        }
        if self.hung_up > 0 {
            let hung_up = self.hung_up as f64 / self.seconds;
            write!(f, "   {hung_up:.0}/s hung up")?;
        }
        if let Some(first) = &self.first_other {
            write!(f, "   {} others: {first}", self.other + self.broken)?;
        }
        Ok(())
    }
}

impl SignInFlood {
    /// Starts these clients.
    pub(super) fn start(
        url: &str,
        clients: FloodClients,
        request: impl Fn(u64) -> Result<Request> + Send + Sync + 'static,
    ) -> Self {
        let (url, stop) = (url.to_owned(), Arc::new(AtomicBool::new(false)));
        let request: MakeRequest = Arc::new(request);
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            #[cfg(target_os = "linux")]
            rustix::process::nice(10).context("nice")?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(flood(url, clients, request, stopped))
        });
        Self { stop, thread }
    }

    /// Stops the clients after their last responses.
    pub(super) async fn stop(self) -> Result<SignInCounts> {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(|| self.thread.join())
            .await?
            .map_err(|_| anyhow!("the flood panicked"))?
    }
}

async fn flood(
    url: String,
    clients: FloodClients,
    request: MakeRequest,
    stop: Arc<AtomicBool>,
) -> Result<SignInCounts> {
    let (url, next, begun) = (
        Arc::<str>::from(url),
        Arc::new(AtomicU64::new(0)),
        Instant::now(),
    );
    let mut running = JoinSet::new();
    for _ in 0..clients.clients {
        running.spawn(client(
            Arc::clone(&url),
            Arc::clone(&next),
            clients,
            Arc::clone(&request),
            Arc::clone(&stop),
        ));
    }
    let mut all = SignInCounts::default();
    while let Some(counts) = running.join_next().await {
        all.add(counts?);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    Ok(all)
}

/// Sends one request after the other.
async fn client(
    url: Arc<str>,
    next: Arc<AtomicU64>,
    of: FloodClients,
    request: MakeRequest,
    stop: Arc<AtomicBool>,
) -> SignInCounts {
    let mut counts = SignInCounts::default();
    let mut stream = None;
    while !stop.load(Ordering::Relaxed) {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let sent = async { send(&url, &mut stream, &request(number)?).await };
        match timeout(of.hang_up_after.unwrap_or(TIMEOUT), sent).await {
            Ok(Ok(response)) => {
                counts.count(response.status, response.retry_after);
                if !matches!(response.status, 200 | 401) && !stop.load(Ordering::Relaxed) {
                    sleep(of.pause).await;
                }
            }
            Ok(Err(error)) => {
                counts.broken += 1;
                counts.first_other.get_or_insert(format!("{error:#}"));
                stream = None;
                sleep(of.pause).await;
            }
            Err(_) => {
                stream = None;
                if of.hang_up_after.is_some() {
                    counts.hung_up += 1;
                } else {
                    counts.count_other("no answer in time".to_owned());
                }
            }
        }
    }
    counts
}

/// The request to sign in with this body.
pub(super) fn sign_in(url: &str, body: &Value) -> Result<Request> {
    Request::post(&format!("{url}/api/account/signin"), body)
}

async fn send(url: &str, stream: &mut Option<TcpStream>, request: &Request) -> Result<Response> {
    let stream = if let Some(stream) = stream {
        stream
    } else {
        let address = url.trim_start_matches("http://");
        stream.insert(TcpStream::connect(address).await.context("no connection")?)
    };
    exchange(stream, &encode(request)).await
}
