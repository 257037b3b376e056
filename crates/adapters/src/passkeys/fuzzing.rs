//! What the fuzz target `passkeys` throws bytes at, behind the feature `fuzzing`.

use super::{
    PasskiCeremonies, RelyingParty,
    ceremonies::ALGORITHMS,
    response::{decoded, encoded},
    state::{self, Kind},
};
use revolve_domain::{
    model::{CredentialId, CredentialKey, PasskeyCredential, Transports},
    ports::{CeremonyState, PasskeyCeremonies},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The id of the passkey that the corpus signs in with, and its public key (`COSE_Key`).
const ID: [u8; 32] = [1; 32];
const KEY: &str = "pQECAyYgASFYINDrOlKfMqRbOT6cCK_4JsgwaSXM9Gr4wPixJ6TpIojqIlggAHiLXiFdyQk0JpjRzqGrCtaYYO7VdSWdY_0cwS2ra8w";

/// Client data of a registration and of a sign-in, with a challenge of 32 zero bytes.
const CREATED: &str = r#"{"type":"webauthn.create","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","origin":"https://accounts.example.org","crossOrigin":false}"#;
const SHOWN: &str = r#"{"type":"webauthn.get","challenge":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","origin":"https://accounts.example.org","crossOrigin":false}"#;

/// Whether a credential is accepted. The first byte says what the others are: `o` an attestation object, `c` the client data of a sign-in, `d` its
/// authenticator data; with any other all of them are the JSON of a registration or a sign-in.
///
/// # Panics
/// If something is accepted that must not be, or by chance.
pub fn passkeys(bytes: &[u8]) -> bool {
    let id = encoded(&ID);
    let credential = match bytes.split_first() {
        Some((b'o', object)) => json!({
            "id": id, "rawId": id, "type": "public-key",
            "response": { "clientDataJSON": encoded(CREATED.as_bytes()), "attestationObject": encoded(object) },
        }),
        Some((b'c', client_data)) => assertion(client_data, &[0; 37]),
        Some((b'd', data)) => assertion(SHOWN.as_bytes(), data),
        _ => match serde_json::from_slice(bytes) {
            Ok(credential) => credential,
            Err(_) => return false,
        },
    };
    registers(&credential) | signs_in(&credential)
}

fn assertion(client_data: &[u8], data: &[u8]) -> Value {
    let id = encoded(&ID);
    json!({
        "id": id, "rawId": id, "type": "public-key",
        "response": {
            "clientDataJSON": encoded(client_data),
            "authenticatorData": encoded(data),
            "signature": "AA",
        },
    })
}

fn ceremonies() -> PasskiCeremonies {
    PasskiCeremonies::new(&RelyingParty {
        id: "example.org".to_owned(),
        name: "Example".to_owned(),
        origins: vec!["https://accounts.example.org".to_owned()],
    })
}

fn begun(kind: Kind) -> CeremonyState {
    state::of(kind, &[0; 32]).expect("it is short")
}

fn registers(credential: &Value) -> bool {
    let finish = || ceremonies().finish_registration(&begun(Kind::Registration), credential);
    let Ok(registered) = finish() else {
        return false;
    };
    assert!(ALGORITHMS.contains(&registered.algorithm));
    assert!(registered.backup_eligible || !registered.backed_up);
    assert_eq!(finish().ok(), Some(registered), "the same each time");
    true
}

fn signs_in(credential: &Value) -> bool {
    let stored = PasskeyCredential {
        id: CredentialId::from_bytes(ID.to_vec()).expect("it is short"),
        key: CredentialKey::from_bytes(decoded(KEY).expect("it is base64url"))
            .expect("it is short"),
        algorithm: ALGORITHMS[0],
        aaguid: Uuid::nil(),
        counter: 0,
        backup_eligible: true,
        backed_up: true,
        transports: Transports::default(),
    };
    let claimed = ceremonies().claimed(credential);
    let finish = || ceremonies().finish_sign_in(&begun(Kind::SignIn), &stored, credential);
    let Ok(verified) = finish() else {
        return false;
    };
    assert!(claimed.is_ok_and(|claimed| claimed.id == stored.id));
    assert_eq!(finish().ok(), Some(verified), "the same each time");
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    #[test]
    fn the_corpus_is_judged_as_its_names_say() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../app/fuzz/corpus/passkeys");
        let mut seen = [false; 2];
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let accepted = passkeys(&fs::read(entry.path()).unwrap());
            // What a fuzzer has left here is named by its hash.
            let expected = name.starts_with("good");
            if expected || name.starts_with("bad") {
                assert_eq!(accepted, expected, "{name}");
                seen[usize::from(accepted)] = true;
            }
        }
        assert_eq!(seen, [true; 2], "credentials of both kinds");
    }
}
