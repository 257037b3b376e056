//! The failures of all use cases, and the reasons for which a token is refused.

use super::limits::Limited;
use crate::{
    model::{EndReason, Standing},
    ports::{FactorFault, SignError, StoreError, TokenRejected},
};

/// Lets `?` convert an error in two steps: `$source` to `$via`, and that to the error of a use case.
macro_rules! from_via {
    ($error:ty: $($source:ty => $via:ty),+ $(,)?) => {$(
        impl From<$source> for $error {
            fn from(source: $source) -> Self {
                <$via>::from(source).into()
            }
        }
    )+};
}
pub(crate) use from_via;

/// The same for [`Denied`], for an error that has both a `Limited` and a `Failed` variant.
macro_rules! from_denied {
    ($error:ty) => {
        impl From<$crate::use_cases::parts::Denied> for $error {
            fn from(denied: $crate::use_cases::parts::Denied) -> Self {
                match denied {
                    $crate::use_cases::parts::Denied::Limited(limited) => limited.into(),
                    $crate::use_cases::parts::Denied::Failed(error) => error.into(),
                }
            }
        }
    };
}
pub(crate) use from_denied;

/// A dependency of the service failed. Never the client's fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Signing failed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A secret of a factor can't be made or opened.
    #[error(transparent)]
    Factor(#[from] FactorFault),
}

/// Why a token is refused. The code is stable and part of the HTTP API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Not a token of this kind and issuer, or its signature is wrong.
    TokenInvalid,
    /// Past its expiry.
    TokenExpired,
    /// Replaced a moment ago; the client should read its storage again.
    TokenStale,
    /// Used again outside of the retry windows; its session may have been ended for it.
    TokenReused,
    /// The session is not known.
    SessionUnknown,
    /// The session was signed out, or ended by a change of password or account.
    SessionRevoked,
    /// There was a new sign-in on the device.
    SessionReplaced,
    /// The user had too many sessions.
    SessionEvicted,
    /// The session reached its end.
    SessionExpired,
    /// The device's credential is missing or is another's.
    DeviceMismatch,
}

impl Refusal {
    /// Every refusal.
    pub const ALL: [Self; 10] = [
        Self::TokenInvalid,
        Self::TokenExpired,
        Self::TokenStale,
        Self::TokenReused,
        Self::SessionUnknown,
        Self::SessionRevoked,
        Self::SessionReplaced,
        Self::SessionEvicted,
        Self::SessionExpired,
        Self::DeviceMismatch,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TokenInvalid => "token_invalid",
            Self::TokenExpired => "token_expired",
            Self::TokenStale => "token_stale",
            Self::TokenReused => "token_reused",
            Self::SessionUnknown => "session_unknown",
            Self::SessionRevoked => "session_revoked",
            Self::SessionReplaced => "session_replaced",
            Self::SessionEvicted => "session_evicted",
            Self::SessionExpired => "session_expired",
            Self::DeviceMismatch => "device_mismatch",
        }
    }

    /// The message for the client.
    pub const fn message(self) -> &'static str {
        match self {
            Self::TokenInvalid => "The token is not valid here; sign in.",
            Self::TokenExpired => "The token has expired; refresh it, or sign in.",
            Self::TokenStale => {
                "The token was replaced just now; use the newest one from your storage."
            }
            Self::TokenReused => {
                "The token was used before; the session may have been copied. Sign in again."
            }
            Self::SessionUnknown => "The session is not known; sign in.",
            Self::SessionRevoked => "The session has been ended; sign in.",
            Self::SessionReplaced => "The session was replaced by a newer sign-in on this device.",
            Self::SessionEvicted => "The session was ended by sign-ins on other devices; sign in.",
            Self::SessionExpired => "The session has reached its end; sign in.",
            Self::DeviceMismatch => {
                "The session is bound to a device; send that device's credential."
            }
        }
    }

    /// The refusal of a session of this standing; `None` if it is live.
    pub const fn of(standing: Standing) -> Option<Self> {
        Some(match standing {
            Standing::Live => return None,
            Standing::Expired | Standing::Ended(EndReason::Expired) => Self::SessionExpired,
            Standing::Ended(EndReason::Replaced) => Self::SessionReplaced,
            Standing::Ended(EndReason::Evicted) => Self::SessionEvicted,
            Standing::Ended(EndReason::Reused) => Self::TokenReused,
            Standing::Ended(
                EndReason::SignedOut
                | EndReason::PasswordChanged
                | EndReason::AccountDeleted
                | EndReason::AccountDisabled
                | EndReason::Recovered
                | EndReason::FactorsReset
                | EndReason::FactorAdded,
            )
            | Standing::Superseded
            | Standing::Disabled
            | Standing::AccountGone => Self::SessionRevoked,
        })
    }
}

impl From<TokenRejected> for Refusal {
    fn from(rejected: TokenRejected) -> Self {
        match rejected {
            TokenRejected::Invalid | TokenRejected::UnknownKey => Self::TokenInvalid,
            TokenRejected::Expired => Self::TokenExpired,
        }
    }
}

/// A token was refused, or checking it failed.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The token is not valid.
    #[error("{}", .0.message())]
    Token(Refusal),
    /// There were too many attempts; the token was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The token is valid, but the account must set up a factor before anything else.
    #[error("set up a factor first")]
    FactorSetUpRequired,
    /// A dependency failed; the token may be valid.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Token(refusal)
    }
}

from_denied!(Refused);
from_via!(Refused: StoreError => Failure, SignError => Failure, FactorFault => Failure);
