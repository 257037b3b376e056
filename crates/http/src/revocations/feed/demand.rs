//! Who wants to know what ended, and from when on an old look is not enough.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// For so long after somebody has asked they are expected to ask again.
const EXPECTED: Duration = Duration::from_mins(1);

/// Demands are numbered: a look that begins after a demand meets it and all before.
#[derive(Default)]
pub struct Demand {
    number: AtomicU64,
    asked: Mutex<Option<Instant>>,
    wake: Notify,
}

impl Demand {
    /// The number of the last demand.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// Something ended here: what was seen before is not enough for anybody who asks from now on.
    pub(crate) fn notice(&self) -> u64 {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        self.wake.notify_one();
        number
    }

    /// Somebody asks; a look with the number answered meets it.
    pub(crate) fn ask(&self) -> u64 {
        self.still_wanted();
        self.notice()
    }

    /// Somebody asked who could be answered at once.
    pub(crate) fn still_wanted(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Returns while somebody watches or has asked lately; waits for that otherwise. Only one task may wait here.
    pub(crate) async fn wanted(&self, watched: impl Fn() -> bool) {
        let expected = || {
            self.asked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some_and(|at| at.elapsed() < EXPECTED)
        };
        while !watched() && !expected() {
            self.wake.notified().await;
        }
    }

    /// Waits for a demand after that one. Only one task may wait here.
    pub(crate) async fn beyond(&self, number: u64) {
        while self.number() <= number {
            self.wake.notified().await;
        }
    }
}
