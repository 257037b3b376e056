//! The pool under load.

use super::{CHEAP, flow, hasher, password, relaxed, stored};
use futures_util::future::join_all;
use revolve_adapters::argon2::{HashCost, PoolConfig};
use revolve_domain::ports::{HashFlow, PasswordHasher, StoreError, StoreErrorKind};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::task::JoinSet;

const ONE: Option<NonZeroUsize> = Some(NonZeroUsize::MIN);

const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn an_overload_is_turned_away_at_once_with_an_estimate_and_passes() {
    let pool = PoolConfig {
        threads: ONE,
        patience: PATIENCE,
        ..relaxed()
    };
    let hasher = hasher(HashCost::default(), pool);
    // From now on the estimate goes by what was measured here.
    hasher.hash(&flow("ann"), &password("x")).await.unwrap();
    let begun = std::time::Instant::now();
    let many: Vec<_> = (0..400)
        .map(|_| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move {
                (
                    hasher.hash(&flow("ann"), &password("x")).await.map(drop),
                    begun.elapsed(),
                )
            })
        })
        .collect();
    let (mut served, mut refusals) = (0, Vec::new());
    let admitted = loop {
        tokio::task::yield_now().await;
        match hasher.admit(&flow("ann")) {
            Ok(()) if begun.elapsed() < PATIENCE => {}
            told => break told,
        }
    };
    let told = admitted.expect_err("who asks first is turned away, too");
    assert!(
        told.kind() == StoreErrorKind::Unavailable && told.retry_hint() > Some(PATIENCE),
        "{told:?}"
    );
    for attempt in many {
        match attempt.await.unwrap() {
            (Ok(()), _) => served += 1,
            (Err(error), after) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                refusals.push((
                    after,
                    error
                        .retry_hint()
                        .expect("a refusal says when to come again"),
                ));
            }
        }
    }
    assert!(
        served >= 1 && refusals.len() >= 100,
        "{served} served, {} refused",
        refusals.len()
    );
    let at_once = refusals
        .iter()
        .filter(|(after, wait)| *after < PATIENCE && *wait > PATIENCE)
        .count();
    assert!(
        at_once >= 100,
        "most are refused before any wait could be over, and told a longer one: {refusals:?}"
    );
    assert_eq!(hasher.stats().refused, refusals.len() as u64 + 1);
    hasher
        .admit(&flow("ann"))
        .expect("the queue is empty again");
    hasher.hash(&flow("ann"), &password("x")).await.unwrap();
}

#[tokio::test]
async fn one_that_waits_for_longer_than_estimated_is_refused_when_its_patience_is_over() {
    let pool = PoolConfig {
        threads: ONE,
        patience: Duration::from_millis(250),
        ..relaxed()
    };
    // By rule of thumb 150 ms, in truth far longer: its 32 lanes make many small steps.
    let cost = HashCost {
        memory_kib: 60_000,
        passes: 5,
        lanes: 32,
    };
    let hasher = hasher(cost, pool);
    let slow = stored(
        "$argon2id$v=19$m=60000,t=5,p=32$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
    );
    let (ann, wrong) = (flow("ann"), password("x"));
    let checks = join_all((0..6).map(|_| hasher.check(&ann, &wrong, Some(&slow)))).await;
    let refused: Vec<&StoreError> = checks
        .iter()
        .filter_map(|check| check.as_ref().err())
        .collect();
    assert!(
        checks.iter().any(Result::is_ok) && !refused.is_empty(),
        "{checks:?}"
    );
    assert!(
        refused.iter().all(|error| error.retry_hint().is_some()),
        "{checks:?}"
    );
    assert_eq!(hasher.stats().waiting, 0, "nobody is left in the queue");
}

