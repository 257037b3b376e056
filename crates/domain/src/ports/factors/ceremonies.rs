//! The ceremonies of WebAuthn Level 3, by a library.

use super::FactorFault;
use crate::model::{CeremonyState, CredentialDescriptor, CredentialId, PasskeyCredential, UserId};
use serde_json::Value;
use std::error::Error;

/// A ceremony that was begun.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// For the client: `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` (§5.1.9, §5.1.10), that is, the value
    /// of the member `publicKey`.
    pub options: Value,
    /// For the second half.
    pub state: CeremonyState,
}

/// For whom a passkey is registered.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyOwner<'a> {
    /// The account, perhaps one that is only to be made. The user handle is its 16 bytes.
    pub user: UserId,
    /// `user.name`: the address.
    pub name: &'a str,
    /// `user.displayName`: the name of the user, or the address.
    pub display_name: &'a str,
    /// `excludeCredentials`: those that the account has.
    pub exclude: &'a [CredentialDescriptor],
}

/// What a credential says of itself, before anything is verified: enough to find its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedCredential {
    /// Its id.
    pub id: CredentialId,
    /// The user handle, if there is one; a discoverable credential has one always.
    pub user: Option<UserId>,
}

/// A credential was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedCredential {
    /// The signature counter that it showed.
    pub counter: u32,
    /// Whether the counter did not grow although the stored or the shown one is not 0 (§6.1.1). It may be a copy. MUST NOT be refused for it.
    pub counter_went_back: bool,
    /// The backup state that it showed.
    pub backed_up: bool,
}

/// A credential does not count. The reason MUST NOT have anything secret. Whoever calls tells nobody of it: an adapter that wants it
/// in a log writes it itself, at the level of debugging.
#[derive(Debug, thiserror::Error)]
#[error("the credential was refused")]
pub struct CredentialRefused(#[source] pub Box<dyn Error + Send + Sync>);

/// Makes and verifies ceremonies of one relying party: its id, its name and the origins that it allows are the adapter's. Nothing is stored, no
/// call waits for anything, and hostile input of whatever form and size MUST end in [`CredentialRefused`] without a panic.
///
/// All registrations: `residentKey: "required"`, `userVerification: "required"`, `attestation: "none"`, ES256, EdDSA and RS256. All sign-ins:
/// `userVerification: "required"`. Each call that begins one MUST take a challenge of 32 random bytes; whether it was used, has expired or was
/// tried too often is decided by the caller: no state counts twice.
pub trait PasskeyCeremonies: Send + Sync {
    /// Begins a registration. The state SHOULD be the challenge and little more: the caller stores it.
    ///
    /// # Errors
    /// [`FactorFault::NotMade`].
    fn begin_registration(&self, owner: &PasskeyOwner<'_>) -> Result<Ceremony, FactorFault>;

    /// Verifies a `RegistrationResponseJSON` (§7.1): challenge, origin, RP id, user presence and verification, the algorithm, the sizes. MUST
    /// accept any attestation statement of form `none` and MAY ignore others. Whether another account has the id is decided by the caller.
    ///
    /// # Errors
    /// [`CredentialRefused`], also for a state that is not one of a registration.
    fn finish_registration(
        &self,
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<PasskeyCredential, CredentialRefused>;

    /// Begins a sign-in. `allowed`: the credentials of the account that is known already; `None` for a sign-in without a user name, with a
    /// discoverable credential. The state need not hold them: whose credential it is that was shown is decided by the caller.
    ///
    /// # Errors
    /// [`FactorFault::NotMade`].
    fn begin_sign_in(
        &self,
        allowed: Option<&[CredentialDescriptor]>,
    ) -> Result<Ceremony, FactorFault>;

    /// Reads the id and the user handle of an `AuthenticationResponseJSON`, and verifies nothing.
    ///
    /// # Errors
    /// [`CredentialRefused`], also for a user handle that is not one of ours.
    fn claimed(&self, credential: &Value) -> Result<ClaimedCredential, CredentialRefused>;

    /// Verifies an `AuthenticationResponseJSON` (§7.2) by the stored credential: challenge, origin, RP id, user presence and verification, the
    /// signature, and that `BE` is as stored. Counter and backup state MUST be compared with the fields of `stored`, not with what its key has.
    ///
    /// # Errors
    /// [`CredentialRefused`], also for a state that is not one of a sign-in and for the id of another credential.
    fn finish_sign_in(
        &self,
        state: &CeremonyState,
        stored: &PasskeyCredential,
        credential: &Value,
    ) -> Result<VerifiedCredential, CredentialRefused>;

    /// What the model of an authenticator is called, such as `"iCloud Keychain"`; `None` if it is not known.
    fn authenticator_name(&self, aaguid: &uuid::Uuid) -> Option<&str>;
}
