//! When a case does what.

use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::{task::yield_now, time::sleep};

/// Waits for so long, more precisely than the runtime's timer: its steps of a millisecond would align races.
pub(super) async fn pause(duration: Duration) {
    let end = Instant::now() + duration;
    let millis = u64::try_from(duration.as_millis()).unwrap_or_default();
    sleep(Duration::from_millis(millis.saturating_sub(1))).await;
    while Instant::now() < end {
        yield_now().await;
    }
}

/// A random delay of up to so many milliseconds; half of all are short.
pub(super) fn delay(rng: &mut Rng, at_most: u64) -> Duration {
    let micros = rng.u64(0..=at_most * 1000);
    Duration::from_micros(if rng.bool() { micros / 16 } else { micros })
}

/// Waits for a moment, such as the end of a window.
pub(super) async fn until(moment: Instant) {
    tokio::time::sleep_until(moment.into()).await;
}
