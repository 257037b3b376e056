//! Resets of factors whose time has come.

use crate::use_cases::parts::{Failure, ServicePorts};

/// Applies resets of factors. Every replica may: of each reset one does.
pub struct ApplyFactorResets {}

impl ApplyFactorResets {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Resets the factors of up to [`Self::BATCH`] accounts; answers of how many.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn execute(&self) -> Result<u64, Failure> {
        todo!()
    }

    /// The most accounts of one call.
    pub const BATCH: u32 = 100;
}
