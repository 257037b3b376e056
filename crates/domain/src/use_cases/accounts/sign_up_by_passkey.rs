//! A new account with a passkey in place of a password.

use super::sign_up::{SignUp, SignUpError, SignedUp};
use crate::model::{ChallengeId, ClientInfo, EmailAddress, Label, Locale};
use secrecy::SecretString;
use serde_json::Value;

/// A request to sign up with a passkey.
#[derive(Clone, Debug)]
pub struct PasskeySignUpRequest {
    /// The e-mail address of the account.
    pub email: EmailAddress,
    /// The challenge of [`BeginSignUpPasskey`](crate::use_cases::BeginSignUpPasskey).
    pub challenge: ChallengeId,
    /// `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// What the user calls the passkey; without a name that of the authenticator's model.
    pub passkey_name: Option<Label>,
    /// The name that the user gives the device.
    pub device_name: Option<Label>,
    /// The device credentials that the client holds. Those that were not issued here are ignored.
    pub device_credentials: Vec<SecretString>,
    /// What the browser keeps of an earlier request for a mail.
    pub proof_cookie: Option<SecretString>,
    /// The language of the account's mails.
    pub locale: Option<Locale>,
    /// The client that sent the request.
    pub client: ClientInfo,
}

impl SignUp {
    /// The same as [`Self::execute`] with a passkey in place of a password. The account has no password. The recovery codes are in
    /// [`Begun::recovery_codes`](super::Begun::recovery_codes), at once or once the mailbox is proved.
    ///
    /// # Errors
    /// [`SignUpError`]; then there is no account, unless the commit itself was cut off.
    pub async fn by_passkey(
        &self,
        _request: PasskeySignUpRequest,
    ) -> Result<SignedUp, SignUpError> {
        todo!()
    }
}
