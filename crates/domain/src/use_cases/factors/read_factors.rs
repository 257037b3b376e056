//! The factors of the caller's account.

use crate::{
    model::AccountFactors,
    ports::Factors,
    use_cases::{
        parts::{Refused, ServicePorts},
        sessions::{Authenticate, Caller},
    },
};
use std::sync::Arc;

/// Reads factors.
pub struct ReadFactors {
    authenticate: Authenticate,
    store: Arc<dyn Factors>,
}

impl ReadFactors {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
            store: ports.factors.store.clone(),
        }
    }

    /// The factors of the caller's account, a reset that waits included. The sealed secrets and MACs in it are for nobody.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(&self, caller: &Caller) -> Result<AccountFactors, Refused> {
        let authenticated = self.authenticate.to_set_up(caller).await?;
        Ok(self.store.of(authenticated.user.id).await?)
    }
}
