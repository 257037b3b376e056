//! Answers that take as long whatever is found.

use futures_util::future::join;
use std::time::Duration;
use tokio::time::sleep;

/// How long they take at least; the work itself takes a few milliseconds.
const LEAST: Duration = Duration::from_millis(20);

/// The outcome of the work, once at least that time has passed. The work of a request for a mail is the same whoever has an account, but what it
/// writes is not: an account's rows are in more indexes, which a stopwatch over many requests would tell.
pub(crate) async fn evened<T>(work: impl Future<Output = T>) -> T {
    join(work, sleep(LEAST)).await.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn what_takes_less_takes_as_long_and_what_takes_more_no_longer() {
        for (millis, expected) in [(0, 20), (1, 20), (19, 20), (300, 300)] {
            let begun = Instant::now();
            evened(sleep(Duration::from_millis(millis))).await;
            assert_eq!(begun.elapsed().as_millis(), expected);
        }
    }
}
