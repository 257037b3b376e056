//! The port, over the library.

use super::{
    attestation, models,
    refusal::Refusal,
    response::{Assertion, Registration, Shown, decoded, encoded},
    state::{self, Kind},
};
use passki::{
    AuthenticationCredential, AuthenticationOptions, AuthenticationState, Passki,
    RegistrationCredential, RegistrationOptions, RegistrationState, ResidentKeyRequirement,
    StoredPasskey, UserVerificationRequirement,
};
use revolve_domain::{
    model::{CredentialDescriptor, CredentialKey, PasskeyCredential, Transports},
    ports::{
        Ceremony, CeremonyState, ClaimedCredential, CredentialRefused, FactorFault,
        PasskeyCeremonies, PasskeyOwner, VerifiedCredential,
    },
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// ES256, EdDSA and RS256 (§5.8.5), the preferred one first.
pub(super) const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// How long a client has for a ceremony, in milliseconds: what §15.1 recommends.
const TIMEOUT: u64 = 300_000;

/// `BE` and `BS` of the authenticator data's flags, which are its byte 32 (§6.1).
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const FLAGS: usize = 32;

/// Who the passkeys are for.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    /// A domain: that of the issuer, or one above it. Passkeys that were registered for another one are lost.
    pub id: String,
    /// What authenticators may show.
    pub name: String,
    /// The origins that ceremonies may come from, compared as they are: `https://accounts.example.org`, or `android:apk-key-hash:…`.
    pub origins: Vec<String>,
}

/// Makes and verifies ceremonies with `passki`.
pub struct PasskiCeremonies {
    library: Passki,
    user_verification: UserVerificationRequirement,
}

impl PasskiCeremonies {
    /// Those of this relying party.
    pub fn new(party: &RelyingParty) -> Self {
        Self {
            library: Passki::new(&party.id, &party.origins, &party.name),
            user_verification: UserVerificationRequirement::Required,
        }
    }

    /// Without user verification, as some of the specification's test vectors are.
    #[cfg(test)]
    pub(super) fn unverified(self) -> Self {
        Self {
            user_verification: UserVerificationRequirement::Discouraged,
            ..self
        }
    }

    fn registered(
        &self,
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<PasskeyCredential, Refusal> {
        let challenge = state::challenge(state, Kind::Registration)?;
        let shown = Shown::<Registration<'_>>::read(credential)?;
        let object = attestation::without_statement(&decoded(shown.response.attestation_object)?)?;
        let credential: RegistrationCredential = library_type(json!({
            "rawId": shown.raw_id,
            "response": {
                "clientDataJSON": shown.response.client_data,
                "attestationObject": encoded(&object),
            },
        }))?;
        let state: RegistrationState = library_type(json!({
            "challenge": challenge,
            "user": { "id": "", "name": "", "displayName": "" },
            "user_verification": self.user_verification,
        }))?;
        let made = self
            .library
            .finish_passkey_registration(&credential, &state)?;
        // The library leaves this to its caller (§7.1 step 20).
        if !ALGORITHMS.contains(&made.algorithm) {
            return Err(Refusal::Algorithm);
        }
        let transports = shown.response.transports.unwrap_or_default();
        Ok(PasskeyCredential {
            id: shown.id,
            key: CredentialKey::from_bytes(made.public_key).ok_or(Refusal::TooLong)?,
            algorithm: made.algorithm,
            aaguid: Uuid::from_bytes(made.aaguid),
            counter: made.counter,
            backup_eligible: made.be,
            backed_up: made.bs,
            transports: Transports::named(transports),
        })
    }

    fn signed_in(
        &self,
        state: &CeremonyState,
        stored: &PasskeyCredential,
        credential: &Value,
    ) -> Result<VerifiedCredential, Refusal> {
        let challenge = state::challenge(state, Kind::SignIn)?;
        let shown = Shown::<Assertion<'_>>::read(credential)?;
        if shown.id != stored.id {
            return Err(Refusal::OtherCredential);
        }
        // Whose it is has been compared by the caller; one that could not be read is refused here, too.
        shown.user()?;
        let credential: AuthenticationCredential = library_type(json!({
            "rawId": shown.raw_id,
            "response": {
                "clientDataJSON": shown.response.client_data,
                "authenticatorData": shown.response.authenticator_data,
                "signature": shown.response.signature,
            },
        }))?;
        let state: AuthenticationState = library_type(json!({
            "challenge": challenge,
            "allowed_credentials": [],
            "user_verification": self.user_verification,
        }))?;
        let mut passkey = StoredPasskey::default();
        passkey.public_key = stored.key.as_bytes().to_vec();
        passkey.algorithm = stored.algorithm;
        // Of a counter of 0 the library takes any other. It would refuse one that went back, and here that is only said.
        passkey.counter = 0;
        let verified = self
            .library
            .finish_passkey_authentication(&credential, &state, &passkey)?;
        let flags = flags(shown.response.authenticator_data)?;
        // The library does not read these two (§7.2 steps 18 and 19).
        if (flags & BACKUP_ELIGIBLE != 0) != stored.backup_eligible {
            return Err(Refusal::BackupFlags);
        }
        let counts = verified.counter != 0 || stored.counter != 0;
        Ok(VerifiedCredential {
            counter: verified.counter,
            counter_went_back: counts && verified.counter <= stored.counter,
            backed_up: flags & BACKED_UP != 0,
        })
    }
}

impl PasskeyCeremonies for PasskiCeremonies {
    fn begin_registration(&self, owner: &PasskeyOwner<'_>) -> Result<Ceremony, FactorFault> {
        let mut wanted = RegistrationOptions::default();
        wanted.timeout = TIMEOUT;
        wanted.resident_key = ResidentKeyRequirement::Required;
        wanted.user_verification = self.user_verification;
        let user = owner.user.as_uuid().as_bytes();
        let (challenge, state) = self
            .library
            .start_passkey_registration(user, owner.name, owner.display_name, wanted)
            .map_err(not_made)?;
        let mut options = serde_json::to_value(&challenge).map_err(not_made)?;
        options["pubKeyCredParams"] = ALGORITHMS
            .iter()
            .map(|algorithm| json!({ "type": "public-key", "alg": algorithm }))
            .collect();
        // For clients of Level 1, which know no other member (§5.4.4).
        options["authenticatorSelection"]["requireResidentKey"] = true.into();
        options["excludeCredentials"] = descriptors(owner.exclude);
        ceremony(options, Kind::Registration, &state.challenge)
    }

