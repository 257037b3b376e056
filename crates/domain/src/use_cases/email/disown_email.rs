//! The reader of a mailbox says that an account with its address is another person's.

use crate::{
    journal::{Actor, SecurityEvent},
    model::{ClientInfo, ProofPurpose, UserId},
    ports::{Clock, StoreError},
    use_cases::{
        parts::{Failure, MailboxProofs, ProofRefused, ServicePorts, ShownProof, from_via},
        sessions::End,
    },
};
use std::sync::Arc;

/// Why the account keeps the address.
#[derive(Debug, thiserror::Error)]
pub enum DisownEmailError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(DisownEmailError: StoreError => Failure);

/// Takes addresses from accounts that have not verified them.
pub struct DisownEmail {
    proofs: MailboxProofs,
    end: End,
    clock: Arc<dyn Clock>,
}

impl DisownEmail {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            proofs: MailboxProofs::new(ports),
            end: End::new(ports),
            clock: ports.clock.clone(),
        }
    }

    /// Deletes the account that has the address and has never verified it: nothing else opens it. The code of the mail is needed, so that no
    /// scanner of mails does so.
    ///
    /// # Errors
    /// [`DisownEmailError`]; then nothing changed but the number of the proof's attempts.
    pub async fn execute(
        &self,
        proof: &ShownProof,
        client: &ClientInfo,
    ) -> Result<(), DisownEmailError> {
        let purpose = ProofPurpose::VerifyEmail;
        let checked = self.proofs.check(purpose, proof, client).await??;
        let now = self.clock.now();
        let told = |gone: &Option<UserId>| {
            let event = gone.map(|user| SecurityEvent::AccountDeleted { user });
            event.into_iter().collect::<Vec<_>>()
        };
        let tell = self.proofs.recorder.tell(now, Actor::Stranger, told);
        let disowned = self.proofs.proofs.disown(checked.version(), now, &tell);
        let outcome = disowned.await;
        if outcome.is_err() {
            self.proofs.forgive(proof).await;
        }
        let outcome = outcome?;
        let user = outcome.ok_or(ProofRefused::Gone)?;
        self.end.clear_account(user).await;
        self.proofs.recorder.record(&tell, &outcome);
        Ok(())
    }
}
