//! Factors: what proves who a user is besides a password.

mod one_time_code;
mod passkey;
mod recovery_code;

pub use one_time_code::{OneTimeCode, Totp, TotpStep};
pub use passkey::{
    CredentialDescriptor, CredentialId, CredentialKey, Passkey, PasskeyCredential, Transports,
};
pub use recovery_code::{CodeMac, RecoveryCode, RecoveryCodes};