    fn finish_registration(
        &self,
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<PasskeyCredential, CredentialRefused> {
        Ok(self.registered(state, credential)?)
    }

    fn begin_sign_in(
        &self,
        allowed: Option<&[CredentialDescriptor]>,
    ) -> Result<Ceremony, FactorFault> {
        let mut wanted = AuthenticationOptions::default();
        wanted.timeout = TIMEOUT;
        wanted.user_verification = self.user_verification;
        let (challenge, state) = self
            .library
            .start_passkey_authentication(&[], wanted)
            .map_err(not_made)?;
        let mut options = serde_json::to_value(&challenge).map_err(not_made)?;
        options["allowCredentials"] = descriptors(allowed.unwrap_or_default());
        ceremony(options, Kind::SignIn, &state.challenge)
    }

    fn claimed(&self, credential: &Value) -> Result<ClaimedCredential, CredentialRefused> {
        let shown = Shown::<Assertion<'_>>::read(credential)?;
        Ok(ClaimedCredential {
            user: shown.user()?,
            id: shown.id,
        })
    }

    fn finish_sign_in(
        &self,
        state: &CeremonyState,
        stored: &PasskeyCredential,
        credential: &Value,
    ) -> Result<VerifiedCredential, CredentialRefused> {
        Ok(self.signed_in(state, stored, credential)?)
    }

    fn authenticator_name(&self, aaguid: &Uuid) -> Option<&str> {
        models::name(aaguid)
    }
}

/// The library's types can be made from their serialized form only.
fn library_type<T: DeserializeOwned>(value: Value) -> Result<T, Refusal> {
    serde_json::from_value(value).map_err(|_| Refusal::Malformed)
}

fn descriptors(credentials: &[CredentialDescriptor]) -> Value {
    credentials
        .iter()
        .map(|credential| {
            json!({
                "type": "public-key",
                "id": encoded(credential.id.as_bytes()),
                "transports": credential.transports.names().collect::<Vec<_>>(),
            })
        })
        .collect()
}

fn ceremony(options: Value, kind: Kind, challenge: &[u8]) -> Result<Ceremony, FactorFault> {
    let state = state::of(kind, challenge)
        .ok_or_else(|| FactorFault::NotMade("the challenge is too long".into()))?;
    Ok(Ceremony { options, state })
}

fn flags(authenticator_data: &str) -> Result<u8, Refusal> {
    let data = decoded(authenticator_data)?;
    data.get(FLAGS).copied().ok_or(Refusal::Malformed)
}

fn not_made(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> FactorFault {
    FactorFault::NotMade(error.into())
}
