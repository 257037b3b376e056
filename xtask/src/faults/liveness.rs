//! Watches the key set and the liveness of a replica, which no store may take away.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::scenario::Town;

const EVERY: Duration = Duration::from_millis(50);
/// More would be a sign that it waits for something, even on a machine that is busy with other things.
const ANSWER: Duration = Duration::from_secs(2);
const PATHS: [&str; 2] = ["/health/live", "/.well-known/jwks.json"];

/// Looks at both for as long as `meanwhile` lasts.
pub(super) async fn watch<T>(town: &Town, base: &str, meanwhile: impl Future<Output = T>) -> T {
    let looks = async {
        loop {
            for path in PATHS {
                let url = format!("{base}{path}");
                let look = town.http().get(&url);
                match in_time(look, ANSWER, || town.stalled()).await {
                    Some(Ok(response)) if response.is_success() => {
                        town.check("looks at key set and liveness")
                    }
                    Some(Ok(response)) => town.violate(&format!("{path}: {}", response.status)),
                    Some(Err(error)) => town.violate(&format!("{path}: {error:#}")),
                    None => town.violate(&format!(
                        "{path}: no answer within {} ms",
                        ANSWER.as_millis()
                    )),
                }
            }
            sleep(EVERY).await;
        }
    };
    tokio::select! {
        outcome = meanwhile => outcome,
        () = looks => unreachable!("the looks have no end"),
    }
}

/// Waits for so long, and for as long again as the machine stood still meanwhile.
async fn in_time<T>(
    look: impl Future<Output = T>,
    at_most: Duration,
    stalled: impl Fn() -> Duration,
) -> Option<T> {
    let (begun, before) = (Instant::now(), stalled());
    let mut look = std::pin::pin!(look);
    let mut patience = at_most;
    loop {
        if let Ok(answer) = timeout_at(begun + patience, &mut look).await {
            return Some(answer);
        }
        let more = at_most + stalled().saturating_sub(before);
        if more <= patience {
            return None;
        }
        patience = more;
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, future::pending};

    use super::*;

    const BRIEF: Duration = Duration::from_millis(5);

    /// A machine that stands still for so long while somebody waits, and then no more.
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
