//! The keys that sign tokens: repository, maker and ring.

use super::StoreError;
use crate::{
    journal::Tell,
    keys::{KeyId, KeyKind, KeyState, Promotion, Retired, SealedKey, StoredKey},
};
use async_trait::async_trait;

/// Whether a change of keys was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum KeyOutcome {
    /// It was made.
    Done,
    /// The keys are not as expected: another replica came first. Nothing changed.
    Changed,
}

/// The keys in the user database. Every change is a compare-and-set, so that of several replicas one takes each step.
/// What `tell` says of the outcome is committed with it ([`super::Journal`]).
#[async_trait]
pub trait KeyRepository: Send + Sync {
    /// Every key, oldest first.
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError>;

    /// Adds a key that is `next` or `active`. MUST change nothing and answer `Changed` if its use has a key in that state
    /// already, or the id is taken: there is at most one `next` and one `active` key per use, also when many add at once.
    async fn insert(
        &self,
        key: &StoredKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError>;

    /// The next key becomes active and the active one retires, in one commit. MUST change nothing and answer `Changed`
    /// unless `next` is the next key and `retires` names the active key of its use (`None`: there is none).
    async fn promote(
        &self,
        promotion: &Promotion,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError>;

    /// The active key retires without a successor. MUST answer `Changed` unless the key is active.
    async fn retire(
        &self,
        key: &KeyId,
        retired: Retired,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError>;

    /// Replaces the sealed form of a key in one commit, and nothing else of it. MUST answer `Changed` and change nothing unless the key
    /// is sealed as `from`.
    async fn reseal(
        &self,
        key: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError>;

    /// Deletes a key. MUST answer `Changed` unless the key is in that state.
    async fn remove(
        &self,
        key: &KeyId,
        state: KeyState,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError>;
}

/// The keys that an operator took out of use at once, in a store that a restore of the user database does not set back. A key that was stolen
/// can sign at any time: what is revoked MUST stay so.
///
/// The contract suite is `revolve_testkit::contract::revoked_keys`.
#[async_trait]
pub trait RevokedKeys: Send + Sync {
    /// Revokes a key; one that is revoked stays so.
    async fn revoke(&self, key: &KeyId) -> Result<(), StoreError>;

    /// Those of these keys that are revoked, in any order.
    async fn among(&self, keys: &[KeyId]) -> Result<Vec<KeyId>, StoreError>;
}

/// A new key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The `kid`.
    pub id: KeyId,
    /// Use and algorithm.
    pub kind: KeyKind,
    /// The secret part.
    pub sealed: SealedKey,
}

/// A key could not be made, sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// The cryptographic library failed.
    #[error("a key could not be made")]
    NotMade(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It was sealed under another master key, or was tampered with.
    #[error(
        "the key {0} in the user database was sealed under another master key than those that are configured"
    )]
    Sealed(KeyId),
    /// It was opened, but is not a key of its kind.
    #[error("the key {0} in the user database is corrupt")]
    Corrupt(KeyId),
    /// A key has one algorithm (RFC 8725 §3.1).
    #[error("the key {0} is given for two algorithms")]
    TwoAlgorithms(String),
}

/// Makes keys and seals their secret parts. An id MUST reveal nothing about the secret.
pub trait KeyMaker: Send + Sync {
    /// A fresh key.
    fn make(&self, kind: KeyKind) -> Result<NewKey, KeyFault>;

    /// The first key of a use in an empty store. It MAY be one that was in use before keys were stored.
    fn first(&self, kind: KeyKind) -> Result<NewKey, KeyFault> {
        self.make(kind)
    }

    /// The key sealed under the present master key; `None` if it is. The secret part MUST stay what it is.
    fn reseal(&self, key: &StoredKey) -> Result<Option<SealedKey>, KeyFault>;
}

/// The loaded keys, which sign and verify.
pub trait KeyRing: Send + Sync {
    /// Replaces the stored keys in use by these; keys from files stay. MUST change nothing on a failure.
    fn load(&self, keys: &[StoredKey]) -> Result<(), KeyFault>;
}
