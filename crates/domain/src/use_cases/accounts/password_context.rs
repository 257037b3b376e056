//! A new password is judged by what others know about its owner.

use crate::{
    model::{EmailAddress, FieldError, Label, Password},
    ports::{HashFlow, PasswordStrength, PasswordVerdict, StoreError},
};

/// What others know about the owner of a new password (NIST SP 800-63B-4 calls such words context-specific).
pub(super) struct PasswordContext<'a> {
    pub(super) email: &'a EmailAddress,
    pub(super) name: Option<&'a Label>,
    pub(super) device: Option<&'a Label>,
}

impl PasswordContext<'_> {
    /// Why the password is refused; `None` if it is accepted.
    pub(super) async fn weakness(
        &self,
        flow: &HashFlow,
        password: &Password,
        strength: &dyn PasswordStrength,
    ) -> Result<Option<FieldError>, StoreError> {
        let labels = [self.name, self.device]
            .into_iter()
            .flatten()
            .map(Label::as_str);
        let words: Vec<&str> = labels.chain([self.email.as_str()]).collect();
        Ok(match strength.judge(flow, password, &words).await? {
            PasswordVerdict::Fine => None,
            PasswordVerdict::TooCommon => Some(FieldError::TooCommon),
            PasswordVerdict::OwnDetails => Some(FieldError::ContainsOwnDetails),
        })
    }
}
