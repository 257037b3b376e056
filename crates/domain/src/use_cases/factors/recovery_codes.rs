//! Recovery codes.

use super::ChangeFactorsError;
use crate::use_cases::{parts::ServicePorts, sessions::Caller};
use secrecy::SecretString;

/// Recovery codes, as they are shown once: [ten](crate::model::RecoveryCode::SET), each in groups of four characters.
#[derive(Clone, Debug)]
pub struct ShownRecoveryCodes(Vec<SecretString>);

impl ShownRecoveryCodes {
    /// The codes.
    pub fn codes(&self) -> &[SecretString] {
        &self.0
    }
}

/// Makes new recovery codes.
pub struct ReplaceRecoveryCodes {}

impl ReplaceRecoveryCodes {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Makes a set in the place of the account's. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]; then the former codes count.
    pub async fn execute(
        &self,
        _caller: &Caller,
    ) -> Result<ShownRecoveryCodes, ChangeFactorsError> {
        todo!()
    }
}
