//! What the mails of proofs say.

use crate::{
    model::{EmailAddress, ProofId},
    ports::{Clock, MailProof, MailProofs, ProofSecrets, Proofs, StoreError},
};
use async_trait::async_trait;
use std::sync::Arc;

/// Derives code and link of a proof when its mail is sent.
pub struct DerivedProofs {
    proofs: Arc<dyn Proofs>,
    secrets: Arc<dyn ProofSecrets>,
    clock: Arc<dyn Clock>,
}

impl DerivedProofs {
    /// Those of these stores.
    pub const fn new(
        proofs: Arc<dyn Proofs>,
        secrets: Arc<dyn ProofSecrets>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            proofs,
            secrets,
            clock,
        }
    }
}

#[async_trait]
impl MailProofs for DerivedProofs {
    async fn open(
        &self,
        proof: ProofId,
        to: &EmailAddress,
    ) -> Result<Option<MailProof>, StoreError> {
        let standing = self.proofs.standing(&[proof], self.clock.now()).await?;
        let mut of_mailbox = standing.iter().filter(|standing| standing.address == *to);
        let mailed = of_mailbox.next().map(|standing| MailProof {
            id: standing.id,
            code: self.secrets.code(standing.id, standing.serial),
            secret: self.secrets.secret(standing.id, standing.serial),
            expires_at: standing.expires_at,
        });
        Ok(mailed)
    }
}
