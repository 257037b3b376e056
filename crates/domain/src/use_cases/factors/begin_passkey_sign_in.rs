//! The first half of a sign-in with a passkey.

use super::{FactorSignInError, PasskeyChallenge};
use crate::{model::ClientInfo, use_cases::parts::ServicePorts};

/// Begins sign-ins with a passkey.
pub struct BeginPasskeySignIn {}

impl BeginPasskeySignIn {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Answers a challenge for any discoverable passkey: no user name is asked for.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Limited` or `Failed`.
    pub async fn execute(
        &self,
        _client: &ClientInfo,
    ) -> Result<PasskeyChallenge, FactorSignInError> {
        todo!()
    }
}
