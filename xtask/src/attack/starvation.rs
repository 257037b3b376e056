//! `attack starvation`: one account with many devices signs in without end, then one network with many accounts. An owner on a known device
//! and newcomers must be served in their turn all the while, and as much must be hashed as when everybody comes once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::{
    goals::AttackGoals,
    sign_in_flood::{SignInCounts, SignInFlood, sign_in},
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{
    http::{Request, Response},
    interrupt::Interrupt,
    raw_http::{BlockingConnection, encode},
    statistics::percentile,
};

const PASSWORD: &str = "correct horse battery";
/// The p95 of the owner's sign-ins may be so many times the quiet one, and one hash more.
const SLOWDOWN: u32 = 3;
/// Of the owner's sign-ins and the newcomers' sign-ups, so many of a thousand must succeed.
const SERVED: usize = 990;
/// A flood must leave so much of the hashes per second; the rest is what its successful sign-ins cost beside the hash.
const THROUGHPUT: f64 = 0.75;
/// Addresses of the flooding network, all in one /64.
const NETWORK: u64 = 1000;
/// Between two sign-ins of the owner, and two sign-ups.
const PAUSE: Duration = Duration::from_millis(100);
/// For the queue to fill before it counts.
const RAMP: Duration = Duration::from_secs(2);
/// For the queue to drain.
const DRAIN: Duration = Duration::from_mins(1);

/// Arguments of `attack starvation`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each flood lasts, and the quiet time for comparison
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Sign-ins at once
    #[arg(long, default_value_t = 300)]
    clients: usize,
    /// Devices of the account that floods
    #[arg(long, default_value_t = 40)]
    devices: usize,
    /// A refused client tries again after this, whatever Retry-After says
    #[arg(long, value_parser = humantime::parse_duration, default_value = "1s")]
    pause: Duration,
    #[command(flatten)]
    target: TargetArgs,
}

/// What honest users met with. Times are sorted.
#[derive(Default)]
struct Served {
    sign_ins: Vec<Duration>,
    sign_ups: Vec<Duration>,
    refused_sign_ins: usize,
    refused_sign_ups: usize,
    first_refusal: Option<String>,
}

struct AttackPhase {
    name: &'static str,
    served: Served,
    flood: Option<SignInCounts>,
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    // Addresses are what the proxy says, and limits on guessing would hide what the queue does.
    let settings = [("HTTP__TRUSTED_PROXIES", "127.0.0.1".to_owned())];
    let target = ServiceUnderAttack::start(&args.target, &settings, interrupt).await?;
    let attacked = interrupt.guard(attack(args, target.url())).await;
    let name = target.name;
    target.stop().await?;
    Ok(judge(args, name, &attacked?))
}

async fn attack(args: &Args, url: &str) -> Result<[AttackPhase; 4]> {
    let (lasts, setup) = (Duration::from_secs(args.seconds), url.to_owned());
    let devices = args.devices;
    let (owner, devices) =
        tokio::task::spawn_blocking(move || sign_up_all(&setup, devices)).await??;
    let quiet = honest_users(url, &owner, lasts).await?;

    let everybody = |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": format!("once-{number}@example.org"), "password": "wrong" });
        // An address of its own network each.
        let [.., a, b, c] = number.to_be_bytes();
        let address = format!("2001:db8:{a:x}:{:x}::1", u16::from_be_bytes([b, c]));
        Ok((body, address, None))
    };
    let one_account = move |number: u64| -> Result<FloodSignIn> {
        let device = usize::try_from(number)? % devices.len();
        let body = json!({ "email": "flood@example.org", "password": PASSWORD });
        let device = Some(devices[device].clone());
        Ok((body, "198.51.100.1".to_owned(), device))
    };
    let one_network = |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": format!("flood-{number}@example.org"), "password": "wrong" });
        let address = format!("2001:db8:ffff:ffff::{:x}", number % NETWORK);
        Ok((body, address, None))
    };
    Ok([
        AttackPhase {
            name: "quiet",
            served: quiet,
            flood: None,
        },
        flooded(args, url, &owner, "everybody once", everybody).await?,
        flooded(args, url, &owner, "one account", one_account).await?,
        flooded(args, url, &owner, "one network", one_network).await?,
    ])
}

/// Body, address, and perhaps a device credential.
type FloodSignIn = (Value, String, Option<String>);