#[tokio::test]
async fn the_budget_holds_whatever_is_checked() {
    let budget = 8 << 20;
    let cost = HashCost {
        memory_kib: 1024,
        passes: 1,
        lanes: 1,
    };
    let threads = NonZeroUsize::new(16);
    let hasher = hasher(
        cost,
        PoolConfig {
            threads,
            budget,
            ..relaxed()
        },
    );
    assert_eq!(hasher.stats().threads, 8, "as many as the budget allows");
    let hashes: Vec<_> = [
        "argon2id$v=19$m=1024",
        "argon2id$v=19$m=3000",
        "argon2i$v=16$m=8192",
        "argon2id$v=19$m=64",
    ]
    .iter()
    .map(|start| {
        stored(&format!(
            "${start},t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
        ))
    })
    .chain([stored(
        "$scrypt$ln=12,r=8,p=1$c2FsdHNhbHQ$9Qs5LmSpRWONGR2EZKl+Wg",
    )])
    .collect();
    let checks = (0..100).map(|i| {
        let (hasher, hash) = (Arc::clone(&hasher), hashes[i % hashes.len()].clone());
        tokio::spawn(async move {
            hasher
                .check(&flow("ann"), &password("x"), Some(&hash))
                .await
                .map(drop)
        })
    });
    for check in checks.collect::<Vec<_>>() {
        check.await.unwrap().unwrap();
    }
    // Who has got an answer may be ahead of the thread that gave it.
    while hasher.stats().busy > 0 {
        tokio::task::yield_now().await;
    }
    let stats = hasher.stats();
    assert!(
        stats.peak <= stats.budget && stats.peak > 4 << 20,
        "{stats:?}"
    );
    assert!(
        stats.held <= stats.threads as u64 * (1 << 20),
        "only buffers for today's hashes are kept: {stats:?}"
    );
    assert_eq!((stats.busy, stats.waiting), (0, 0));
}

#[tokio::test]
async fn who_goes_away_leaves_the_queue() {
    let hasher = hasher(
        HashCost::default(),
        PoolConfig {
            threads: ONE,
            ..relaxed()
        },
    );
    let waiting = (0..20).map(|_| {
        let hasher = Arc::clone(&hasher);
        tokio::spawn(async move { hasher.hash(&flow("ann"), &password("x")).await.map(drop) })
    });
    let waiting: Vec<_> = waiting.collect();
    while hasher.stats().waiting < 10 {
        tokio::task::yield_now().await;
    }
    for one in &waiting {
        one.abort();
    }
    join_all(waiting).await;
    assert_eq!(hasher.stats().waiting, 0);
}

#[tokio::test]
async fn one_account_that_fills_the_queue_is_refused_and_others_have_their_turn() {
    let pool = PoolConfig {
        threads: ONE,
        patience: Duration::from_secs(10),
        ..relaxed()
    };
    let hasher = hasher(HashCost::default(), pool);
    hasher.hash(&flow("flood"), &password("x")).await.unwrap();
    let mut flood = JoinSet::new();
    while hasher.admit(&flow("flood")).is_ok() {
        let hasher = Arc::clone(&hasher);
        flood.spawn(async move { hasher.hash(&flow("flood"), &password("x")).await.map(drop) });
        tokio::task::yield_now().await;
    }
    let known = HashFlow {
        known: true,
        ..flow("flood")
    };
    for other in [flow("ann"), flow("bob"), known] {
        hasher.admit(&other).expect("it is not the flood's");
        let done = hasher.hash(&other, &password("x")).await;
        assert!(done.is_ok(), "{other:?} {done:?}");
        let renewed = hasher.try_hash(&other, &password("x")).await;
        assert!(renewed.unwrap().is_none(), "others wait");
    }
    assert!(
        hasher.stats().waiting > 3,
        "the flood has not ended: {:?}",
        hasher.stats()
    );
}

/// Threads of this process by name, with their nice value.
#[cfg(target_os = "linux")]
fn threads_named(name: &str) -> Vec<i32> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let stats =
        tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("stat")).ok());
    let nice = |stat: String| {
        let (head, tail) = stat.rsplit_once(')')?;
        head.ends_with(&format!("({name}"))
            .then(|| tail.split_whitespace().nth(16)?.parse().ok())?
    };
    stats.filter_map(nice).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hashing_threads_have_a_lower_priority_than_the_rest() {
    let hasher = hasher(
        CHEAP,
        PoolConfig {
            threads: NonZeroUsize::new(2),
            nice: 7,
            ..relaxed()
        },
    );
    hasher.hash(&flow("ann"), &password("x")).await.unwrap();
    let before: i32 = {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        stat.rsplit_once(')')
            .unwrap()
            .1
            .split_whitespace()
            .nth(16)
            .unwrap()
            .parse()
            .unwrap()
    };
    // The second thread may still be on its way.
    while threads_named("revolve-hash")
        .iter()
        .filter(|nice| **nice == before + 7)
        .count()
        < 2
    {
        tokio::task::yield_now().await;
    }
}
