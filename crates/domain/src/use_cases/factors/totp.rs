//! Authenticator apps.

use super::{ChangeFactorsError, ShownRecoveryCodes};
use crate::{
    model::OneTimeCode,
    ports::TotpEnrolment,
    use_cases::{parts::ServicePorts, sessions::Caller},
};

/// What an authenticator app is set up with; it waits for its first code.
pub type NewTotp = TotpEnrolment;

/// Sets up, confirms and removes authenticator apps.
pub struct ManageTotp {}

impl ManageTotp {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Makes a secret. It counts for nothing before [`Self::confirm`]; the one that waited before is gone. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `AlreadySetUp` and what all changes have.
    pub async fn set_up(&self, _caller: &Caller) -> Result<NewTotp, ChangeFactorsError> {
        todo!()
    }

    /// Makes the app count, by its first code, which counts no more. Answers recovery codes, if the account had none. The caller must have
    /// reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `Gone`, `WrongCode` and what all changes have.
    pub async fn confirm(
        &self,
        _caller: &Caller,
        _code: &OneTimeCode,
    ) -> Result<Option<ShownRecoveryCodes>, ChangeFactorsError> {
        todo!()
    }

    /// Removes the app, confirmed or not. The recovery codes go with the last factor. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `LastFactor` and what all changes have.
    pub async fn remove(&self, _caller: &Caller) -> Result<(), ChangeFactorsError> {
        todo!()
    }
}
