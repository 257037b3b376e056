//! The owner stops a reset of factors that an operator has ordered.

use crate::{
    journal::{Actor, SecurityEvent},
    model::{ClientInfo, ProofPurpose, SessionId, Timestamp, UserId},
    ports::{Asking, Clock, Factors, StopReset, StopResetOutcome, StoreError},
    use_cases::{
        parts::{
            Failure, MailboxProofs, ProofRefused, Recorder, Refusal, Refused, ServicePorts,
            ShownProof, from_via,
        },
        sessions::{Authenticate, Caller},
    },
};
use std::{net::IpAddr, sync::Arc};

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
pub struct StopFactorReset {
    authenticate: Authenticate,
    proofs: MailboxProofs,
    store: Arc<dyn Factors>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl StopFactorReset {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            proofs: MailboxProofs::new(ports),
            store: ports.factors.store.clone(),
            clock: ports.clock.clone(),
            recorder: Recorder::new(ports),
        }
    }

    /// Stops the reset that the mail told of. Its link counts on any client.
    ///
    /// # Errors
    /// [`StopFactorResetError`].
    pub async fn by_proof(
        &self,
        proof: &ShownProof,
        client: &ClientInfo,
    ) -> Result<(), StopFactorResetError> {
        let purpose = ProofPurpose::StopFactorReset;
        let checked = self.proofs.check(purpose, proof, client).await??;
        let user = checked.user.ok_or(ProofRefused::Gone)?;
        let stop = StopReset::Proof(checked.version());
        match self.stop(stop, user, None, client.address).await {
            Ok(StopResetOutcome::Stopped(_)) => Ok(()),
            Ok(StopResetOutcome::Gone | StopResetOutcome::Superseded) => {
                Err(ProofRefused::Gone.into())
            }
            Err(error) => {
                self.proofs.forgive(proof).await;
                Err(error.into())
            }
        }
    }

    /// Stops the reset of the caller's account. It needs no reauthentication.
    ///
    /// # Errors
    /// [`StopFactorResetError`].
    pub async fn in_session(&self, caller: &Caller) -> Result<(), StopFactorResetError> {
        let asking = self.authenticate.on_device(caller).await?;
        let (user, session) = (asking.user.id, asking.session.id);
        let own = Asking {
            session,
            epoch: None,
        };
        let stop = StopReset::Session(user, own);
        let address = caller.client.address;
        match self.stop(stop, user, Some(session), address).await? {
            StopResetOutcome::Stopped(_) => Ok(()),
            StopResetOutcome::Gone => Err(StopFactorResetError::NotFound),
            StopResetOutcome::Superseded => {
                self.authenticate.execute(&caller.id_token).await?;
                Err(Refused::from(Refusal::SessionRevoked).into())
            }
        }
    }

    async fn stop(
        &self,
        stop: StopReset,
        user: UserId,
        session: Option<SessionId>,
        address: Option<IpAddr>,
    ) -> Result<StopResetOutcome, StoreError> {
        let at: Timestamp = self.clock.now();
        let stopped = SecurityEvent::FactorResetStopped {
            user,
            session,
            address,
        };
        let told = move |outcome: &StopResetOutcome| -> Vec<SecurityEvent> {
            let is_stopped = matches!(outcome, StopResetOutcome::Stopped(_));
            is_stopped.then(|| stopped.clone()).into_iter().collect()
        };
        let tell = self.recorder.tell(at, Actor::User(user), told);
        let outcome = self.store.stop_reset(stop, at, &tell).await?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }
}
