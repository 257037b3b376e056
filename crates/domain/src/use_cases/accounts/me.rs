//! The caller's account.

use crate::{
    model::User,
    use_cases::{
        parts::{Refused, ServicePorts},
        sessions::Authenticate,
    },
};
use secrecy::SecretString;

/// Answers the caller's account.
pub struct Me {
    authenticate: Authenticate,
}

impl Me {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            authenticate: Authenticate::new(ports),
        }
    }

    /// The caller's account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(&self, id_token: &SecretString) -> Result<User, Refused> {
        Ok(self.authenticate.execute(id_token).await?.user)
    }

    /// The same for other services, which take ID tokens alone: in a session that has to set up a factor first there is none.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn for_services(&self, id_token: &SecretString) -> Result<User, Refused> {
        Ok(self.authenticate.by_id_token(id_token).await?.user)
    }
}
