//! The first half of a sign-in with a passkey.

use super::{FactorSignInError, PasskeyChallenge, challenges::Challenges};
use crate::{
    model::{ChallengeKind, ClientInfo},
    ports::PasskeyCeremonies,
    use_cases::parts::{RequestLimits, ServicePorts},
};
use std::sync::Arc;

/// Begins sign-ins with a passkey.
pub struct BeginPasskeySignIn {
    ceremonies: Arc<dyn PasskeyCeremonies>,
    challenges: Challenges,
    limits: RequestLimits,
}

impl BeginPasskeySignIn {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            ceremonies: ports.factors.ceremonies.clone(),
            challenges: Challenges::new(ports),
            limits: RequestLimits::new(ports),
        }
    }

    /// Answers a challenge for any discoverable passkey: no user name is asked for.
    ///
    /// # Errors
    /// [`FactorSignInError`]: `Limited` or `Failed`.
    pub async fn execute(
        &self,
        client: &ClientInfo,
    ) -> Result<PasskeyChallenge, FactorSignInError> {
        let _counted = self.limits.ceremony(client).await?;
        let ceremony = self.ceremonies.begin_sign_in(None)?;
        let opened = self
            .challenges
            .open(ChallengeKind::PasskeySignIn, None, ceremony)
            .await?;
        opened.ok_or(FactorSignInError::Gone)
    }
}
