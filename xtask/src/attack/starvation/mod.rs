//! `attack starvation`: one account with many devices signs in without end, then one network with many accounts; then the account hangs up
//! while it waits, and strangers show its device's credential for the owner's account. An owner on a known device and newcomers must be served
//! in their turn all the while, and nearly as much must be hashed as when everybody comes once.

mod args;
mod others;
mod users;

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde_json::{Value, json};

use self::args::{RAMP, own_network};
use self::users::{PASSWORD, Served, drained, honest_users, sign_up_all};
pub(crate) use self::{args::Args, others::sign_ins_of_others};
use super::{
    goals::AttackGoals,
    sign_in_flood::{FloodClients, SignInCounts, SignInFlood, sign_in},
    target::ServiceUnderAttack,
};
use crate::harness::{interrupt::Interrupt, statistics::percentile};

/// The p95 of the owner's sign-ins may be so many times the quiet one, and one hash more.
const SLOWDOWN: u32 = 3;
/// Of the owner's sign-ins and the newcomers' sign-ups, so many of a thousand must succeed.
const SERVED: usize = 990;
/// A flood must leave so much of the hashes per second; the rest is what its successful sign-ins cost beside the hash.
const THROUGHPUT: f64 = 0.75;
/// Addresses of the flooding network, all in one /64.
const NETWORK: u64 = 1000;

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

async fn attack(args: &Args, url: &str) -> Result<[AttackPhase; 6]> {
    let (lasts, setup) = (Duration::from_secs(args.seconds), url.to_owned());
    let devices = args.devices;
    let (owner, devices) =
        tokio::task::spawn_blocking(move || sign_up_all(&setup, devices)).await??;
    let quiet = honest_users(url, &owner, lasts).await?;

    let devices: Arc<[String]> = devices.into();
    let everybody = |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": format!("once-{number}@example.org"), "password": "wrong" });
        Ok((body, own_network(number), None))
    };
    let of_account = Arc::clone(&devices);
    let one_account = move |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": "flood@example.org", "password": PASSWORD });
        let device = device_of(&of_account, number)?;
        Ok((body, "198.51.100.1".to_owned(), device))
    };
    let one_network = |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": format!("flood-{number}@example.org"), "password": "wrong" });
        let address = format!("2001:db8:ffff:ffff::{:x}", number % NETWORK);
        Ok((body, address, None))
    };
    let borrowed = move |number: u64| -> Result<FloodSignIn> {
        let body = json!({ "email": "owner@example.org", "password": "wrong" });
        Ok((body, own_network(number), device_of(&devices, number)?))
    };
    let target = Target { url, owner: &owner };
    let stay = FloodClients {
        clients: args.clients,
        pause: args.pause,
        hang_up_after: None,
    };
    let hang_up = FloodClients {
        hang_up_after: Some(args.hangs_up_after),
        ..stay
    };
    Ok([
        AttackPhase {
            name: "quiet",
            served: quiet,
            flood: None,
        },
        flooded(&target, lasts, "everybody once", stay, everybody).await?,
        flooded(&target, lasts, "one account", stay, one_account.clone()).await?,
        flooded(&target, lasts, "one network", stay, one_network).await?,
        flooded(&target, lasts, "hangs up", hang_up, one_account).await?,
        flooded(&target, lasts, "borrowed device", stay, borrowed).await?,
    ])
}

/// The credentials in turn.
fn device_of(devices: &[String], number: u64) -> Result<Option<String>> {
    let device = usize::try_from(number)? % devices.len();
    Ok(Some(devices[device].clone()))
}

/// The service, and the owner's device credential.
struct Target<'a> {
    url: &'a str,
    owner: &'a str,
}

/// Body, address, and perhaps a device credential.
type FloodSignIn = (Value, String, Option<String>);

/// Honest users during a flood of these sign-ins.
async fn flooded(
    &Target { url, owner }: &Target<'_>,
    lasts: Duration,
    name: &'static str,
    clients: FloodClients,
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
    let flood = SignInFlood::start(url, clients, request);
    tokio::time::sleep(RAMP).await;
    let served = honest_users(url, owner, lasts).await;
    let flood = flood.stop().await?;
    let (url, owner) = (url.to_owned(), owner.to_owned());
    tokio::task::spawn_blocking(move || drained(&url, &owner)).await??;
    Ok(AttackPhase {
        name,
        served: served?,
        flood: Some(flood),
    })
}

fn judge(args: &Args, target: &str, phases: &[AttackPhase; 6]) -> AttackGoals {
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
        if flood.flood.as_ref().is_some_and(SignInCounts::has_hung_up) {
            // What was hashed for clients that were gone is not known here.
            continue;
        }
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
