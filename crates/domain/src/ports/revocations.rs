//! The signed statement of what was revoked, for services that verify ID tokens by themselves.

use super::{Revocations, SignError};
use crate::model::Timestamp;
use secrecy::SecretString;
use std::time::Duration;

/// What was revoked, as of an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationStatement {
    /// As of when, in whole seconds: the look into the user database began then (the `iat` claim). A statement of an
    /// earlier instant says nothing of later ends.
    pub as_of: Timestamp,
    /// How far back it reaches, in whole seconds: at least the life of an ID token. It expires after the same time.
    pub window: Duration,
    /// What ended, sorted by id: the same content is written the same way each time.
    pub revocations: Revocations,
}

impl RevocationStatement {
    /// When it is worth nothing any more (the `exp` claim): no token that it speaks of lives then.
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
