//! The keys that sign tokens: what they are, how they live (`next → active → retired → gone`) and when something is due.
//! Pure: no key material is made, opened or stored here, and all instants are passed in.

mod kind;
mod life;
mod schedule;

pub use kind::{Algorithm, KeyId, KeyKind, KeyUse, NotAKeyName};
pub use life::{Active, Gone, Next, NotYet, Phase, Retired, State};
pub use schedule::{IdKeys, KeyPolicy, Promotion, Step, due, find, promotion};

use crate::model::Timestamp;
use std::{fmt, time::Duration};

/// A key's secret part, sealed by an adapter under the master key. Opaque here and in every store.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedKey(Vec<u8>);

impl SealedKey {
    /// Wraps what was sealed.
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

/// A key as the user database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The `kid`.
    pub id: KeyId,
    /// What it signs, and how.
    pub kind: KeyKind,
    /// The secret part.
    pub sealed: SealedKey,
    /// The life of the tokens that it was made for. A shorter one that is configured later does not shorten the tokens
    /// that are out already.
    pub token_life: Duration,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it stands.
    pub phase: Phase,
}
