//! Hashes, signatures and MACs.

use super::StoreError;
use crate::model::{
    Details, DeviceId, EmailAddress, Epoch, Generation, Password, PasswordHash, SessionId,
    Timestamp, UserId,
};
use async_trait::async_trait;
use secrecy::SecretString;

/// How checking a password came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It matches.
    Match {
        /// The hash was made with other parameters than today's and should be made again.
        outdated: bool,
    },
    /// It does not match.
    Mismatch,
}

/// Hashes passwords. An overload is a [`StoreError`] of kind `Unavailable` that says when to come again; a stored hash that is not a hash, or
/// that would take more than may be spent on one, is a `Broken` one. Neither says anything of the hash.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Whether there would be time for a password now; the overload that [`hash`](Self::hash) and [`check`](Self::check) would answer
    /// if not. It is asked before any store is, so that a flood that is turned away costs none of them anything. It MUST NOT wait, and
    /// MUST NOT depend on who asks. `Ok` promises nothing: others may come first.
    ///
    /// # Errors
    /// A [`StoreError`] of kind `Unavailable`.
    fn admit(&self) -> Result<(), StoreError>;

    /// Hashes with a fresh salt; the result is a PHC string.
    async fn hash(&self, password: &Password) -> Result<PasswordHash, StoreError>;

    /// Checks a password. With `None` (no such account) it MUST do the work of a check all the same and answer
    /// `Mismatch`, so that time does not tell who has an account.
    async fn check(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError>;
}

/// What is thought of a password that somebody wants to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// Nothing speaks against it.
    Fine,
    /// Many others have it, or it follows a pattern that is tried first.
    TooCommon,
    /// It is made of what others know about the user or the service.
    OwnDetails,
}

/// Says whether a password would soon be guessed (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5 §6.2). It is asked when a password is
/// set, and never when one is shown: who has a weak one can still sign in.
///
/// A judgement MUST end in bounded time, whatever the password, and MUST NOT hold up other work of the runtime. An overload is a
/// [`StoreError`] of kind `Unavailable`.
#[async_trait]
pub trait PasswordStrength: Send + Sync {
    /// Judges a password of somebody about whom others know `own`: the e-mail address, names and the like. The whole password
    /// counts, not its beginning alone. MUST refuse, whatever the case of its letters, one of the passwords that most people
    /// use, and one of `own`; MUST NOT demand kinds of characters.
    async fn judge(&self, password: &Password, own: &[&str])
    -> Result<PasswordVerdict, StoreError>;
}

/// What an ID token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdClaims {
    /// `sub` and `user.uid`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
    /// `epoch`.
    pub epoch: Epoch,
    /// `auth_time`: when the password was shown.
    pub authenticated_at: Timestamp,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// `user.email`.
    pub email: EmailAddress,
    /// `user.name`, `user.website`, `user.imageUrl`.
    pub details: Details,
}

/// What the service itself needs of an ID token that it verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedId {
    /// `sub`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
}

/// What a refresh token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshClaims {
    /// `uid`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
    /// `gen`; `jti` follows from it.
    pub generation: Generation,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// `did`, once the session is bound.
    pub device: Option<DeviceId>,
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRejected {
    /// Not a token of this kind and issuer, or its signature is not ours.
    #[error("the token is not valid here")]
    Invalid,
    /// It was valid once, but is past its `exp`.
    #[error("the token has expired")]
    Expired,
    /// It names a key in the way we do, but none that is known here: perhaps one that another replica has just made.
    #[error("the token's key is not known here")]
    UnknownKey,
}

/// A token could not be signed: a broken key or library.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be signed")]
pub struct SignError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Signs and verifies both kinds of token, each with one active key and perhaps others that verify. One kind MUST never be accepted as the other, and the algorithm MUST be the
/// key's, never the token's (RFC 8725 §3.1).
#[async_trait]
pub trait TokenCodec: Send + Sync {
    /// Signs an ID token. MUST give the same bytes for the same claims where the algorithm is deterministic, while its key
    /// is active.
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError>;

    /// Signs a refresh token. MUST give the same bytes for the same claims while its key is active.
    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError>;

    /// Verifies an ID token completely, `exp` against `now` included.
    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected>;

    /// Verifies a refresh token but for its `exp`: that is the white list's to decide, on the store's clock.
    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected>;

    /// Looks for keys that were added meanwhile; what is answered [`TokenRejected::UnknownKey`] is tried once more after it.
    /// Callers from everywhere MAY come at once, with made-up keys, too: it MUST NOT cost a look for each of them.
    async fn look_for_keys(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The public keys that verify ID tokens.
pub trait KeySet: Send + Sync {
    /// The JWK set (RFC 7517 §5) as JSON. MUST hold no private member.
    fn to_json(&self) -> String;
}

/// Hands out and checks device credentials: opaque strings that hold a device id and a MAC; nothing is stored.
pub trait DeviceCredentials: Send + Sync {
    /// The credential of a device; the same string each time.
    fn issue(&self, device: DeviceId) -> SecretString;

    /// The device that the credential was issued to; `None` if it was not issued here. MUST compare in constant time.
    fn verify(&self, credential: &SecretString) -> Option<DeviceId>;
}
