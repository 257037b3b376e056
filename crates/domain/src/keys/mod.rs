//! The keys that sign tokens: kinds, states (`next → active → retired → gone`) and schedule.
//! Pure: no key material is made, opened or stored here, and all instants are passed in.

mod kind;
mod life;
mod schedule;

pub use kind::{Algorithm, KeyId, KeyKind, KeyUse, NotAKeyName};
pub use life::{Active, Gone, KeyState, Next, NotYet, Phase, Retired};
pub use schedule::{IdKeys, KeyPolicy, Promotion, Step, due, find, promotion};

pub use crate::model::SealedKey;
use crate::model::Timestamp;
use std::time::Duration;

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
