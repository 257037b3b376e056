//! What a lease costs beside many deliveries.

use super::subject::make;
use crate::leases::least_time;
use std::time::Duration;

/// Mails to so many domains that wait for another attempt.
const WAITING: &str = "
    WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < 50000)
    INSERT INTO deliveries (id, kind, email, domain, facts, created_at, expires_at, notice, due_at, next_at, attempts, deferred)
    SELECT printf('00000000-0000-4000-8000-%012x', number), 'sign_in', 'ann@host' || number || '.example', 'host' || number || '.example', '{}',
        0, 9000000000000, 0, 0, 9000000000000, 1, 1
    FROM numbers";

#[tokio::test]
async fn a_lease_takes_as_long_however_many_domains_wait() {
    let subject = make().await;
    let alone = least_time(&subject.store).await;
    let filled = subject.look().execute(WAITING, []);
    assert_eq!(filled.expect("the columns are there"), 50_000);
    let beside = least_time(&subject.store).await;
    // A step in the index for each of them takes a hundred times as long.
    assert!(
        beside < alone * 10 + Duration::from_millis(10),
        "{alone:?} alone, {beside:?} beside 50000"
    );
}
