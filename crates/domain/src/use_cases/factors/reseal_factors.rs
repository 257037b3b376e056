//! The secrets of factors under another master key.

use crate::{
    ports::{FactorSecrets, Factors},
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

    /// Replaces the sealed form of all secrets that another master key has sealed; answers how many. One that was changed meanwhile is sealed
    /// under the present key already.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn execute(&self) -> Result<u64, Failure> {
        let (mut resealed, mut after) = (0, None);
        loop {
            let page = self.store.sealed(after, Self::PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(resealed);
            };
            after = Some(last.user);
            for secret in &page {
                let new = self
                    .secrets
                    .reseal(secret.user, secret.of, &secret.sealed)?;
                if let Some(new) = new
                    && self.store.reseal(secret, &new).await?
                {
                    resealed += 1;
                }
            }
        }
    }
}
