//! Time and randomness as inputs.

use crate::model::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The current instant. MUST be wall-clock time in UTC; MAY step back.
    fn now(&self) -> Timestamp;
}

/// Gives random bytes.
pub trait Entropy: Send + Sync {
    /// 16 random bytes. In production they MUST come from a cryptographically secure source.
    fn bytes(&self) -> [u8; 16];
}
