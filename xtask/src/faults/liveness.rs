//! Checks the liveness and the key set of a replica, which must be available whatever happens to its stores.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::scenario::Scenario;

const INTERVAL: Duration = Duration::from_millis(50);
/// A response that takes longer waits for something, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(2);
const PATHS: [&str; 2] = ["/health/live", "/.well-known/jwks.json"];

/// Checks both until `meanwhile` ends.
pub(super) async fn watch_liveness<T>(
    scenario: &Scenario,
    base: &str,
    meanwhile: impl Future<Output = T>,
) -> T {
    let checks = async {
        loop {
            for path in PATHS {
                let url = format!("{base}{path}");
                let response = scenario.http().get(&url);
                match in_time(response, TIMEOUT, || scenario.stalled()).await {
                    Some(Ok(response)) if response.is_success() => {
                        scenario.check("reads of key set and liveness");
                    }
                    Some(Ok(response)) => {
                        scenario.violate(&format!("{path}: {}", response.status));
                    }
                    Some(Err(error)) => scenario.violate(&format!("{path}: {error:#}")),
                    None => scenario.violate(&format!(
                        "{path}: no answer within {} ms",
                        TIMEOUT.as_millis()
                    )),
                }
            }
            sleep(INTERVAL).await;
        }
    };
    tokio::select! {
        outcome = meanwhile => outcome,
        () = checks => unreachable!("the checks have no end"),
    }
}

/// Waits for so long, and for as long again as the machine stood still meanwhile.
async fn in_time<T>(
    work: impl Future<Output = T>,
    at_most: Duration,
    stalled: impl Fn() -> Duration,
) -> Option<T> {
    let (begun, before) = (Instant::now(), stalled());
    let mut work = std::pin::pin!(work);
    let mut limit = at_most;
    loop {
        if let Ok(outcome) = timeout_at(begun + limit, &mut work).await {
            return Some(outcome);
        }
        let extended = at_most + stalled().saturating_sub(before);
        if extended <= limit {
            return None;
        }
        limit = extended;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use super::*;

    const BRIEF: Duration = Duration::from_millis(5);

    /// A machine that stalls once for so long.
    fn once(stall: Duration) -> impl Fn() -> Duration {
        let asked = Cell::new(false);
        move || {
            if asked.replace(true) {
                stall
            } else {
                Duration::ZERO
            }
        }
    }

    #[tokio::test]
    async fn a_stall_gives_as_much_time_and_excuses_nothing() {
        assert_eq!(in_time(pending::<()>(), BRIEF, || BRIEF).await, None);
        assert_eq!(
            in_time(pending::<()>(), BRIEF, once(Duration::from_micros(1))).await,
            None
        );
        let late = async { sleep(BRIEF * 4).await };
        assert_eq!(in_time(late, BRIEF, once(BRIEF * 400)).await, Some(()));
    }
}
