//! Background tasks that end with their owner, and how long they wait after a failure.

use std::time::Duration;
use tokio::task::JoinHandle;

/// A task that is stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    /// Starts it on the runtime of the caller.
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(work))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits that double, from half a second to half a minute, each shortened by up to half at random, so that services which
/// lost the issuer at the same moment don't all retry at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        Self(Self::FIRST)
    }

    /// After a success.
    pub(crate) fn reset(&mut self) {
        self.0 = Self::FIRST;
    }

    /// The next wait.
    pub(crate) fn next(&mut self) -> Duration {
        let longest = self.0;
        self.0 = (self.0 * 2).min(Self::LONGEST);
        let mut random = [0; 1];
        // Without randomness the wait is the longest.
        let cut = if aws_lc_rs::rand::fill(&mut random).is_ok() {
            u32::from(random[0])
        } else {
            0
        };
        longest.saturating_sub(longest / 2 * cut / 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_vary_by_half() {
        let mut backoff = Backoff::new();
        for milliseconds in [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000] {
            let longest = Duration::from_millis(milliseconds);
            let wait = backoff.next();
            assert!(
                wait <= longest && wait >= longest / 2,
                "{wait:?} of {longest:?}"
            );
        }
        backoff.reset();
        assert!(backoff.next() <= Backoff::FIRST);
    }
}
