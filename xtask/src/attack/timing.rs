//! `attack timing`: sign-ins with unknown addresses, wrong passwords and disabled accounts, in random order over one connection, and a classifier
//! on their latencies. Hashes are cheap, since that makes other differences easier to see.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use serde_json::json;

use super::{
    auc::auc,
    goals::AttackGoals,
    target::{ServiceUnderAttack, TargetArgs},
};
use crate::harness::{
    http::Request,
    interrupt::Interrupt,
    raw_http::{BlockingConnection, encode},
    statistics::percentile,
};

/// The AUC of a classifier that has to guess.
const GUESSING: std::ops::RangeInclusive<f64> = 0.45..=0.55;
/// Accounts of each class.
const ACCOUNTS: usize = 20;
/// Sign-ins before it counts.
const WARM_UP: usize = 300;

/// Arguments of `attack timing`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Samples of each class
    #[arg(long, default_value_t = 2000)]
    samples: usize,
    /// Memory per hash in KiB
    #[arg(long, default_value_t = 64)]
    memory_kib: u32,
    /// Passes over it
    #[arg(long, default_value_t = 1)]
    passes: u32,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Clone, Copy)]
enum Class {
    Unknown,
    Wrong,
    Disabled,
}

const CLASSES: [(Class, &str); 3] = [
    (Class::Unknown, "unknown address"),
    (Class::Wrong, "wrong password"),
    (Class::Disabled, "disabled account"),
];

/// All addresses have the same length.
fn email(class: Class, account: usize) -> String {
    format!(
        "user-{:03}@example.org",
        class as usize * ACCOUNTS + account
    )
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let settings = [
        ("HASHING__MEMORY_KIB", args.memory_kib.to_string()),
        ("HASHING__PASSES", args.passes.to_string()),
    ];
    let target = ServiceUnderAttack::start(&args.target, &settings, interrupt).await?;
    target.import(&accounts(args)?).await?;
    let (url, samples) = (target.url().to_owned(), args.samples);
    let attack = tokio::task::spawn_blocking(move || attack(&url, samples));
    let taken = interrupt.guard(async { attack.await? }).await;
    let name = target.name;
    target.stop().await?;
    let taken = taken?;

    let mut goals = AttackGoals::default();
    goals.note(format!(
        "timing of sign-ins, {name}: {samples} of each class, m={} KiB, t={}",
        args.memory_kib, args.passes
    ));
    for ((_, class), times) in CLASSES.iter().zip(&taken) {
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let at = |per_mille| percentile(&sorted, per_mille).as_micros();
        goals.note(format!(
            "  {class:<18} median {:>7} µs   p90 {:>7} µs   p99 {:>7} µs",
            at(500),
            at(900),
            at(990)
        ));
    }
    for (one, other) in [(0, 1), (0, 2), (1, 2)] {
        let auc = auc(&taken[one], &taken[other]);
        let what = format!("AUC, {} against {}", CLASSES[one].1, CLASSES[other].1);
        goals.add(
            what,
            format!("{} to {}", GUESSING.start(), GUESSING.end()),
            format!("{auc:.3}"),
            GUESSING.contains(&auc),
        );
    }
    goals.add(
        "samples of each class",
        "at least 2000",
        samples.to_string(),
        samples >= 2000,
    );
    Ok(goals)
}

/// Accounts with random hashes of the cost that new ones have: no password is known to match.
fn accounts(args: &Args) -> Result<String> {
    let mut rows = String::new();
    for class in [Class::Wrong, Class::Disabled] {
        for account in 0..ACCOUNTS {
            let (mut salt, mut output) = ([0; 16], [0; 32]);
            getrandom::fill(&mut salt)?;
            getrandom::fill(&mut output)?;
            let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
            let hash = format!(
                "$argon2id$v=19$m={},t={},p=1${salt}${output}",
                args.memory_kib, args.passes
            );
            let row = json!({ "email": email(class, account), "passwordHash": hash, "disabled": matches!(class, Class::Disabled) });
            writeln!(rows, "{row}")?;
        }
    }
    Ok(rows)
}

/// The latencies of each class.
fn attack(url: &str, samples: usize) -> Result<[Vec<Duration>; 3]> {
    let request = |class: Class, account| {
        let body = json!({ "email": email(class, account), "password": "not the password" });
        Ok(encode(&Request::post(
            &format!("{url}/api/account/signin"),
            &body,
        )?))
    };
    let mut requests = Vec::new();
    for (class, _) in CLASSES {
        let all = (0..ACCOUNTS).map(|account| request(class, account));
        requests.push(all.collect::<Result<Vec<_>>>()?);
    }
    let mut connection = BlockingConnection::open(url)?;
    let mut sign_in = |class: Class| -> Result<Duration> {
        let request = &requests[class as usize][fastrand::usize(..ACCOUNTS)];
        let begun = Instant::now();
        let answer = connection.send(request)?;
        let took = begun.elapsed();
        ensure!(
            answer.status == 401,
            "a sign-in was answered {}: {}",
            answer.status,
            answer.body
        );
        Ok(took)
    };
    let mut taken = [const { Vec::new() }; 3];
    for round in 0..WARM_UP + samples {
        let mut order = CLASSES.map(|(class, _)| class);
        fastrand::shuffle(&mut order);
        for class in order {
            let took = sign_in(class)?;
            if round >= WARM_UP {
                taken[class as usize].push(took);
            }
        }
    }
    Ok(taken)
}
