//! The factors of the caller's account.

use crate::{
    model::AccountFactors,
    use_cases::{
        parts::{Refused, ServicePorts},
        sessions::Caller,
    },
};

/// Reads factors.
pub struct ReadFactors {}

impl ReadFactors {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// The factors of the caller's account, a reset that waits included. The sealed secrets and MACs in it are for nobody.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(&self, _caller: &Caller) -> Result<AccountFactors, Refused> {
        todo!()
    }
}
