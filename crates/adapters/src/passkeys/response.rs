//! Reads `RegistrationResponseJSON` and `AuthenticationResponseJSON` (§5.1.8), as browsers write them.

use super::refusal::Refusal;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::model::{CredentialId, UserId};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// The most characters of all that is decoded. A registration with an attestation of a TPM has about 6,000.
const LONGEST: usize = 64 << 10;

/// A response with the members that count; others may be there.
#[derive(Deserialize)]
struct PublicKeyCredential<'a, T> {
    id: &'a str,
    #[serde(rename = "rawId")]
    raw_id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    response: T,
}

/// `AuthenticatorAttestationResponseJSON`.
#[derive(Deserialize)]
pub(super) struct Registration<'a> {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: &'a str,
    #[serde(rename = "attestationObject")]
    pub(super) attestation_object: &'a str,
    #[serde(borrow, default)]
    pub(super) transports: Option<Vec<&'a str>>,
}

/// `AuthenticatorAssertionResponseJSON`.
#[derive(Deserialize)]
pub(super) struct Assertion<'a> {
    #[serde(rename = "clientDataJSON")]
    pub(super) client_data: &'a str,
    #[serde(rename = "authenticatorData")]
    pub(super) authenticator_data: &'a str,
    pub(super) signature: &'a str,
    #[serde(rename = "userHandle", default)]
    pub(super) user_handle: Option<&'a str>,
}

/// What was shown, with the id of its credential as text and in bytes.
pub(super) struct Shown<'a, T> {
    pub(super) raw_id: &'a str,
    pub(super) id: CredentialId,
    pub(super) response: T,
}

impl<'a> Shown<'a, Registration<'a>> {
    pub(super) fn read(credential: &'a Value) -> Result<Self, Refusal> {
        shown(credential, |response: &Registration<'_>| {
            response.client_data.len() + response.attestation_object.len()
        })
    }
}

impl<'a> Shown<'a, Assertion<'a>> {
    pub(super) fn read(credential: &'a Value) -> Result<Self, Refusal> {
        shown(credential, |response: &Assertion<'_>| {
            let handle = response.user_handle.map_or(0, str::len);
            response.client_data.len()
                + response.authenticator_data.len()
                + response.signature.len()
                + handle
        })
    }

    /// The account that the user handle is the id of.
    pub(super) fn user(&self) -> Result<Option<UserId>, Refusal> {
        let Some(handle) = self.response.user_handle else {
            return Ok(None);
        };
        let bytes = decoded(handle).map_err(|_| Refusal::UserHandle)?;
        let uuid = Uuid::from_slice(&bytes).map_err(|_| Refusal::UserHandle)?;
        Ok(Some(UserId::from_uuid(uuid)))
    }
}

fn shown<'a, T: Deserialize<'a>>(
    credential: &'a Value,
    length: impl Fn(&T) -> usize,
) -> Result<Shown<'a, T>, Refusal> {
    let read = PublicKeyCredential::<T>::deserialize(credential).map_err(|_| Refusal::Malformed)?;
    if read.id.len() + read.raw_id.len() + length(&read.response) > LONGEST {
        return Err(Refusal::TooLong);
    }
    if read.kind != "public-key" || read.id != read.raw_id {
        return Err(Refusal::Malformed);
    }
    Ok(Shown {
        raw_id: read.raw_id,
        id: CredentialId::from_bytes(decoded(read.raw_id)?).ok_or(Refusal::Malformed)?,
        response: read.response,
    })
}

/// Base64url without padding, in its canonical form (RFC 4648 §3.5).
pub(super) fn decoded(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)
}

pub(super) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
