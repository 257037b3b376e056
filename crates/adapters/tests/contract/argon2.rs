//! argon2id in its pool.

use revolve_adapters::{
    argon2::{Argon2Hasher, HashCost, PoolConfig},
    system::SystemEntropy,
};
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{PasswordCheck, PasswordHasher, StoreErrorKind},
};
use secrecy::SecretString;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

const CHEAP: HashCost = HashCost { memory_kib: 64, passes: 1, lanes: 1 };

fn hasher(cost: HashCost, pool: PoolConfig) -> Arc<dyn PasswordHasher> {
    Arc::new(Argon2Hasher::new(cost, pool, Arc::new(SystemEntropy)).unwrap())
}

#[expect(clippy::unused_async, reason = "the contract's macro awaits it")]
async fn make() -> Arc<dyn PasswordHasher> {
    hasher(CHEAP, PoolConfig::default())
}

revolve_testkit::hasher_contract!(make);

fn password(text: &str) -> Password {
    Password::present(&SecretString::from(text)).unwrap()
}

#[tokio::test]
async fn the_default_cost_is_the_recommended_one_and_older_ones_are_outdated() {
    let (today, cheap) = (hasher(HashCost::default(), PoolConfig::default()), hasher(CHEAP, PoolConfig::default()));
    let hash = today.hash(&password("correct horse")).await.unwrap();
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "PHC string with the OWASP parameters");
    assert_eq!(today.check(&password("correct horse"), Some(&hash)).await.unwrap(), PasswordCheck::Match { outdated: false });
    let old = cheap.hash(&password("correct horse")).await.unwrap();
    assert_eq!(today.check(&password("correct horse"), Some(&old)).await.unwrap(), PasswordCheck::Match { outdated: true });
    assert_eq!(today.check(&password("wrong horse"), Some(&old)).await.unwrap(), PasswordCheck::Mismatch);
}

#[tokio::test]
async fn a_hash_made_by_the_reference_implementation_matches() {
    // `echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1 -l 32 -e`, from the argon2 reference's own test vectors.
    let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let check = make().await.check(&password("password"), Some(&PasswordHash::from_phc(hash.to_owned()))).await.unwrap();
    assert_eq!(check, PasswordCheck::Match { outdated: true });
}

#[tokio::test]
async fn a_broken_hash_is_a_broken_store_and_does_not_stop_the_pool() {
    let hasher = hasher(CHEAP, PoolConfig { threads: NonZeroUsize::MIN, ..PoolConfig::default() });
    for broken in ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ", "$2b$12$abcdefghijklmnopqrstuu"] {
        let error = hasher.check(&password("x"), Some(&PasswordHash::from_phc(broken.to_owned()))).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Broken, "{broken}");
    }
    hasher.hash(&password("x")).await.unwrap();
}

#[tokio::test]
async fn an_overload_is_turned_away_and_passes() {
    let pool = PoolConfig { threads: NonZeroUsize::MIN, queue: 2, patience: Duration::from_mins(1) };
    let hasher = hasher(HashCost::default(), pool);
    let many = (0..50).map(|_| {
        let hasher = Arc::clone(&hasher);
        tokio::spawn(async move { hasher.hash(&password("x")).await.map(drop) })
    });
    let mut refused = 0;
    for attempt in many.collect::<Vec<_>>() {
        if let Err(error) = attempt.await.unwrap() {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            refused += 1;
        }
    }
    assert!((40..50).contains(&refused), "one is hashed, two wait, the others are turned away at once: {refused}");
    hasher.hash(&password("x")).await.unwrap();
}

#[tokio::test]
async fn what_waits_too_long_is_not_hashed() {
    let pool = PoolConfig { threads: NonZeroUsize::MIN, queue: 50, patience: Duration::ZERO };
    let error = hasher(CHEAP, pool).hash(&password("x")).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
}
