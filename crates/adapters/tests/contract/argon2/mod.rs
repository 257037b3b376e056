//! argon2id in its pool.

mod exports;
mod foreign;
mod pool;

use revolve_adapters::{
    argon2::{Argon2Hasher, HashCost, HasherError, PoolConfig, UnusableHash, adopt},
    system::SystemEntropy,
};
use revolve_domain::{
    model::{EmailAddress, Password, PasswordHash},
    ports::{HashFlow, PasswordCheck, PasswordHasher},
};
use secrecy::SecretString;
use std::{sync::Arc, time::Duration};

const CHEAP: HashCost = HashCost {
    memory_kib: 64,
    passes: 1,
    lanes: 1,
};

/// Limits that a busy machine does not reach.
fn relaxed() -> PoolConfig {
    PoolConfig {
        patience: Duration::from_mins(5),
        nice: 0,
        ..PoolConfig::default()
    }
}

fn hasher(cost: HashCost, pool: PoolConfig) -> Arc<Argon2Hasher> {
    Arc::new(Argon2Hasher::new(cost, pool, Arc::new(SystemEntropy)).unwrap())
}

async fn make() -> Arc<dyn PasswordHasher> {
    hasher(CHEAP, relaxed())
}

revolve_testkit::hasher_contract!(make);

fn password(text: &str) -> Password {
    Password::present(&SecretString::from(text)).unwrap()
}

/// A stranger's request for this account.
fn flow(name: &str) -> HashFlow {
    HashFlow {
        account: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        address: None,
        known: false,
    }
}

fn stored(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

#[tokio::test]
async fn the_default_cost_is_the_recommended_one_and_older_ones_are_outdated() {
    let (today, cheap) = (
        hasher(HashCost::default(), relaxed()),
        hasher(CHEAP, relaxed()),
    );
    let hash = today
        .hash(&flow("ann"), &password("correct horse"))
        .await
        .unwrap();
    assert!(
        hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "PHC string with the OWASP parameters"
    );
    assert_eq!(
        today
            .check(&flow("ann"), &password("correct horse"), Some(&hash))
            .await
            .unwrap(),
        PasswordCheck::Match { outdated: false }
    );
    let old = cheap
        .hash(&flow("ann"), &password("correct horse"))
        .await
        .unwrap();
    assert_eq!(
        today
            .check(&flow("ann"), &password("correct horse"), Some(&old))
            .await
            .unwrap(),
        PasswordCheck::Match { outdated: true }
    );
    assert_eq!(
        today
            .check(&flow("ann"), &password("wrong horse"), Some(&old))
            .await
            .unwrap(),
        PasswordCheck::Mismatch
    );
}

#[test]
fn a_budget_that_holds_no_hash_is_refused_at_the_start() {
    let pool = PoolConfig {
        budget: 1 << 20,
        ..relaxed()
    };
    let refused = Argon2Hasher::new(HashCost::default(), pool, Arc::new(SystemEntropy)).err();
    assert!(
        matches!(
            refused,
            Some(HasherError::Budget {
                need: 19_922_944,
                budget: 1_048_576
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn a_hash_that_is_longer_than_any_systems_is_refused() {
    let hash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let of_length = |length: usize| {
        let head = "$digest$a=sha256,e=utf8,s=prefix$";
        let salt = "c".repeat(length - head.len() - hash.len() - 1);
        adopt(
            stored(&format!("{head}{salt}${hash}")),
            None,
            foreign::bounds(),
        )
    };
    // So that the salt is whole in base64.
    assert!(of_length(1021).is_ok());
    let refused = Some(UnusableHash::TooLong { longest: 1024 });
    for length in [1025, 1 << 20] {
        assert_eq!(of_length(length).err(), refused, "{length}");
    }
}
