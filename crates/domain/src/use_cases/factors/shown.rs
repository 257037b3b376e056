//! What a client shows of a factor.

use crate::model::{OneTimeCode, RecoveryCode};
use serde_json::Value;

/// A factor that is shown.
#[derive(Debug)]
pub enum ShownFactor {
    /// A code of an authenticator app.
    Totp(OneTimeCode),
    /// A recovery code.
    RecoveryCode(RecoveryCode),
    /// A passkey: an `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8).
    Passkey(Value),
}
