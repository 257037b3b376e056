//! The keys that sign tokens: kinds, states (`next → active → retired → gone`) and schedule.
//! Pure: no key material is made, opened or stored here, and all instants are passed in.

mod kind;
mod life;
mod schedule;

pub use kind::{Algorithm, KeyId, KeyKind, KeyUse, NotAKeyName};
pub use life::{Active, Gone, KeyState, Next, NotYet, Phase, Retired};
pub use schedule::{IdKeys, KeyPolicy, Promotion, Step, due, find, promotion};

use crate::model::Timestamp;
use std::{fmt, time::Duration};

/// A key's secret part, sealed by an adapter under the master key. Opaque here and in every store.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey(Vec<u8>);

impl SealedKey {
    /// Wraps sealed bytes.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedKey({} bytes)", self.0.len())
    }
}

/// A key in the user database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The `kid`.
    pub id: KeyId,
    /// Use and algorithm.
    pub kind: KeyKind,
    /// The secret part.
    pub sealed: SealedKey,
    /// The life of its tokens when it was made. A shorter one that is configured later does not shorten tokens that were issued
    /// before.
    pub token_life: Duration,
    /// When it was made.
    pub created_at: Timestamp,
    /// State and times.
    pub phase: Phase,
}
