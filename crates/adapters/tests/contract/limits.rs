//! Buckets in this process: the contract, what bounds them, and what happens while shared ones are away.
#![cfg(feature = "limits")]

use async_trait::async_trait;
use revolve_adapters::limits::{FallbackLimits, LocalLimits};
use revolve_domain::{
    limits::{AddressRange, Bucket},
    ports::{RateLimiter, StoreErrorKind, Take, TakeOutcome},
};
use revolve_testkit::{
    contract::LimitsSubject,
    memory::{FakeClock, Fault, Faulty, MemoryLimits},
};
use std::{net::Ipv6Addr, sync::Arc, time::Duration};

struct LocalLimitsSubject {
    clock: Arc<FakeClock>,
    limits: Arc<dyn RateLimiter>,
}

#[async_trait]
impl LimitsSubject for LocalLimitsSubject {
    fn limiter(&self) -> Arc<dyn RateLimiter> {
        self.limits.clone()
    }

    async fn advance(&self, _buckets: &[Bucket], by: Duration) {
        self.clock.advance(by);
    }
}

#[expect(
    clippy::unused_async,
    reason = "the suite wants an async fn, and memory needs none"
)]
async fn local() -> LocalLimitsSubject {
    let clock = Arc::new(FakeClock::default());
    LocalLimitsSubject {
        limits: Arc::new(LocalLimits::new(clock.clone())),
        clock,
    }
}

async fn without_the_shared_store() -> LocalLimitsSubject {
    let clock = Arc::new(FakeClock::default());
    let shared = Arc::new(Faulty::new(MemoryLimits::new(clock.clone())));
    shared.fail(Fault::Before);
    LocalLimitsSubject {
        limits: Arc::new(FallbackLimits::new(shared, LocalLimits::new(clock.clone()))),
        clock,
    }
}

revolve_testkit::limits_contract!(local);

mod fallback {
    use super::without_the_shared_store;

    revolve_testkit::limits_contract!(without_the_shared_store);
}

fn address(number: u128, rate: &str) -> Take {
    let range = AddressRange::of(Ipv6Addr::from_bits(number).into(), 128);
    Take {
        bucket: Bucket::PasswordAddress(range),
        rate: rate.parse().unwrap(),
    }
}

async fn is_allowed(limits: &dyn RateLimiter, take: &Take) -> bool {
    matches!(
        limits.take(std::slice::from_ref(take)).await.unwrap(),
        TakeOutcome::Allowed(_)
    )
}

#[tokio::test]
async fn a_million_strangers_make_nobody_forget_what_one_has_used_up() {
    let clock = Arc::new(FakeClock::default());
    let limits = LocalLimits::with_most(clock.clone(), 10_000);
    let victim = address(0, "10/15m");
    while is_allowed(&limits, &victim).await {}
    for number in 1..=1_000_000_u128 {
        assert!(
            is_allowed(&limits, &address(number, "10/15m")).await,
            "each of them has a full bucket"
        );
        if number % 50_000 == 0 {
            assert!(
                limits.size() <= 10_016,
                "{} buckets after {number} strangers",
                limits.size()
            );
        }
    }
    assert!(
        !is_allowed(&limits, &victim).await,
        "the one bucket that is empty was not forgotten"
    );
    clock.advance(Duration::from_mins(90));
    assert!(is_allowed(&limits, &victim).await);
    for number in 1..=20_000 {
        is_allowed(&limits, &address(number, "10/15m")).await;
    }
    assert!(limits.size() <= 10_016);
}

#[tokio::test]
async fn while_the_shared_store_is_away_each_process_counts_for_itself() {
    let clock = Arc::new(FakeClock::default());
    let shared = Arc::new(Faulty::new(MemoryLimits::new(clock.clone())));
    let replica = || FallbackLimits::new(shared.clone(), LocalLimits::new(clock.clone()));
    let (one, two, take) = (replica(), replica(), address(1, "2/20m"));
    assert!(is_allowed(&one, &take).await && is_allowed(&two, &take).await);
    assert!(
        !is_allowed(&one, &take).await && !is_allowed(&two, &take).await,
        "they share what there is"
    );

    shared.fail(Fault::Before);
    for replica in [&one, &two] {
        assert!(is_allowed(replica, &take).await && is_allowed(replica, &take).await);
        assert!(
            !is_allowed(replica, &take).await,
            "without the store each has as much, and no more"
        );
    }
    one.give_back(std::slice::from_ref(&take)).await.unwrap();
    assert!(is_allowed(&one, &take).await && !is_allowed(&one, &take).await);

    shared.recover();
    assert!(
        !is_allowed(&one, &take).await,
        "the store has not forgotten"
    );
    clock.advance(Duration::from_mins(10));
    assert!(
        is_allowed(&one, &take).await && !is_allowed(&two, &take).await,
        "and is shared again"
    );
}

/// A store that holds nonsense is no reason to count elsewhere.
#[tokio::test]
async fn a_broken_store_stays_a_failure() {
    struct Broken;

    #[async_trait]
    impl RateLimiter for Broken {
        async fn take(&self, _: &[Take]) -> Result<TakeOutcome, revolve_domain::ports::StoreError> {
            Err(revolve_domain::ports::StoreError::broken(
                "test", "count", "nonsense",
            ))
        }

        async fn give_back(&self, _: &[Take]) -> Result<(), revolve_domain::ports::StoreError> {
            Err(revolve_domain::ports::StoreError::broken(
                "test", "uncount", "nonsense",
            ))
        }
    }

    let limits = FallbackLimits::new(
        Arc::new(Broken),
        LocalLimits::new(Arc::new(FakeClock::default())),
    );
    let take = [address(1, "2/20m")];
    assert_eq!(
        limits.take(&take).await.unwrap_err().kind(),
        StoreErrorKind::Broken
    );
    assert_eq!(
        limits.give_back(&take).await.unwrap_err().kind(),
        StoreErrorKind::Broken
    );
}
