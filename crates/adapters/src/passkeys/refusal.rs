//! Why a credential is refused. Nothing here repeats what a client has sent: reasons may be logged.

use passki::PasskiError;
use revolve_domain::ports::CredentialRefused;

/// Why a credential is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it is longer than a credential may be")]
    TooLong,
    #[error("it is not of the form that WebAuthn gives it")]
    Malformed,
    #[error("the ceremony was one of another kind")]
    OtherCeremony,
    #[error("its challenge is another one")]
    Challenge,
    #[error("it was made for an origin that is not allowed")]
    Origin,
    #[error("it was made in a frame of another site")]
    CrossOrigin,
    #[error("it is one of another relying party")]
    RelyingParty,
    #[error("its user was not there or was not verified")]
    UserVerification,
    #[error("its algorithm was not offered")]
    Algorithm,
    #[error("its id is another one")]
    OtherCredential,
    #[error("its user handle is none of ours")]
    UserHandle,
    #[error("its flags contradict each other or what is stored")]
    BackupFlags,
    #[error("its signature is wrong")]
    Signature,
}

impl From<PasskiError> for Refusal {
    fn from(error: PasskiError) -> Self {
        match error {
            PasskiError::ChallengeMismatch => Self::Challenge,
            PasskiError::OriginMismatch { .. } => Self::Origin,
            PasskiError::CrossOriginNotAllowed | PasskiError::TopOriginMismatch { .. } => {
                Self::CrossOrigin
            }
            PasskiError::RpIdHashMismatch => Self::RelyingParty,
            PasskiError::UserNotPresent | PasskiError::UserVerificationRequired => {
                Self::UserVerification
            }
            PasskiError::ClientDataTypeMismatch { .. } => Self::OtherCeremony,
            PasskiError::UnsupportedAlgorithm(_) => Self::Algorithm,
            PasskiError::CredentialNotAllowed | PasskiError::CredentialIdMismatch => {
                Self::OtherCredential
            }
            PasskiError::InvalidBackupFlags => Self::BackupFlags,
            PasskiError::SignatureVerificationFailed => Self::Signature,
            _ => Self::Malformed,
        }
    }
}

impl From<Refusal> for CredentialRefused {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}
