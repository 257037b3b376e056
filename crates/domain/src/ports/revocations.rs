//! Signed statements of what was revoked, for services that verify ID tokens offline.

use super::SignError;
use crate::revocations::{PackedStatement, RevocationStatement};
use secrecy::SecretString;

/// Signs statements of what was revoked.
pub trait RevocationSigner: Send + Sync {
    /// Signs with the key that signs ID tokens. A statement MUST never be accepted as a token, nor a token as a
    /// statement (RFC 8725 §3.11).
    fn sign_revocations(&self, statement: &RevocationStatement) -> Result<SecretString, SignError>;

    /// The same for the packed form, which MUST NOT be accepted as a plain statement, nor the reverse. The text has one line.
    fn sign_packed(&self, statement: &PackedStatement) -> Result<String, SignError>;
}
