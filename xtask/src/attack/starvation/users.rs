//! Whom the floods must not keep out: an owner on a known device, and newcomers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;

use crate::harness::{
    http::{Request, Response},
    raw_http::{BlockingConnection, encode},
};

pub(super) const PASSWORD: &str = "correct horse battery";
/// Between two sign-ins of the owner, and two sign-ups.
const PAUSE: Duration = Duration::from_millis(100);
/// For the queue to drain.
const DRAIN: Duration = Duration::from_mins(1);

/// What honest users met with. Times are sorted.
#[derive(Default)]
pub(super) struct Served {
    pub(super) sign_ins: Vec<Duration>,
    pub(super) sign_ups: Vec<Duration>,
    pub(super) refused_sign_ins: usize,
    pub(super) refused_sign_ups: usize,
    pub(super) first_refusal: Option<String>,
}

/// A request of an honest user or of the preparation, with the address that it comes from.
pub(super) fn post(url: &str, operation: &str, email: &str, address: &str) -> Result<Request> {
    let body = json!({ "email": email, "password": PASSWORD });
    let request = Request::post(&format!("{url}/api/account/{operation}"), &body)?;
    Ok(request.header("X-Forwarded-For", address))
}

fn owner_signs_in(url: &str, device: &str) -> Result<Vec<u8>> {
    let request = post(url, "signin", "owner@example.org", "192.0.2.1")?;
    Ok(encode(&request.header("Revolve-Device", device)))
}

/// Signs up the owner and the account that floods; the owner's device credential, and those of the other.
pub(super) fn sign_up_all(url: &str, devices: usize) -> Result<(String, Vec<String>)> {
    let mut connection = BlockingConnection::open(url)?;
    let mut begin = |operation: &str, email: &str, address: &str| {
        let request = post(url, operation, email, address)?;
        let response: Response = connection.send(&encode(&request))?;
        ensure!(
            response.is_success(),
            "{} {}",
            response.status,
            response.body
        );
        response.text("/device/credential")
    };
    let owner = begin("signup", "owner@example.org", "192.0.2.1")?;
    begin("signup", "flood@example.org", "198.51.100.1")?;
    let devices = (0..devices.max(1))
        .map(|_| begin("signin", "flood@example.org", "198.51.100.1"))
        .collect::<Result<_>>()
        .context("the account that floods can't sign in")?;
    Ok((owner, devices))
}

/// Waits until a sign-in is served at once.
pub(super) fn drained(url: &str, owner: &str) -> Result<()> {
    let (begun, request) = (Instant::now(), owner_signs_in(url, owner)?);
    let mut connection = BlockingConnection::open(url)?;
    let mut quick = 0;
    while quick < 3 {
        let sent = Instant::now();
        let response = connection.send(&request)?;
        let served = response.is_success() && sent.elapsed() < Duration::from_secs(1);
        quick = if served { quick + 1 } else { 0 };
        ensure!(begun.elapsed() < DRAIN, "the queue does not drain");
    }
    Ok(())
}

/// The owner signs in on a known device and newcomers sign up, one after the other, for so long.
pub(super) async fn honest_users(url: &str, owner: &str, lasts: Duration) -> Result<Served> {
    let stop = Arc::new(AtomicBool::new(false));
    let owner = {
        let (to, request) = (url.to_owned(), owner_signs_in(url, owner)?);
        repeat(&to, &stop, move |_| Ok(request.clone()))
    };
    let newcomers = {
        let (to, run) = (url.to_owned(), fastrand::u64(..));
        repeat(url, &stop, move |number| {
            let email = format!("newcomer-{run:x}-{number}@example.org");
            let [a, b] = u16::try_from(number)?.to_be_bytes();
            let request = post(&to, "signup", &email, &format!("203.0.{a}.{b}"))?;
            Ok(encode(&request))
        })
    };
    tokio::time::sleep(lasts).await;
    stop.store(true, Ordering::Relaxed);
    let joined = tokio::task::spawn_blocking(move || (owner.join(), newcomers.join())).await?;
    let panicked = |_| anyhow!("a user's thread panicked");
    let (sign_ins, refused_sign_ins, first) = joined.0.map_err(panicked)??;
    let (sign_ups, refused_sign_ups, second) = joined.1.map_err(panicked)??;
    Ok(Served {
        sign_ins,
        sign_ups,
        refused_sign_ins,
        refused_sign_ups,
        first_refusal: first.or(second),
    })
}

type Outcome = Result<(Vec<Duration>, usize, Option<String>)>;

/// Sends one request after the other until it is stopped; the sorted times of successes, and how many were refused.
pub(super) fn repeat(
    url: &str,
    stop: &Arc<AtomicBool>,
    request: impl Fn(u64) -> Result<Vec<u8>> + Send + 'static,
) -> thread::JoinHandle<Outcome> {
    let (url, stop) = (url.to_owned(), Arc::clone(stop));
    thread::spawn(move || {
        let mut connection = BlockingConnection::open(&url)?;
        let (mut times, mut refused, mut first) = (Vec::new(), 0, None);
        for number in 0.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let request = request(number)?;
            let sent = Instant::now();
            let response = connection.send(&request)?;
            if response.is_success() {
                times.push(sent.elapsed());
            } else {
                refused += 1;
                first.get_or_insert(format!("{} {}", response.status, response.code()));
            }
            thread::park_timeout(PAUSE);
        }
        times.sort_unstable();
        Ok((times, refused, first))
    })
}
