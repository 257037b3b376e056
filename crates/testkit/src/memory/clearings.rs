//! Deferred clearings that wait for the test to run them.

use super::lock;
use revolve_domain::{
    ports::{Clearing, Clearings},
    use_cases::Clear,
};
use std::sync::Mutex;

/// Keeps deferred clearings until [`Self::run`]: the background task of an app, under the test's control.
#[derive(Debug, Default)]
pub struct RecordedClearings {
    deferred: Mutex<Vec<Clearing>>,
}

impl RecordedClearings {
    /// The deferred clearings, in the order of their arrival.
    pub fn pending(&self) -> Vec<Clearing> {
        lock(&self.deferred).clone()
    }

    /// Tries each of them once, answers how many succeeded and keeps the rest.
    pub async fn run(&self, clear: &Clear) -> usize {
        let deferred = std::mem::take(&mut *lock(&self.deferred));
        let (tried, mut left) = (deferred.len(), Vec::new());
        for clearing in deferred {
            if clear.attempt(&clearing).await.is_err() {
                left.push(clearing);
            }
        }
        let worked = tried - left.len();
        let mut deferred = lock(&self.deferred);
        left.append(&mut deferred);
        *deferred = left;
        worked
    }
}

impl Clearings for RecordedClearings {
    fn defer(&self, clearing: Clearing) {
        lock(&self.deferred).push(clearing);
    }
}
