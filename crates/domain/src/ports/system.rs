//! Time and randomness as inputs.

use crate::model::Timestamp;

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The current instant. MUST be wall-clock time in UTC; MAY step back.
    fn now(&self) -> Timestamp;
}

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// 16 random bytes. In production they MUST come from a cryptographically secure source.
    fn bytes(&self) -> [u8; 16];
}
