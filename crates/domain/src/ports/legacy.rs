//! The system that accounts came from.

use super::StoreError;
use crate::model::{EmailAddress, Password};
use async_trait::async_trait;

/// Asks the former system of an account that was imported without a hash whether a password is right. It is asked at a sign-in, until it has
/// confirmed a password; then there is a hash.
#[async_trait]
pub trait LegacyVerifier: Send + Sync {
    /// Whether the password is that of the account with this address. MUST end within a bounded time, MUST send address and password over an
    /// encrypted connection or within this machine only, MUST NOT send them anywhere else than it was told to, and MUST NOT log them.
    ///
    /// # Errors
    /// A [`StoreError`] of kind `Unavailable` if there is no answer, or another one than yes or no.
    async fn verify(&self, email: &EmailAddress, password: &Password) -> Result<bool, StoreError>;
}
