//! The clock that tokens are checked against.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day. Tests can set it.
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
        // With a clock before 1970 every token is from the future and refused.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs())
    }
}
