//! A clock that moves only by command.

use revolve_domain::{model::Timestamp, ports::Clock};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// A clock that stands still until it is set or moved, forward or back.
#[derive(Debug)]
pub struct FakeClock {
    millis: AtomicI64,
}

impl FakeClock {
    /// A clock that shows `at`.
    pub const fn new(at: Timestamp) -> Self {
        Self {
            millis: AtomicI64::new(at.as_millis()),
        }
    }

    /// Shows `at` from now on.
    pub fn set(&self, at: Timestamp) {
        self.millis.store(at.as_millis(), Ordering::SeqCst);
    }

    /// Moves forward by whole milliseconds.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Steps back by whole milliseconds.
    pub fn step_back(&self, by: Duration) {
        self.set(self.now().minus(by));
    }
}

impl Default for FakeClock {
    /// A clock that shows 2030-03-17T17:46:40.250Z: not a whole second, so that rounding shows.
    fn default() -> Self {
        Self::new(Timestamp::from_millis(1_900_000_000_250))
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}
