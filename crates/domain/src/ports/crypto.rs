//! Password hashes, tokens and device credentials.

use super::StoreError;
use crate::{
    limits::AddressRange,
    model::{
        AccountVersion, AppData, AuthMethods, Details, DeviceId, EmailAddress, Epoch, Generation,
        Password, PasswordHash, Roles, SessionId, Timestamp, UserId,
    },
};
use async_trait::async_trait;
use secrecy::SecretString;

/// The outcome of [`PasswordHasher::check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    /// It matches.
    Match {
        /// The hash has other parameters than the configured ones and should be replaced.
        outdated: bool,
    },
    /// It does not match.
    Mismatch,
}

/// For whom a password is hashed or judged. It is what a hasher and a judge share their time by, and says nothing about whether there is
/// such an account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HashFlow {
    /// The address that was typed, or that the caller's account has.
    pub account: EmailAddress,
    /// Where the request came from, if that is known.
    pub address: Option<AddressRange>,
    /// Whether the client has shown that it is known to the account: by the credential of a device that the user has signed in on,
    /// or by an ID token.
    pub known: bool,
}

/// Hashes passwords. An overload is a [`StoreError`] of kind `Unavailable` with an estimate for a retry; a stored hash that is not
/// valid, or whose parameters are over the limits, is one of kind `Broken`. Neither reveals anything of the hash.
///
/// Where more is asked for than can be computed, a hasher MUST share its time fairly over accounts and over addresses, with a share that
/// is kept for known clients: no account and no address, however many requests it sends, can take more than its turn from the others.
#[async_trait]
pub trait PasswordHasher: Send + Sync {
    /// Fails with the overload that [`hash`](Self::hash) and [`check`](Self::check) would answer this flow now. It is called before any
    /// store, so that requests that are refused during a flood cost the stores nothing. It MUST NOT wait. `Ok` guarantees nothing:
    /// other calls may come first.
    ///
    /// # Errors
    /// A [`StoreError`] of kind `Unavailable`.
    fn admit(&self, flow: &HashFlow) -> Result<(), StoreError>;

    /// Hashes with a fresh salt; the result is a PHC string.
    async fn hash(&self, flow: &HashFlow, password: &Password) -> Result<PasswordHash, StoreError>;

    /// Hashes like [`hash`](Self::hash) if that need not wait, for what another time is good enough: `None` if others wait or no thread is
    /// free. A check that is answered MUST NOT count as work that goes on.
    async fn try_hash(
        &self,
        flow: &HashFlow,
        password: &Password,
    ) -> Result<Option<PasswordHash>, StoreError>;

    /// Checks a password. With `None` (no such account) it MUST do the work of a check all the same and answer
    /// `Mismatch`, so that the time does not reveal whether there is an account.
    async fn check(
        &self,
        flow: &HashFlow,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError>;
}

/// The judgement of a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// It is accepted.
    Fine,
    /// It is common, or follows a pattern that is guessed first.
    TooCommon,
    /// It is made of context-specific words: the user's details or the service's name.
    OwnDetails,
}

/// Judges whether a password is easy to guess (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5 §6.2). It is called when a password is
/// set, never when one is checked: a user with a weak password can still sign in.
///
/// A judgement MUST end in bounded time, whatever the password, and MUST NOT hold up other work of the runtime. Where more is asked for than
/// can be judged, time MUST be shared as a [`PasswordHasher`] shares it. An overload is a [`StoreError`] of kind `Unavailable`.
#[async_trait]
pub trait PasswordStrength: Send + Sync {
    /// Judges a password; `own` are the user's details: the e-mail address, names and the like. The whole password counts, not
    /// only its beginning. MUST refuse, whatever the case of letters, one of the most common passwords, and one of `own`; MUST NOT
    /// demand kinds of characters.
    async fn judge(
        &self,
        flow: &HashFlow,
        password: &Password,
        own: &[&str],
    ) -> Result<PasswordVerdict, StoreError>;
}

