//! Long work goes on over a short outage of the store.

use revolve_domain::{
    ports::{StoreError, StoreErrorKind},
    use_cases::Failure,
};
use std::time::Duration;

/// How often a step is tried again when the store does not answer, the pause doubled each time.
const RETRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// What may pass by itself.
pub(super) trait Passing {
    /// Whether the store did not answer.
    fn is_outage(&self) -> bool;
}

impl Passing for StoreError {
    fn is_outage(&self) -> bool {
        self.kind() == StoreErrorKind::Unavailable
    }
}

impl Passing for Failure {
    fn is_outage(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_outage())
    }
}

/// Tries again while the store is not available.
pub(super) async fn patiently<T, E: Passing>(work: impl AsyncFn() -> Result<T, E>) -> Result<T, E> {
    again(work).await.0
}

/// The same, and whether it was tried before: what was written by a try whose answer was lost is there already.
pub(super) async fn again<T, E: Passing>(
    work: impl AsyncFn() -> Result<T, E>,
) -> (Result<T, E>, bool) {
    let mut tries = 0;
    loop {
        match work().await {
            Err(error) if error.is_outage() && tries < RETRIES => {
                tokio::time::sleep(PAUSE * 2_u32.pow(tries)).await;
                tries += 1;
            }
            outcome => return (outcome, tries > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn an_outage_is_waited_for_and_nothing_else_is() {
        for (outages, broken, tried, ends_well) in [
            (0, false, 1, true),
            (2, false, 3, true),
            (0, true, 1, false),
        ] {
            let calls = AtomicU32::new(0);
            let (outcome, before) = again(async || match calls.fetch_add(1, Ordering::Relaxed) {
                call if call < outages => {
                    Err(StoreError::unavailable("store", "work", "it is down"))
                }
                _ if broken => Err(StoreError::broken("store", "work", "it is broken")),
                _ => Ok(()),
            })
            .await;
            let seen = (calls.load(Ordering::Relaxed), outcome.is_ok(), before);
            assert_eq!(seen, (tried, ends_well, outages > 0), "{outages} {broken}");
        }
    }
}
