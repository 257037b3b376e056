//! How long a lease of mails takes.

use revolve_domain::{
    deliveries::{Fairness, LeaseRequest},
    model::Timestamp,
    ports::Deliveries,
};
use std::time::{Duration, Instant};

/// The least time of several leases that find nothing.
pub(crate) async fn least_time(deliveries: &dyn Deliveries) -> Duration {
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
        let leased = deliveries.lease(&request).await.expect("lease works");
        least = least.min(begun.elapsed());
        assert_eq!(leased, []);
    }
    least
}
