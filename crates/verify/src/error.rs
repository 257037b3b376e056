//! Why a token is refused.

use crate::fetch::FetchError;
use std::sync::Arc;

/// Why a token is refused. The texts quote nothing of the token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not a signed object in compact form (RFC 7515 §3.1).
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// The header lacks members of a token of the service (RFC 7515 §4).
    #[error("the token's header is not acceptable")]
    Header(#[source] serde_json::Error),
    /// The header has `crit` or `b64` (RFC 7515 §4.1.11, RFC 7797).
    #[error("the token requires an extension (`crit`), and none is supported")]
    Critical,
    /// The header's `typ` is not the expected one (RFC 8725 §3.11).
    #[error("the token is of another type")]
    Type,
    /// The header's `alg` is not a name of the key's algorithm (RFC 8725 §3.1).
    #[error("the token names another algorithm than its key is for")]
    Algorithm,
    /// The issuer's key set has no key with this `kid`.
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
    /// Its session has ended, by the revocation feed.
    #[error("the token's session has ended")]
    Revoked,
    /// Operators have changed what it says of the account since it was issued, by the revocation feed. Its session goes on: the client should
    /// refresh. Answer 401.
    #[error("the token is outdated: refresh it")]
    Outdated,
    /// The issuer says what is revoked, but in a form or an amount that this service can't take, with [`crate::FeedConfig::behind`]
    /// at [`crate::Stale::Refuse`]: the token may be good or not. Answer 503, never 401, so that clients keep their tokens.
    #[error("what is revoked is not known, because the issuer's answers can't be taken")]
    RevocationsUnknown(#[source] Option<Arc<FetchError>>),
    /// The key set, or the revocation feed with [`crate::Stale::Refuse`], could not be fetched: the token may be good or not. Answer 503,
    /// never 401, so that clients keep their tokens.
    #[error("the issuer can't be reached, so the token can't be judged")]
    Unavailable(#[source] Option<Arc<FetchError>>),
}

impl VerifyError {
    /// Whether the token could not be checked, because the issuer can't be reached or not be understood.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::RevocationsUnknown(_))
    }

    /// A stable code for problem documents, as the service itself uses it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired => "token_expired",
            Self::Revoked => "session_revoked",
            Self::Outdated => "token_outdated",
            Self::Unavailable(_) | Self::RevocationsUnknown(_) => "unavailable",
            _ => "token_invalid",
        }
    }
}
