//! For `cargo xtask bench`: sign-ins of other accounts while one account is flooded from many addresses.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::json;

use super::{
    args::{Args, RAMP, own_network},
    users::{drained, post, repeat, sign_up_all},
};
use crate::{
    attack::{
        sign_in_flood::{FloodClients, SignInFlood, sign_in},
        target::ServiceUnderAttack,
    },
    harness::{
        args as arguments,
        interrupt::Interrupt,
        raw_http::{BlockingConnection, encode},
        service::Binary,
    },
};

/// Other accounts, each at an address of its own.
const OTHERS: u8 = 2;
/// Of a sign-in that is refused: longer than any that is served.
const REFUSED: Duration = Duration::from_mins(1);

/// How long sign-ins of others took, quiet and under a flood of so many seconds, with default settings over the embedded store. Both are
/// sorted.
pub(crate) async fn sign_ins_of_others(
    service: Arc<Binary>,
    seconds: u64,
    interrupt: &Interrupt,
) -> Result<[Vec<Duration>; 2]> {
    let args: Args = arguments::parse(&[])?;
    let settings = [("HTTP__TRUSTED_PROXIES", "127.0.0.1".to_owned())];
    let target =
        ServiceUnderAttack::start_built(service, &args.target, &settings, interrupt).await?;
    let half = Duration::from_secs(seconds) / 2;
    let attacked = interrupt.guard(attack(&args, target.url(), half)).await;
    target.stop().await?;
    attacked
}

async fn attack(args: &Args, url: &str, half: Duration) -> Result<[Vec<Duration>; 2]> {
    let setup = url.to_owned();
    let (owner, others) = tokio::task::spawn_blocking(move || {
        let (owner, _) = sign_up_all(&setup, 1)?;
        anyhow::Ok((owner, sign_up_others(&setup)?))
    })
    .await??;
    let mut quiet = sign_in_for(url, &others, half).await?;
    let to = url.to_owned();
    let from_everywhere = move |number: u64| {
        let body = json!({ "email": "flood@example.org", "password": "wrong" });
        Ok(sign_in(&to, &body)?.header("X-Forwarded-For", &own_network(number)))
    };
    let clients = FloodClients {
        clients: args.clients,
        pause: args.pause,
        hang_up_after: None,
    };
    let flood = SignInFlood::start(url, clients, from_everywhere);
    tokio::time::sleep(RAMP).await;
    let flooded = sign_in_for(url, &others, half * 2).await;
    let flood = flood.stop().await?;
    ensure!(
        flood.hashed > 0 && flood.others() == 0,
        "this is no flood of hashes: {flood}"
    );
    let to = url.to_owned();
    tokio::task::spawn_blocking(move || drained(&to, &owner)).await??;
    quiet.extend(sign_in_for(url, &others, half).await?);
    quiet.sort_unstable();
    Ok([quiet, flooded?])
}

/// The encoded sign-in of each, on a device that is not known.
fn sign_up_others(url: &str) -> Result<Vec<Vec<u8>>> {
    let mut connection = BlockingConnection::open(url)?;
    let sign_up = |number: u8| {
        let email = format!("other-{number}@example.org");
        let address = format!("192.0.2.{}", 100 + number);
        let response = connection.send(&encode(&post(url, "signup", &email, &address)?))?;
        ensure!(response.is_success(), "{}", response.body);
        Ok(encode(&post(url, "signin", &email, &address)?))
    };
    let others = (0..OTHERS).map(sign_up).collect::<Result<_>>();
    others.context("another account can't sign up")
}

/// Each signs in, one time after the other, for so long; the sorted times.
async fn sign_in_for(url: &str, others: &[Vec<u8>], lasts: Duration) -> Result<Vec<Duration>> {
    let stop = Arc::new(AtomicBool::new(false));
    let others = others.iter().cloned();
    let running: Vec<_> = others
        .map(|request| repeat(url, &stop, move |_| Ok(request.clone())))
        .collect();
    tokio::time::sleep(lasts).await;
    stop.store(true, Ordering::Relaxed);
    let join = || {
        running
            .into_iter()
            .map(JoinHandle::join)
            .collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for ended in tokio::task::spawn_blocking(join).await? {
        let (times, refused, _) = ended.map_err(|_| anyhow!("a user's thread panicked"))??;
        all.extend(times.into_iter().chain(iter::repeat_n(REFUSED, refused)));
    }
    all.sort_unstable();
    Ok(all)
}
