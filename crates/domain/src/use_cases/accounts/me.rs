//! What the account is.

use crate::{
    model::User,
    use_cases::{parts::Refused, sessions::Authenticate},
};
use secrecy::SecretString;

/// Answers the caller's account.
pub struct Me {
    /// Who is calling.
    pub authenticate: Authenticate,
}

impl Me {
    /// The caller's account.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn execute(&self, id_token: &SecretString) -> Result<User, Refused> {
        Ok(self.authenticate.execute(id_token).await?.user)
    }
}
