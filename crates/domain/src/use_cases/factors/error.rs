//! Why a factor does not count, or was not changed.

use crate::{
    ports::{FactorFault, SignError, StoreError},
    use_cases::{
        accounts::NotBegun,
        parts::{Denied, Failure, Limited, Refused, from_denied, from_via},
    },
};

/// Why no session has begun by a factor.
#[derive(Debug, thiserror::Error)]
pub enum FactorSignInError {
    /// The challenge is spent, expired, void or unknown, or this is not the client that it was answered to. Sign in from the beginning.
    #[error("the challenge is spent, expired or unknown; sign in again")]
    Gone,
    /// The code is wrong, or the account has no such factor.
    #[error("the code is wrong; {attempts_left} attempts are left")]
    WrongCode {
        /// How often something can still be tried.
        attempts_left: u32,
    },
    /// The code counted before; a code counts once.
    #[error("the code was used before; wait for the next one")]
    CodeUsed {
        /// How often something can still be tried.
        attempts_left: u32,
    },
    /// The passkey does not count; nothing says why.
    #[error("the passkey was refused")]
    CredentialRefused,
    /// Sessions of the account were ended, or reuse was found on the device, while this one was about to begin. Sign in from the beginning.
    #[error("sessions of the account were ended during the sign-in; sign in again")]
    Superseded,
    /// There were too many attempts; this one was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed. What was shown can be shown again.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(FactorSignInError);
from_via!(FactorSignInError: StoreError => Failure, FactorFault => Failure);

impl From<NotBegun> for FactorSignInError {
    fn from(not_begun: NotBegun) -> Self {
        match not_begun {
            // What is shown here is two factors: no step follows.
            NotBegun::Superseded | NotBegun::SecondStep(_) => Self::Superseded,
            // A code that was used before is told with the attempts that are left.
            NotBegun::ProofGone | NotBegun::CodeUsed => Self::Gone,
            NotBegun::Failed(failure) => failure.into(),
        }
    }
}

/// Why the factors of an account were not changed in a session.
#[derive(Debug, thiserror::Error)]
pub enum ChangeFactorsError {
    /// The ID token was refused, or there were too many wrong codes.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No reauthentication that counts was shown.
    #[error("reauthenticate first")]
    ReauthenticationRequired,
    /// The account has no such factor.
    #[error("there is no such factor")]
    NotFound,
    /// An authenticator app is set up; remove it first.
    #[error("an authenticator app is set up already")]
    AlreadySetUp,
    /// The account must keep this factor: it would have neither a password nor a passkey, or no factor where it needs one.
    #[error("the account needs this factor")]
    LastFactor,
    /// The account has [as many passkeys as it may](crate::model::Passkey::MOST).
    #[error("the account has as many passkeys as it may")]
    TooMany,
    /// The account has no factor that recovery codes could stand in for.
    #[error("set up a factor first")]
    NoFactor,
    /// The code is wrong.
    #[error("the code is wrong")]
    WrongCode,
    /// The passkey does not count; nothing says why.
    #[error("the passkey was refused")]
    CredentialRefused,
    /// The challenge, or the app that waits for its code, is spent, expired or unknown. Begin again.
    #[error("it is spent, expired or unknown; begin again")]
    Gone,
}

from_via!(ChangeFactorsError: StoreError => Refused, SignError => Refused, FactorFault => Refused, Failure => Refused, Limited => Refused, Denied => Refused);
