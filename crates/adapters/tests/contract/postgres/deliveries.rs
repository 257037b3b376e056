//! What a lease costs beside many deliveries.

use super::Schema;
use crate::leases::least_time;
use std::time::Duration;

/// Mails to so many domains that wait for another attempt.
const WAITING: &str = "
    INSERT INTO deliveries (id, kind, email, domain, facts, created_at, expires_at, notice, due_at, next_at, attempts, deferred)
    SELECT gen_random_uuid(), 'sign_in', 'ann@host' || number || '.example', 'host' || number || '.example', '{}',
        now(), '2200-01-01', false, now(), '2200-01-01', 1, true
    FROM generate_series(1, 50000) AS number;
    ANALYZE deliveries";

#[tokio::test]
async fn a_lease_takes_as_long_however_many_domains_wait() {
    let Some(schema) = Schema::make().await else {
        return;
    };
    let (accounts, look) = (schema.accounts().await, schema.look().await);
    let alone = least_time(&accounts).await;
    let filled = look.batch_execute(WAITING).await;
    filled.expect("the columns are there");
    let beside = least_time(&accounts).await;
    // A step in the index for each of them takes a hundred times as long.
    assert!(
        beside < alone * 10 + Duration::from_millis(10),
        "{alone:?} alone, {beside:?} beside 50000"
    );
}
