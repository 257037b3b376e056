//! Factors: what proves who a user is besides a password.

mod account;
mod challenge;
mod intent;
mod one_time_code;
mod passkey;
mod recovery_code;

pub use account::{AccountFactors, FactorKind, PendingReset, SetUpFactors};
pub use challenge::{CeremonyState, Challenge, ChallengeKind, ChallengedDevice, ChallengedUser};
pub use intent::SignUpIntent;
pub use one_time_code::{OneTimeCode, Totp, TotpStep};
pub use passkey::{
    CredentialDescriptor, CredentialId, CredentialKey, Passkey, PasskeyCredential, Transports,
};
pub use recovery_code::{CodeMac, RecoveryCode, RecoveryCodes};