/// The claims of an ID token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdClaims {
    /// `sub` and `user.uid`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
    /// `epoch`.
    pub epoch: Epoch,
    /// `auth_time`: when the user was authenticated.
    pub authenticated_at: Timestamp,
    /// `amr`: how.
    pub authenticated_by: AuthMethods,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// `email` and `user.email`.
    pub email: EmailAddress,
    /// `email_verified`.
    pub email_verified: bool,
    /// `name`, `picture`, `user.name`, `user.website`, `user.imageUrl`.
    pub details: Details,
    /// `roles`, if there are any.
    pub roles: Roles,
    /// `app`, if it has members.
    pub app: AppData,
    /// `version`.
    pub version: AccountVersion,
}

/// The claims of a verified ID token that the service itself needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedId {
    /// `sub`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
}

/// The claims of a refresh token.
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

/// The claims of a reauthentication: the proof that the password was shown in a session a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReauthenticationClaims {
    /// `sub`.
    pub user: UserId,
    /// `sid`.
    pub session: SessionId,
    /// `epoch`: the account's, when the password was read. Not the session's, which a password change leaves as it is.
    pub epoch: Epoch,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenRejected {
    /// Not a token of this kind and issuer, or its signature is wrong.
    #[error("the token is not valid here")]
    Invalid,
    /// It is past its `exp`.
    #[error("the token has expired")]
    Expired,
    /// Its `kid` has our form, but is unknown here: perhaps another replica has just made that key.
    #[error("the token's key is not known here")]
    UnknownKey,
}

/// A token could not be signed: a broken key or library.
#[derive(Debug, thiserror::Error)]
#[error("a token could not be signed")]
pub struct SignError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Signs and verifies four kinds of token, each with one active key and perhaps others that verify. One kind MUST never be accepted
/// as another, and the algorithm MUST be the key's, never the token's (RFC 8725 §3.1).
#[async_trait]
pub trait TokenCodec: Send + Sync {
    /// Signs an ID token. MUST give the same bytes for the same claims where the algorithm is deterministic, while its key
    /// is active.
    fn sign_id(&self, claims: &IdClaims) -> Result<SecretString, SignError>;

    /// Signs a refresh token. MUST give the same bytes for the same claims while its key is active.
    fn sign_refresh(&self, claims: &RefreshClaims) -> Result<SecretString, SignError>;

    /// Signs a reauthentication. MUST use a secret key: services that verify ID tokens by public key MUST NOT be able to verify it.
    fn sign_reauthentication(
        &self,
        claims: &ReauthenticationClaims,
    ) -> Result<SecretString, SignError>;

    /// Signs what stands in the place of an ID token in a session that can do nothing but set up a factor. It names account, session and times, and
    /// nothing else. MUST use a secret key: services that verify ID tokens by public key MUST NOT be able to verify it.
    fn sign_set_up(&self, claims: &VerifiedId) -> Result<SecretString, SignError>;

    /// Verifies what [`Self::sign_set_up`] signs completely, `exp` against `now` included. MUST compare in constant time.
    fn verify_set_up(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<VerifiedId, TokenRejected>;

    /// Verifies an ID token completely, `exp` against `now` included.
    fn verify_id(&self, token: &SecretString, now: Timestamp) -> Result<VerifiedId, TokenRejected>;

    /// Verifies a refresh token except for its `exp`, which the white list decides on the store's clock.
    fn verify_refresh(&self, token: &SecretString) -> Result<RefreshClaims, TokenRejected>;

    /// Verifies a reauthentication completely, `exp` against `now` included. MUST compare in constant time.
    fn verify_reauthentication(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<ReauthenticationClaims, TokenRejected>;

    /// Reads the keys again; after [`TokenRejected::UnknownKey`] the token is verified once more. Many callers MAY come at once, also
    /// with invented keys: it MUST NOT cost one read for each of them.
    async fn look_for_keys(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The public keys that verify ID tokens.
pub trait KeySet: Send + Sync {
    /// The JWK set (RFC 7517 §5) as JSON. MUST hold no private member.
    fn to_json(&self) -> String;
}

/// Issues and verifies device credentials: opaque strings with a device id and a MAC; nothing is stored.
pub trait DeviceCredentials: Send + Sync {
    /// The credential of a device; the same string each time, of letters, digits, `-`, `_` and `.`.
    fn issue(&self, device: DeviceId) -> SecretString;

    /// The device that the credential was issued to; `None` if it was not issued here. MUST compare in constant time.
    fn verify(&self, credential: &SecretString) -> Option<DeviceId>;
}
