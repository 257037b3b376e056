//! The signed statement of what was revoked, for services that verify ID tokens offline.

use super::{Revocations, SignError};
use crate::model::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// What was revoked, as of an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationStatement {
    /// The time at which the read of the user database began, in whole seconds (the `iat` claim). Later ends are not in the
    /// statement.
    pub as_of: Timestamp,
    /// How far back it reaches, in whole seconds: at least the life of an ID token. The statement itself is valid as long.
    pub window: Duration,
    /// The revocations, sorted by id, so that the same content has the same bytes.
    pub revocations: Revocations,
}

impl RevocationStatement {
    /// When it expires (the `exp` claim): every token that it revokes has expired by then.
    pub fn expires_at(&self) -> Timestamp {
        self.as_of.plus(self.window)
    }
}

/// Signs statements of what was revoked.
pub trait RevocationSigner: Send + Sync {
    /// Signs with the key that signs ID tokens. A statement MUST never be accepted as a token, nor a token as a
    /// statement (RFC 8725 §3.11).
    fn sign_revocations(&self, statement: &RevocationStatement) -> Result<SecretString, SignError>;
}
