//! The secrets of factors under another master key.

use super::ForAccounts;
use crate::{
    ports::{FactorSecrets, Factors, SealedFactor},
    use_cases::parts::Failure,
};
use std::sync::Arc;

/// Seals secrets of factors under the present master key.
pub struct ResealFactors {
    store: Arc<dyn Factors>,
    secrets: Arc<dyn FactorSecrets>,
}

impl ResealFactors {
    /// The accounts of one read.
    const PAGE: u32 = 500;

    /// Over this store.
    pub fn new(store: Arc<dyn Factors>, secrets: Arc<dyn FactorSecrets>) -> Self {
        Self { store, secrets }
    }

    /// Replaces the sealed form of all secrets that another master key has sealed, and counts them. One that was changed meanwhile is sealed under the
    /// present key already. One that can't be opened holds up no other.
    ///
    /// # Errors
    /// [`Failure`] where the store can't be read or reached; what was replaced before stays so.
    pub async fn execute(&self) -> Result<ForAccounts, Failure> {
        let (mut all, mut after) = (ForAccounts::default(), None);
        loop {
            let page = self.store.sealed(after, Self::PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(all);
            };
            after = Some(last.user);
            for secret in &page {
                match self.reseal(secret).await {
                    Ok(is_new) => all.done += u64::from(is_new),
                    Err(failure) => all.fail(secret.user, failure)?,
                }
            }
        }
    }

    async fn reseal(&self, secret: &SealedFactor) -> Result<bool, Failure> {
        let new = self
            .secrets
            .reseal(secret.user, secret.of, &secret.sealed)?;
        match new {
            Some(new) => Ok(self.store.reseal(secret, &new).await?),
            None => Ok(false),
        }
    }
}
