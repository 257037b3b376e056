//! What a lease costs beside many deliveries.

use super::Schema;
use revolve_adapters::postgres::PostgresAccounts;
use revolve_domain::{
    deliveries::{Fairness, LeaseRequest},
    model::Timestamp,
    ports::Deliveries,
};
use std::time::{Duration, Instant};

/// Mails to so many domains that wait for another attempt.
const WAITING: &str = "
    INSERT INTO deliveries (id, kind, email, domain, facts, created_at, expires_at, notice, due_at, next_at, attempts, deferred)
    SELECT gen_random_uuid(), 'sign_in', 'ann@host' || number || '.example', 'host' || number || '.example', '{}',
        now(), '2200-01-01', false, now(), '2200-01-01', 1, true
    FROM generate_series(1, 50000) AS number;
    ANALYZE deliveries";

/// The least time of several leases that find nothing.
async fn lease(accounts: &PostgresAccounts) -> Duration {
    let request = LeaseRequest {
        at: Timestamp::from_seconds(1_900_000_000),
        until: Timestamp::from_seconds(1_900_000_060),
        limit: 40,
        after: String::new(),
        fairness: Fairness {
            share: 8,
            ..Fairness::default()
        },
    };
    let mut least = Duration::MAX;
    for _ in 0..20 {
        let begun = Instant::now();
        let leased = accounts.lease(&request).await.expect("lease works");
        least = least.min(begun.elapsed());
        assert_eq!(leased, []);
    }
    least
}

#[tokio::test]
async fn a_lease_takes_as_long_however_many_domains_wait() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    let alone = lease(&accounts).await;
    let filled = look.batch_execute(WAITING).await;
    filled.expect("the columns are there");
    let beside = lease(&accounts).await;
    // A step in the index for each of them takes a hundred times as long.
    assert!(
        beside < alone * 10 + Duration::from_millis(10),
        "{alone:?} alone, {beside:?} beside 50000"
    );
}
