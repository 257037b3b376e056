//! The passkey of an account that is only to be made.

use super::{FactorSignInError, PasskeyChallenge, challenges::Challenges};
use crate::{
    model::{ChallengeKind, ChallengedUser, ClientInfo, EmailAddress, Epoch, UserId},
    ports::{Entropy, PasskeyCeremonies, PasskeyOwner},
    use_cases::parts::{RequestLimits, ServicePorts},
};
use std::sync::Arc;

/// Who is about to sign up with a passkey.
#[derive(Clone, Debug)]
pub struct SignUpPasskeyRequest {
    /// The address, which the authenticator shows beside the passkey. Whether it is taken is not looked at.
    pub email: EmailAddress,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Begins registrations of passkeys for sign-ups: [`SignUp::by_passkey`](crate::use_cases::SignUp::by_passkey).
pub struct BeginSignUpPasskey {
    ceremonies: Arc<dyn PasskeyCeremonies>,
    challenges: Challenges,
    limits: RequestLimits,
    entropy: Arc<dyn Entropy>,
}

impl BeginSignUpPasskey {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            ceremonies: ports.factors.ceremonies.clone(),
            challenges: Challenges::new(ports),
            limits: RequestLimits::new(ports),
            entropy: ports.entropy.clone(),
        }
    }

    /// Answers a challenge with the id that the account will have.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Limited` or `Failed`.
    pub async fn execute(
        &self,
        request: SignUpPasskeyRequest,
    ) -> Result<PasskeyChallenge, FactorSignInError> {
        let _counted = self.limits.ceremony(&request.client).await?;
        let user = UserId::from_random(self.entropy.bytes());
        let address = request.email.as_str();
        let ceremony = self.ceremonies.begin_registration(&PasskeyOwner {
            user,
            name: address,
            display_name: address,
            exclude: &[],
        })?;
        let of = ChallengedUser {
            id: user,
            epoch: Epoch::FIRST,
            session: None,
        };
        let kind = ChallengeKind::SignUp;
        let opened = self.challenges.open(kind, Some(of), ceremony).await?;
        opened.ok_or(FactorSignInError::Gone)
    }
}
