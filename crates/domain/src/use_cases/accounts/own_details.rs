//! A new password is judged by what others know about its owner.

use crate::{
    model::{EmailAddress, FieldError, Label, Password},
    ports::{PasswordStrength, PasswordVerdict, StoreError},
};

/// What others know about somebody who chooses a password.
pub(super) struct OwnDetails<'a> {
    pub(super) email: &'a EmailAddress,
    pub(super) name: Option<&'a Label>,
    pub(super) device: Option<&'a Label>,
}

impl OwnDetails<'_> {
    /// Why the password can't be taken; `None` if it can.
    pub(super) async fn fault(
        &self,
        password: &Password,
        strength: &dyn PasswordStrength,
    ) -> Result<Option<FieldError>, StoreError> {
        let labels = [self.name, self.device]
            .into_iter()
            .flatten()
            .map(Label::as_str);
        let own: Vec<&str> = labels.chain([self.email.as_str()]).collect();
        Ok(match strength.judge(password, &own).await? {
            PasswordVerdict::Fine => None,
            PasswordVerdict::TooCommon => Some(FieldError::TooCommon),
            PasswordVerdict::OwnDetails => Some(FieldError::ContainsOwnDetails),
        })
    }
}
