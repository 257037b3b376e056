//! Passkeys of an account, in a session.

use super::{ChangeFactorsError, PasskeyChallenge, ShownRecoveryCodes};
use crate::{
    model::{ChallengeId, Label, Passkey, PasskeyId},
    use_cases::{parts::ServicePorts, sessions::Caller},
};
use serde_json::Value;

/// A passkey that an authenticator has made.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// The challenge of [`ManagePasskeys::begin`].
    pub challenge: ChallengeId,
    /// `RegistrationResponseJSON` (WebAuthn Level 3 §5.1.8).
    pub credential: Value,
    /// What the user calls it, at most [`Passkey::NAME_MAX`] characters; without one the name of the authenticator's model.
    pub name: Option<Label>,
}

/// A passkey was added.
#[derive(Clone, Debug)]
pub struct AddedPasskey {
    /// The passkey.
    pub passkey: Passkey,
    /// Recovery codes, if the account had none.
    pub codes: Option<ShownRecoveryCodes>,
}

/// Adds, renames and removes passkeys. [`ReadFactors`](super::ReadFactors) lists them.
pub struct ManagePasskeys {}

impl ManagePasskeys {
    pub(crate) fn new(_ports: &ServicePorts) -> Self {
        Self {}
    }

    /// Begins a registration. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `TooMany` and what all changes have.
    pub async fn begin(&self, _caller: &Caller) -> Result<PasskeyChallenge, ChangeFactorsError> {
        todo!()
    }

    /// Adds the passkey. The challenge was answered to this session, which had reauthenticated then.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `Gone`, `CredentialRefused`, `TooMany` and what all changes have.
    pub async fn add(
        &self,
        _caller: &Caller,
        _new: NewPasskey,
    ) -> Result<AddedPasskey, ChangeFactorsError> {
        todo!()
    }

    /// Gives a passkey another name, of at most [`Passkey::NAME_MAX`] characters. It needs no reauthentication.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `Refused`.
    pub async fn rename(
        &self,
        _caller: &Caller,
        _passkey: PasskeyId,
        _name: Label,
    ) -> Result<(), ChangeFactorsError> {
        todo!()
    }

    /// Removes a passkey. The recovery codes go with the last factor. The caller must have reauthenticated.
    ///
    /// # Errors
    /// [`ChangeFactorsError`]: `NotFound`, `LastFactor` and what all changes have.
    pub async fn remove(
        &self,
        _caller: &Caller,
        _passkey: PasskeyId,
    ) -> Result<(), ChangeFactorsError> {
        todo!()
    }
}
