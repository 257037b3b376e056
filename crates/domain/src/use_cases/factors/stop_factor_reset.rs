//! The owner stops a reset of factors that an operator has ordered.

use crate::{
    model::ClientInfo,
    ports::StoreError,
    use_cases::{
        parts::{Failure, ProofRefused, Refused, ServicePorts, ShownProof, from_via},
        sessions::Caller,
    },
};

/// Why the reset was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopFactorResetError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The ID token was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No reset waits.
    #[error("no reset of factors waits")]
    NotFound,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(StopFactorResetError: StoreError => Failure);

/// Stops resets.
pub struct StopFactorReset {}

impl StopFactorReset {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Stops the reset that the mail told of. Its link counts on any client.
    ///
    /// # Errors
    /// [`StopFactorResetError`].
    pub async fn by_proof(
        &self,
        _proof: &ShownProof,
        _client: &ClientInfo,
    ) -> Result<(), StopFactorResetError> {
        todo!()
    }

    /// Stops the reset of the caller's account. It needs no reauthentication.
    ///
    /// # Errors
    /// [`StopFactorResetError`].
    pub async fn in_session(&self, _caller: &Caller) -> Result<(), StopFactorResetError> {
        todo!()
    }
}
