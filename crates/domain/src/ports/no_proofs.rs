//! The ports of a service without mail.

use super::{
    AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, OpenProof, ProofSecrets,
    Proofs, ProvedSignIn, ProvedSignUp, Recovery, RecoveryOutcome, SignUpOutcome, StandingProof,
    StoreError, VerifyOutcome,
};
use crate::{
    journal::Tell,
    model::{EmailAddress, Proof, ProofId, ProofPurpose, ProofVersion, Timestamp, UserId},
};
use async_trait::async_trait;
use secrecy::SecretString;

/// For a service without mail: no proof is ever open.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProofs;

#[async_trait]
impl Proofs for NoProofs {
    async fn open(
        &self,
        _: &OpenProof,
        _: &Tell<StandingProof>,
    ) -> Result<StandingProof, StoreError> {
        Err(StoreError::broken(
            "proofs",
            "store a proof",
            "there is no store of proofs",
        ))
    }

    async fn find(&self, _: ProofId, _: Timestamp) -> Result<Option<Proof>, StoreError> {
        Ok(None)
    }

    async fn undo_of(&self, _: &EmailAddress, _: Timestamp) -> Result<Option<Proof>, StoreError> {
        Ok(None)
    }

    async fn attempt(
        &self,
        _: ProofId,
        _: ProofPurpose,
        _: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        Ok(None)
    }

    async fn forgive(&self, _: ProofId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn recover(
        &self,
        _: &Recovery,
        _: &Tell<RecoveryOutcome>,
    ) -> Result<RecoveryOutcome, StoreError> {
        Ok(RecoveryOutcome::Gone)
    }

    async fn verify(
        &self,
        _: ProofVersion,
        _: Timestamp,
        _: &Tell<VerifyOutcome>,
    ) -> Result<VerifyOutcome, StoreError> {
        Ok(VerifyOutcome::Gone)
    }

    async fn disown(
        &self,
        _: ProofVersion,
        _: Timestamp,
        _: &Tell<Option<UserId>>,
    ) -> Result<Option<UserId>, StoreError> {
        Ok(None)
    }

    async fn change_email(
        &self,
        _: &AddressChange,
        _: &Tell<AddressOutcome>,
    ) -> Result<AddressOutcome, StoreError> {
        Ok(AddressOutcome::Gone)
    }

    async fn sign_up(
        &self,
        _: &ProvedSignUp,
        _: &Tell<SignUpOutcome>,
    ) -> Result<SignUpOutcome, StoreError> {
        Ok(SignUpOutcome::Gone)
    }

    async fn invite(&self, _: &Invitation, _: &Tell<AddOutcome>) -> Result<AddOutcome, StoreError> {
        Err(StoreError::broken(
            "proofs",
            "store a proof",
            "there is no store of proofs",
        ))
    }

    async fn sign_in(
        &self,
        _: &ProvedSignIn,
        _: &Tell<Option<BeginOutcome>>,
    ) -> Result<Option<BeginOutcome>, StoreError> {
        Ok(None)
    }

    async fn standing(
        &self,
        _: &[ProofId],
        _: Timestamp,
    ) -> Result<Vec<StandingProof>, StoreError> {
        Ok(Vec::new())
    }

    async fn prune(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

impl ProofSecrets for NoProofs {
    fn code(&self, _: ProofId, _: u32) -> SecretString {
        SecretString::default()
    }

    fn secret(&self, _: ProofId, _: u32) -> SecretString {
        SecretString::default()
    }

    fn is_code(&self, _: ProofId, _: u32, _: &SecretString) -> bool {
        false
    }

    fn is_secret(&self, _: ProofId, _: u32, _: &SecretString) -> bool {
        false
    }
}
