//! The verification of an address.

use crate::{
    journal::{Actor, Told},
    model::{ClientInfo, Proof, ProofPurpose},
    ports::{Clock, SecurityEvent, SecurityEvents, StoreError, VerifyOutcome},
    use_cases::{
        parts::{
            Failure, MailboxProofs, ProofRefused, Refused, ServicePorts, ShownProof, from_via,
        },
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

/// A proof of an account's mailbox.
#[derive(Clone, Debug)]
pub struct ConfirmEmailRequest {
    /// The proof.
    pub proof: ShownProof,
    /// The account's user, if the client has a session of it.
    pub caller: Option<Caller>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why the address is not verified.
#[derive(Debug, thiserror::Error)]
pub enum ConfirmEmailError {
    /// The proof does not count.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The client has neither a session of the account nor asked for the mail. The mail's reader may be another person than the account's user,
    /// and must not lend the mailbox to a stranger's account.
    #[error("the code counts only in a session of the account, or where the mail was asked for")]
    SessionRequired,
    /// The ID token was refused, or a dependency failed.
    #[error(transparent)]
    Refused(#[from] Refused),
}

from_via!(ConfirmEmailError: StoreError => Refused, Failure => Refused);

/// Verifies addresses.
pub struct ConfirmEmail {
    authenticate: Authenticate,
    proofs: MailboxProofs,
    clock: Arc<dyn Clock>,
    events: Arc<dyn SecurityEvents>,
}

impl ConfirmEmail {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            proofs: MailboxProofs::new(ports),
            clock: ports.clock.clone(),
            events: ports.events.clone(),
        }
    }

    /// Verifies the address of the proof's account.
    ///
    /// # Errors
    /// [`ConfirmEmailError`]; then nothing changed but the number of the proof's attempts.
    pub async fn execute(&self, request: &ConfirmEmailRequest) -> Result<(), ConfirmEmailError> {
        let shown = &request.proof;
        let found = self.proofs.proofs.find(shown.id, self.clock.now()).await?;
        let found = found.filter(|proof| proof.purpose == ProofPurpose::VerifyEmail);
        let proof = found.ok_or(ProofRefused::Gone)?;
        // Before an attempt is counted: a stranger uses up none.
        if !self.is_owner(&proof, request).await? {
            return Err(ConfirmEmailError::SessionRequired);
        }
        let checked = self.proofs.check(proof.purpose, shown, &request.client);
        let proof = checked.await??;
        let verified = self.verify(&proof, &request.client).await;
        if matches!(verified, Err(ConfirmEmailError::Refused(_))) {
            self.proofs.forgive(shown).await;
        }
        verified
    }

    async fn is_owner(
        &self,
        proof: &Proof,
        request: &ConfirmEmailRequest,
    ) -> Result<bool, ConfirmEmailError> {
        if self.proofs.is_asker(proof, &request.proof.asker) {
            return Ok(true);
        }
        let Some(caller) = &request.caller else {
            return Ok(false);
        };
        let authenticated = self.authenticate.on_device(caller).await?;
        Ok(proof.user == Some(authenticated.user.id))
    }

    async fn verify(&self, proof: &Proof, client: &ClientInfo) -> Result<(), ConfirmEmailError> {
        let Some(user) = proof.user else {
            return Err(ProofRefused::Gone.into());
        };
        let now = self.clock.now();
        let told = |outcome: &VerifyOutcome| match outcome {
            VerifyOutcome::Verified(user) => Told {
                events: vec![SecurityEvent::EmailVerified {
                    user: user.id,
                    address: client.address,
                }],
                mails: Vec::new(),
            },
            VerifyOutcome::Gone => Told::default(),
        };
        let tell = self.proofs.tell(Actor::User(user), now, &told);
        let outcome = self.proofs.proofs.verify(proof.id, now, tell).await?;
        for event in told(&outcome).events {
            self.events.record(event);
        }
        match outcome {
            VerifyOutcome::Verified(_) => Ok(()),
            VerifyOutcome::Gone => Err(ProofRefused::Gone.into()),
        }
    }
}
