//! `attack timing`: requests that name an address, with unknown ones and those of accounts that are verified, unverified or disabled, in random order
//! over one connection, and a classifier on their latencies. Hashes are cheap, since that makes other differences easier to see.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use revolve_testkit::smtp_sink::{SinkSettings, SmtpSink};
use serde_json::{Value, json};

use super::{
    auc::auc,
    goals::AttackGoals,
    imported::{self, HashCost, Standing},
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
/// Requests of each class before it counts.
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

/// What anybody can ask with an address, and must not learn from whether it has an account.
#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    path: &'static str,
    body: fn(&str) -> Value,
    /// Of every answer.
    status: u16,
}

const OPERATIONS: [Operation; 3] = [
    Operation {
        name: "sign-in",
        path: "/signin",
        body: |email| json!({ "email": email, "password": "not the password" }),
        status: 401,
    },
    Operation {
        name: "recovery",
        path: "/recovery",
        body: |email| json!({ "email": email }),
        status: 202,
    },
    Operation {
        name: "sign-in by code",
        path: "/signin/code",
        body: |email| json!({ "email": email }),
        status: 202,
    },
];

#[derive(Clone, Copy)]
enum Class {
    Unknown,
    Verified,
    Unverified,
    Disabled,
}

const CLASSES: [Class; 4] = [
    Class::Unknown,
    Class::Verified,
    Class::Unverified,
    Class::Disabled,
];

/// The latencies of each class.
type Latencies = [Vec<Duration>; CLASSES.len()];

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown address",
            Self::Verified => "verified account",
            Self::Unverified => "unverified account",
            Self::Disabled => "disabled account",
        }
    }

    /// `None` if there is no account.
    const fn standing(self) -> Option<Standing> {
        match self {
            Self::Unknown => None,
            Self::Verified => Some(Standing::Verified),
            Self::Unverified => Some(Standing::Unverified),
            Self::Disabled => Some(Standing::Disabled),
        }
    }
}

/// All addresses have the same length.
fn email(class: Class, account: usize) -> String {
    format!(
        "user-{:03}@example.org",
        class as usize * ACCOUNTS + account
    )
}

pub(super) async fn run(args: &Args, interrupt: &Interrupt) -> Result<AttackGoals> {
    let cost = HashCost {
        memory_kib: args.memory_kib,
        passes: args.passes,
    };
    let sink = SmtpSink::start(SinkSettings::default()).await?;
    let mut settings = vec![
        ("MAIL__URL", sink.url()),
        ("MAIL__FROM", "accounts@example.org".to_owned()),
        ("ACCOUNTS__SIGN_IN_CODE", "true".to_owned()),
    ];
    settings.extend(cost.settings());
    let target = ServiceUnderAttack::start(&args.target, &settings, interrupt).await?;
    let attacked = interrupt.guard(attack(args, cost, &target)).await;
    let name = target.name;
    target.stop().await?;
    let attacked = attacked?;

    let mut goals = AttackGoals::default();
    goals.note(format!(
        "timing, {name}: {} of each class, m={} KiB, t={}",
        args.samples, args.memory_kib, args.passes
    ));
    for (operation, latencies) in OPERATIONS.iter().zip(&attacked) {
        judge(&mut goals, operation, latencies);
    }
    goals.add(
        "samples of each class",
        "at least 2000",
        args.samples.to_string(),
        args.samples >= 2000,
    );
    Ok(goals)
}

fn judge(goals: &mut AttackGoals, operation: &Operation, latencies: &Latencies) {
    for (class, times) in CLASSES.into_iter().zip(latencies) {
        let mut sorted = times.clone();
        sorted.sort_unstable();
        let at = |per_mille| percentile(&sorted, per_mille).as_micros();
        goals.note(format!(
            "  {:<15} {:<18} median {:>7} µs   p90 {:>7} µs   p99 {:>7} µs",
            operation.name,
            class.name(),
            at(500),
            at(900),
            at(990)
        ));
    }
    compare(goals, operation.name, &CLASSES.map(Class::name), latencies);
}

/// Adds the goals that no class can be told from another by its latencies.
pub(super) fn compare(
    goals: &mut AttackGoals,
    operation: &str,
    classes: &[&str],
    latencies: &[Vec<Duration>],
) {
    for one in 0..classes.len() {
        for other in one + 1..classes.len() {
            let auc = auc(&latencies[one], &latencies[other]);
            goals.add(
                format!(
                    "{operation}: AUC, {} against {}",
                    classes[one], classes[other]
                ),
                format!("{} to {}", GUESSING.start(), GUESSING.end()),
                format!("{auc:.3}"),
                GUESSING.contains(&auc),
            );
        }
    }
}

async fn attack(
    args: &Args,
    cost: HashCost,
    target: &ServiceUnderAttack,
) -> Result<Vec<Latencies>> {
    target.import(&accounts(cost)?).await?;
    let (url, samples) = (target.url().to_owned(), args.samples);
    let each = move || {
        let operations = OPERATIONS.iter();
        operations
            .map(|operation| measure(&url, operation, samples))
            .collect::<Result<Vec<_>>>()
    };
    tokio::task::spawn_blocking(each).await?
}

fn accounts(cost: HashCost) -> Result<String> {
    let mut rows = String::new();
    for class in CLASSES {
        let Some(standing) = class.standing() else {
            continue;
        };
        for account in 0..ACCOUNTS {
            rows.push_str(&imported::row(&email(class, account), cost, standing)?);
        }
    }
    Ok(rows)
}

fn measure(url: &str, operation: &Operation, samples: usize) -> Result<Latencies> {
    let request = |class: Class, account| {
        let body = (operation.body)(&email(class, account));
        let url = format!("{url}/api/account{}", operation.path);
        Ok(encode(&Request::post(&url, &body)?))
    };
    let mut requests = Vec::new();
    for class in CLASSES {
        let all = (0..ACCOUNTS).map(|account| request(class, account));
        requests.push(all.collect::<Result<Vec<_>>>()?);
    }
    let taken = interleave(url, &requests, operation.status, samples)?;
    taken.try_into().ok().context("a class has no times")
}

/// Sends requests of all classes in random order over one connection, so many of each, one after the other: the latencies of each class. All have
/// to be answered with this status.
pub(super) fn interleave(
    url: &str,
    requests: &[Vec<Vec<u8>>],
    status: u16,
    samples: usize,
) -> Result<Vec<Vec<Duration>>> {
    let mut connection = BlockingConnection::open(url)?;
    let mut send = |class: usize| -> Result<Duration> {
        let request = &requests[class][fastrand::usize(..requests[class].len())];
        let begun = Instant::now();
        let answer = connection.send(request)?;
        let took = begun.elapsed();
        ensure!(
            answer.status == status,
            "it was answered {}: {}",
            answer.status,
            answer.body
        );
        Ok(took)
    };
    let mut taken = vec![Vec::with_capacity(samples); requests.len()];
    let mut order: Vec<_> = (0..requests.len()).collect();
    for round in 0..WARM_UP + samples {
        fastrand::shuffle(&mut order);
        for &class in &order {
            let took = send(class)?;
            if round >= WARM_UP {
                taken[class].push(took);
            }
        }
    }
    Ok(taken)
}
