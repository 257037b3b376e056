//! Why a token is not accepted.

use crate::fetch::FetchError;
use std::sync::Arc;

/// Why a token is not accepted. None of it repeats anything of the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It is no signed object in compact form (RFC 7515 §3.1).
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The header is not what a token of the service has (RFC 7515 §4).
    #[error("the token's header is not acceptable")]
    Header(#[source] serde_json::Error),
    /// The header has `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797).
    #[error("the token demands an extension")]
    Critical,
    /// The header's `typ` is not the expected one (RFC 8725 §3.11).
    #[error("the token is of another type")]
    Type,
    /// The header's `alg` is not the one that the key is for (RFC 8725 §3.1).
    #[error("the token names another algorithm than its key is for")]
    Algorithm,
    /// The issuer's key set has no key of this `kid`.
    #[error("the token's key is not known")]
    UnknownKey,
    /// The key has not made this signature.
    #[error("the token's signature is wrong")]
    Signature,
    /// Claims are missing, or have other types than those of the service (RFC 7519 §4).
    #[error("the token's claims are not acceptable")]
    Claims(#[source] serde_json::Error),
    /// `user.uid` is not `sub`.
    #[error("the token's claims disagree with each other")]
    Contradiction,
    /// `iss` is another.
    #[error("the token is from another issuer")]
    Issuer,
    /// `aud` is another.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `iat` or `nbf` is in the future.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The revocation feed says that its session has ended.
    #[error("the token's session has ended")]
    Revoked,
    /// The key set, or the revocation feed with [`crate::Stale::Refuse`], could not be had: nothing is known about the token. Answer
    /// 503, never 401, so that clients keep their tokens.
    #[error("the issuer can't be reached, so the token can't be judged")]
    Unavailable(#[source] Option<Arc<FetchError>>),
}

impl VerifyError {
    /// Whether nothing is known about the token, for want of the issuer.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// A stable code for problem documents, the same that the service itself uses.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Revoked => "session_revoked",
            Self::Unavailable(_) => "unavailable",
            _ => "token_invalid",
        }
    }
}
