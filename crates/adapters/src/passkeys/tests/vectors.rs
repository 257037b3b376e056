//! The test vectors of WebAuthn Level 3 §16: all credentials, of all attestation formats and algorithms that it has. Their values follow from seeds
//! and rules that the section gives; they were computed by these, and eleven were compared with the published ones (all but ES384, ES512, Ed448 and
//! `tpm`).
//!
//! The service takes those that its policy allows: a verified user, no frame of another site, ES256, EdDSA or RS256. Where a vector has no verified
//! user, ceremonies without that demand verify the rest of it.

use super::{super::state, *};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use state::Kind;
use uuid::Uuid;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    rp_id: String,
    origin: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    registration: Created,
    authentication: Shown,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    challenge: String,
    credential_id: String,
    aaguid: String,
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    challenge: String,
    authenticator_data: String,
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    signature: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

fn base64url(hex: &str) -> String {
    URL_SAFE_NO_PAD.encode(bytes(hex))
}

impl Vector {
    fn register(
        &self,
        ceremonies: &PasskiCeremonies,
    ) -> Result<PasskeyCredential, CredentialRefused> {
        let Created {
            challenge,
            credential_id,
            client_data,
            attestation_object,
            ..
        } = &self.registration;
        let id = base64url(credential_id);
        let credential = json!({
            "id": id, "rawId": id, "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data),
                "attestationObject": base64url(attestation_object),
            },
        });
        let begun = state::of(Kind::Registration, &bytes(challenge)).unwrap();
        ceremonies.finish_registration(&begun, &credential)
    }

    fn sign_in(
        &self,
        ceremonies: &PasskiCeremonies,
        stored: &PasskeyCredential,
    ) -> Result<VerifiedCredential, CredentialRefused> {
        let Shown {
            challenge,
            authenticator_data,
            client_data,
            signature,
        } = &self.authentication;
        let id = base64url(&self.registration.credential_id);
        let credential = json!({
            "id": id, "rawId": id, "type": "public-key",
            "response": {
                "clientDataJSON": base64url(client_data),
                "authenticatorData": base64url(authenticator_data),
                "signature": base64url(signature),
            },
        });
        let begun = state::of(Kind::SignIn, &bytes(challenge)).unwrap();
        ceremonies.finish_sign_in(&begun, stored, &credential)
    }

    /// Why the service takes no such credential, whoever verified its user.
    fn refusal(&self) -> Option<Refusal> {
        match self.name.as_str() {
            "none.ES256.crossOrigin" | "none.ES256.topOrigin" => Some(Refusal::CrossOrigin),
            "packed.ES384" | "packed.ES512" | "packed.Ed448" => Some(Refusal::Algorithm),
            _ => None,
        }
    }

    /// The flags of both ceremonies.
    fn flags(&self, rp_id: &str) -> [u8; 2] {
        let hash = Sha256::digest(rp_id);
        let object = bytes(&self.registration.attestation_object);
        let starts = object.windows(32).rposition(|part| part == &hash[..]);
        let shown = bytes(&self.authentication.authenticator_data);
        [object[starts.unwrap() + 32], shown[32]]
    }
}

#[test]
fn every_vector_is_accepted_or_refused_as_the_policy_has_it() {
    let document: Document = serde_json::from_str(include_str!("vectors.json")).unwrap();
    assert_eq!(document.vectors.len(), 15);
    let party = RelyingParty {
        id: document.rp_id.clone(),
        name: "W3C".to_owned(),
        origins: vec![document.origin],
    };
    let strict = PasskiCeremonies::new(&party);
    let lax = PasskiCeremonies::new(&party).unverified();
    for vector in &document.vectors {
        let name = &vector.name;
        if let Some(refusal) = vector.refusal() {
            assert_eq!(reason(vector.register(&lax)), refusal, "{name}");
            assert!(vector.register(&strict).is_err(), "{name}");
            continue;
        }
        let stored = vector.register(&lax).unwrap();
        let id = bytes(&vector.registration.credential_id);
        assert_eq!(stored.id.as_bytes(), id, "{name}");
        let aaguid = Uuid::from_slice(&bytes(&vector.registration.aaguid)).unwrap();
        assert_eq!(stored.aaguid, aaguid, "{name}");
        let [created, shown] = vector.flags(&document.rp_id);
        assert_eq!(stored.backup_eligible, created & 0x08 != 0, "{name}");
        assert_eq!(stored.backed_up, created & 0x10 != 0, "{name}");
        let verified = vector.sign_in(&lax, &stored).unwrap();
        assert_eq!(verified.backed_up, shown & 0x10 != 0, "{name}");
        // The same with the demand for a verified user, which the flags meet or not.
        if created & 0x04 == 0 {
            let refused = vector.register(&strict);
            assert_eq!(reason(refused), Refusal::UserVerification, "{name}");
        } else {
            assert_eq!(vector.register(&strict).unwrap(), stored, "{name}");
        }
        if shown & 0x04 == 0 {
            let refused = vector.sign_in(&strict, &stored);
            assert_eq!(reason(refused), Refusal::UserVerification, "{name}");
        } else {
            let accepted = vector.sign_in(&strict, &stored).unwrap();
            assert_eq!(accepted, verified, "{name}");
        }
    }
}
