use super::*;
use revolve_domain::model::{CredentialDescriptor, CredentialId, Transports};

fn descriptor() -> CredentialDescriptor {
    CredentialDescriptor {
        id: CredentialId::from_bytes(vec![1, 2, 3]).unwrap(),
        transports: Transports::named(["usb", "nfc"]),
    }
}

#[test]
fn a_registration_asks_for_a_discoverable_credential_and_no_attestation() {
    let owner = PasskeyOwner {
        user: USER,
        name: "ann@example.org",
        display_name: "Ann",
        exclude: &[descriptor()],
    };
    let mut begun = ceremonies().begin_registration(&owner).unwrap();
    let challenge = begun.options["challenge"].take();
    assert_eq!(challenge.as_str().unwrap().len(), 43, "32 bytes");
    assert_eq!(
        begun.options,
        json!({
            "rp": { "id": "example.org", "name": "Example" },
            "user": { "id": "ABEiM0RVZneImaq7zN3u_w", "name": "ann@example.org", "displayName": "Ann" },
            "challenge": null,
            "pubKeyCredParams": [
                { "type": "public-key", "alg": -7 },
                { "type": "public-key", "alg": -8 },
                { "type": "public-key", "alg": -257 },
            ],
            "timeout": 300_000,
            "attestation": "none",
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": true,
                "userVerification": "required",
            },
            "excludeCredentials": [
                { "type": "public-key", "id": "AQID", "transports": ["nfc", "usb"] },
            ],
        })
    );
    let again = ceremonies().begin_registration(&owner).unwrap();
    assert_ne!(again.options["challenge"], challenge);
}

#[test]
fn a_sign_in_allows_the_passkeys_of_an_account_or_any() {
    for (allowed, expected) in [
        (None, json!([])),
        (
            Some([descriptor()]),
            json!([{ "type": "public-key", "id": "AQID", "transports": ["nfc", "usb"] }]),
        ),
    ] {
        let allowed = allowed.as_ref().map(<[_; 1]>::as_slice);
        let mut begun = ceremonies().begin_sign_in(allowed).unwrap();
        let challenge = begun.options["challenge"].take();
        assert_eq!(challenge.as_str().unwrap().len(), 43, "32 bytes");
        assert_eq!(
            begun.options,
            json!({
                "challenge": null,
                "timeout": 300_000,
                "rpId": "example.org",
                "allowCredentials": expected,
                "userVerification": "required",
            })
        );
    }
}

#[test]
fn a_state_is_little_more_than_its_challenge_and_is_not_shown() {
    let begun = begin_registration(&ceremonies());
    assert_eq!(begun.state.as_bytes().len(), 33);
    assert!(!format!("{:?}", begun.state).contains("33,"));
}
