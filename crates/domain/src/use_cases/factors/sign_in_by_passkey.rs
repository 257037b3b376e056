//! A sign-in with a passkey alone.

use super::FactorSignInError;
use crate::{
    model::{ChallengeId, ClientInfo, Label},
    use_cases::{accounts::Begun, parts::ServicePorts},
};
use secrecy::SecretString;
use serde_json::Value;

/// A passkey in place of address and password.
#[derive(Clone, Debug)]
pub struct PasskeySignInRequest {
    /// The challenge of [`BeginPasskeySignIn`](super::BeginPasskeySignIn).
    pub challenge: ChallengeId,
    /// `AuthenticationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The device credentials that the client holds. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Signs in with a passkey. Its authenticator has verified the user, so that no second step follows.
pub struct SignInByPasskey {}

impl SignInByPasskey {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Verifies the passkey and begins a session. The challenge is spent in the commit of the session.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Gone`, `CredentialRefused`, `Superseded`, `Limited` or `Failed`; then no session has begun.
    pub async fn execute(
        &self,
        _request: PasskeySignInRequest,
    ) -> Result<Begun, FactorSignInError> {
        todo!()
    }
}
