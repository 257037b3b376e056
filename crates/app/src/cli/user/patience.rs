//! Long reads go on over a short outage of the store.

use revolve_domain::ports::{StoreError, StoreErrorKind};
use std::time::Duration;

/// How often a page is tried again when the store does not answer, the pause doubled each time.
const RETRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// Tries a read again while the store is not available.
pub(super) async fn patiently<T>(read: impl AsyncFn() -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut tries = 0;
    loop {
        match read().await {
            Err(error) if error.kind() == StoreErrorKind::Unavailable && tries < RETRIES => {
                tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}
