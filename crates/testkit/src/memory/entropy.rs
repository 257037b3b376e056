//! Reproducible randomness.

use super::tag::scramble;
use revolve_domain::ports::Entropy;
use std::sync::atomic::{AtomicU64, Ordering};

/// The same bytes for the same seed, in the same order; no two calls give the same ones.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    calls: AtomicU64,
}

impl SeededEntropy {
    /// Starts with this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn bytes(&self) -> [u8; 16] {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let (high, low) = (
            scramble(self.seed ^ scramble(2 * call)),
            scramble(self.seed ^ scramble(2 * call + 1)),
        );
        ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
    }
}