/// Honest users during a flood of these sign-ins.
async fn flooded(
    args: &Args,
    url: &str,
    owner: &str,
    name: &'static str,
    who: impl Fn(u64) -> Result<FloodSignIn> + Send + Sync + 'static,
) -> Result<AttackPhase> {
    let to = url.to_owned();
    let request = move |number| {
        let (body, address, device) = who(number)?;
        let request = sign_in(&to, &body)?.header("X-Forwarded-For", &address);
        Ok(match device {
            Some(device) => request.header("Revolve-Device", &device),
            None => request,
        })
    };
    let flood = SignInFlood::start(url, args.clients, args.pause, request);
    tokio::time::sleep(RAMP).await;
    let served = honest_users(url, owner, Duration::from_secs(args.seconds)).await;
    let flood = flood.stop().await?;
    let (url, owner) = (url.to_owned(), owner.to_owned());
    tokio::task::spawn_blocking(move || drained(&url, &owner)).await??;
    Ok(AttackPhase {
        name,
        served: served?,
        flood: Some(flood),
    })
}

/// A request of an honest user or of the preparation, with the address that it comes from.
fn post(url: &str, operation: &str, email: &str, address: &str) -> Result<Request> {
    let body = json!({ "email": email, "password": PASSWORD });
    let request = Request::post(&format!("{url}/api/account/{operation}"), &body)?;
    Ok(request.header("X-Forwarded-For", address))
}

fn owner_signs_in(url: &str, device: &str) -> Result<Vec<u8>> {
    let request = post(url, "signin", "owner@example.org", "192.0.2.1")?;
    Ok(encode(&request.header("Revolve-Device", device)))
}

/// Signs up the owner and the account that floods; the owner's device credential, and those of the other.
fn sign_up_all(url: &str, devices: usize) -> Result<(String, Vec<String>)> {
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
fn drained(url: &str, owner: &str) -> Result<()> {
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
async fn honest_users(url: &str, owner: &str, lasts: Duration) -> Result<Served> {
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
fn repeat(
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

fn judge(args: &Args, target: &str, phases: &[AttackPhase; 4]) -> AttackGoals {
    let mut goals = AttackGoals::default();
    goals.note(format!(
        "starvation by {} clients for {} s each, {target}",
        args.clients, args.seconds
    ));
    let millis = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
    for AttackPhase {
        name,
        served,
        flood,
    } in phases
    {
        let times = |times: &[Duration], refused: usize| {
            format!(
                "{:>4} p50 {:>7} p95 {:>7}, {refused} refused",
                times.len(),
                millis(percentile(times, 500)),
                millis(percentile(times, 950))
            )
        };
        goals.note(format!(
            "  {name:<15} known device {}   newcomers {}{}",
            times(&served.sign_ins, served.refused_sign_ins),
            times(&served.sign_ups, served.refused_sign_ups),
            served
                .first_refusal
                .as_ref()
                .map_or_else(String::new, |first| format!(" ({first})"))
        ));
        if let Some(flood) = flood {
            goals.note(format!("  {:<15} {flood}", ""));
        }
    }
    let [quiet, everybody, floods @ ..] = phases;
    let at = |phase: &AttackPhase, per_mille| percentile(&phase.served.sign_ins, per_mille);
    let most = at(quiet, 950) * SLOWDOWN + at(quiet, 500);
    let full = everybody.hashed_per_second(args.seconds);
    for flood in floods {
        let name = flood.name;
        for (what, done, refused) in [
            (
                "sign-ins",
                flood.served.sign_ins.len(),
                flood.served.refused_sign_ins,
            ),
            (
                "sign-ups",
                flood.served.sign_ups.len(),
                flood.served.refused_sign_ups,
            ),
        ] {
            let all = done + refused;
            goals.add(
                format!("{name}: {what} of others that succeed, of 1,000"),
                format!("at least {SERVED}"),
                (done * 1000 / all.max(1)).to_string(),
                done > 0 && done * 1000 >= all * SERVED,
            );
        }
        let p95 = at(flood, 950);
        goals.add(
            format!("{name}: p95 on a known device, 3 quiet ones + a hash"),
            millis(most),
            millis(p95),
            p95 <= most,
        );
        let ratio = flood.hashed_per_second(args.seconds) / full;
        goals.add(
            format!("{name}: hashes, by those of everybody once"),
            format!("at least {THROUGHPUT}"),
            format!("{ratio:.2}"),
            ratio >= THROUGHPUT,
        );
    }
    goals
}

impl AttackPhase {
    /// All that was hashed, honest users included.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn hashed_per_second(&self, seconds: u64) -> f64 {
        let honest = self.served.sign_ins.len() + self.served.sign_ups.len();
        let flood = self.flood.as_ref();
        flood.map_or(0.0, SignInCounts::hashed_per_second) + honest as f64 / seconds as f64
    }
}
