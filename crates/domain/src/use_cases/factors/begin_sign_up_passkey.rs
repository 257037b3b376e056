//! The passkey of an account that is only to be made.

use super::{FactorSignInError, PasskeyChallenge};
use crate::{
    model::{ClientInfo, EmailAddress},
    use_cases::parts::ServicePorts,
};

/// Who is about to sign up with a passkey.
#[derive(Clone, Debug)]
pub struct SignUpPasskeyRequest {
    /// The address, which the authenticator shows beside the passkey. Whether it is taken is not looked at.
    pub email: EmailAddress,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Begins registrations of passkeys for sign-ups: [`SignUp::by_passkey`](crate::use_cases::SignUp::by_passkey).
pub struct BeginSignUpPasskey {}

impl BeginSignUpPasskey {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Answers a challenge with the id that the account will have.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Limited` or `Failed`.
    pub async fn execute(
        &self,
        _request: SignUpPasskeyRequest,
    ) -> Result<PasskeyChallenge, FactorSignInError> {
        todo!()
    }
}
