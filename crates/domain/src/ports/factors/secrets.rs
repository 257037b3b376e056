//! Secrets of factors, and what is computed with them.

use crate::{
    keys::SealedKey,
    model::{CodeMac, OneTimeCode, RecoveryCode, Timestamp, TotpStep, UserId},
};
use secrecy::{SecretSlice, SecretString};
use std::error::Error;

/// A secret of a factor can't be made, sealed or opened, or a library has failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FactorFault {
    /// The library failed.
    #[error("a secret or challenge of a factor could not be made")]
    NotMade(#[source] Box<dyn Error + Send + Sync>),
    /// It was sealed under another master key, for another account or another use, or was tampered with.
    #[error(
        "a secret of a factor of account {0} was sealed under another master key than those that are configured"
    )]
    Sealed(UserId),
}

/// What a sealed secret of an account is for. One that was sealed for one use MUST NOT open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorSecretUse {
    /// The secret that is shared with an authenticator app: 20 bytes (RFC 4226 §4 R6).
    Totp,
    /// The key of the MACs of recovery codes: 32 bytes.
    RecoveryCodes,
}

impl FactorSecretUse {
    /// The stable name, which stores and the sealed form may have.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::RecoveryCodes => "recovery_codes",
        }
    }
}

/// Makes secrets of accounts and seals them under the master key, as [`crate::ports::WebhookSecrets`] does for endpoints. What is sealed for one account
/// MUST NOT open as another's. The contract suite is `revolve_testkit::contract::crypto::factor_secrets`.
pub trait FactorSecrets: Send + Sync {
    /// Makes one of random bytes, sealed.
    ///
    /// # Errors
    /// [`FactorFault::NotMade`].
    fn make(&self, user: UserId, of: FactorSecretUse) -> Result<SealedKey, FactorFault>;

    /// Its bytes.
    ///
    /// # Errors
    /// [`FactorFault::Sealed`].
    fn open(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<SecretSlice<u8>, FactorFault>;

    /// The same under the present master key; `None` if it is already.
    ///
    /// # Errors
    /// [`FactorFault`].
    fn reseal(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<Option<SealedKey>, FactorFault>;

    /// HMAC-SHA256 of a recovery code under the key of its set, which is sealed for [`FactorSecretUse::RecoveryCodes`].
    ///
    /// # Errors
    /// [`FactorFault`].
    fn code_mac(
        &self,
        user: UserId,
        key: &SealedKey,
        code: &RecoveryCode,
    ) -> Result<CodeMac, FactorFault>;
}

/// What an authenticator app is set up with.
#[derive(Debug)]
pub struct TotpEnrolment {
    /// The secret in base 32 (RFC 4648 §6) without padding, to be typed.
    pub secret: SecretString,
    /// `otpauth://totp/…` with `issuer`, `algorithm=SHA1`, `digits=6` and `period=30`.
    pub uri: SecretString,
    /// The URI as a QR code: one `<svg>` element without scripts and references.
    pub qr_code: SecretString,
}

/// Time-based one-time passwords (RFC 6238): HMAC-SHA-1, [six digits](OneTimeCode::DIGITS), steps of [30 s](TotpStep::SECONDS). The name of the
/// service in an app is the adapter's.
pub trait OneTimeCodes: Send + Sync {
    /// The step that the code is of, among that of `at`, the one before and the one after; `None` if it is of none. MUST be the latest of them if
    /// the code is of several, MUST compute all three and compare in constant time.
    fn step(&self, secret: &SecretSlice<u8>, code: &OneTimeCode, at: Timestamp)
    -> Option<TotpStep>;

    /// What an app is set up with. `account`: what the app names it by, an address.
    ///
    /// # Errors
    /// [`FactorFault::NotMade`].
    fn enrolment(
        &self,
        secret: &SecretSlice<u8>,
        account: &str,
    ) -> Result<TotpEnrolment, FactorFault>;
}
