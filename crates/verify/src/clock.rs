//! The time of day, which tokens are checked against.

use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. Tests bring their own.
pub trait Clock: Send + Sync + 'static {
    /// Seconds since 1970-01-01 UTC, as in a NumericDate (RFC 7519 §2).
    fn unix_seconds(&self) -> u64;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that all else here is handed"
    )]
    fn unix_seconds(&self) -> u64 {
        // A clock before 1970 makes every token one from the future, which is refused.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }
}
