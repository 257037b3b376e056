//! What a lease costs beside many deliveries.

use super::subject::make;
use revolve_adapters::sqlite::SqliteStore;
use revolve_domain::{
    deliveries::{Fairness, LeaseRequest},
    model::Timestamp,
    ports::Deliveries,
};
use std::time::{Duration, Instant};

/// Mails to so many domains that wait for another attempt.
const WAITING: &str = "
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 50000)
    INSERT INTO deliveries (id, kind, email, domain, facts, created_at, expires_at, notice, due_at, next_at, attempts, deferred)
    SELECT printf('00000000-0000-4000-8000-%012x', number), 'sign_in', 'ann@host' || number || '.example', 'host' || number || '.example', '{}',
        0, 9000000000000, 0, 0, 9000000000000, 1, 1
    FROM numbers";

/// The least time of several leases that find nothing.
async fn lease(store: &SqliteStore) -> Duration {
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
        let leased = store.lease(&request).await.expect("lease works");
        least = least.min(begun.elapsed());
        assert_eq!(leased, []);
    }
    least
}

#[tokio::test]
async fn a_lease_takes_as_long_however_many_domains_wait() {
    let subject = make().await;
    let alone = lease(&subject.store).await;
    let filled = subject.look().execute(WAITING, []);
    assert_eq!(filled.expect("the columns are there"), 50_000);
    let beside = lease(&subject.store).await;
    // A step in the index for each of them takes a hundred times as long.
    assert!(
        beside < alone * 10 + Duration::from_millis(10),
        "{alone:?} alone, {beside:?} beside 50000"
    );
}
