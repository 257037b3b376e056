//! The second step of a sign-in.

use super::{FactorSignInError, ShownFactor};
use crate::{
    model::{ChallengeId, ClientInfo},
    use_cases::{accounts::Begun, parts::ServicePorts},
};
use secrecy::SecretString;

/// A factor that is shown after what was proved first.
#[derive(Debug)]
pub struct SecondStepRequest {
    /// The challenge of the first step.
    pub challenge: ChallengeId,
    /// The factor.
    pub factor: ShownFactor,
    /// The device credentials that the client holds. That of the first step must be among them.
    pub device_credentials: Vec<SecretString>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Signs in by a factor, as a second step.
pub struct SignInByFactor {}

impl SignInByFactor {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Checks the factor and begins the session. Challenge and factor are spent in the commit of the session.
    ///
    /// # Errors
    /// [`FactorSignInError`]; then no session has begun, and nothing changed but the number of the challenge's attempts.
    pub async fn execute(&self, _request: SecondStepRequest) -> Result<Begun, FactorSignInError> {
        todo!()
    }
}
