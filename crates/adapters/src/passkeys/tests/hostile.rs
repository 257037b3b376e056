//! What no authenticator writes. Nothing panics, nothing is accepted, and no length that is only said is allocated.

use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;

fn decoded(credential: &Value, member: &str) -> Vec<u8> {
    let text = credential["response"][member].as_str().unwrap();
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn with_bytes(credential: &Value, member: &str, bytes: &[u8]) -> Value {
    with(credential, member, URL_SAFE_NO_PAD.encode(bytes))
}

/// Items of CBOR that promise more than they have, or hide it deep.
fn hostile_items() -> Vec<(&'static str, Vec<u8>)> {
    let huge = |first: u8| [&[first][..], &[0xff; 8]].concat();
    vec![
        ("nothing", vec![]),
        ("2^64 - 1 bytes", huge(0x5b)),
        ("a text of 2^64 - 1 bytes", huge(0x7b)),
        ("an array of 2^64 - 1 items", huge(0x9b)),
        ("a map of 2^64 - 1 entries", huge(0xbb)),
        ("2 GiB of bytes", vec![0x5a, 0x7f, 0xff, 0xff, 0xff, 0]),
        ("nested arrays", vec![0x81; 40_000]),
        ("nested maps", [0xa1, 0x61, b'a'].repeat(13_000)),
        ("nested tags", vec![0xc1; 40_000]),
        ("nested arrays without length", vec![0x9f; 40_000]),
        (
            "pieces without end",
            [&[0x5f][..], &[0x41, 0].repeat(10_000)].concat(),
        ),
        ("nested pieces", vec![0x5f; 40_000]),
        ("a break alone", vec![0xff]),
        ("a reserved head", vec![0x1c]),
        ("a text that is not UTF-8", vec![0x61, 0xff]),
        ("a number", vec![0x18, 0x2a]),
        ("null", vec![0xf6]),
        ("an empty map", vec![0xa0]),
        ("a big number", vec![0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

fn text(value: &str) -> Vec<u8> {
    let length = u8::try_from(value.len()).unwrap();
    [&[0x60 | length][..], value.as_bytes()].concat()
}

#[test]
fn hostile_cbor_in_an_attestation_object() {
    let registration = Registration::new();
    let whole = decoded(&registration.credential, "attestationObject");
    for (what, item) in hostile_items() {
        let data = [&[0xa1][..], &text("authData"), &item].concat();
        let statement = [
            &[0xa2][..],
            &text("attStmt"),
            &item,
            &text("authData"),
            &[0x40],
        ]
        .concat();
        let behind = [&whole[..], &item].concat();
        for (place, object) in [
            ("as the object", &item),
            ("as the data", &data),
            ("as the statement", &statement),
            ("behind the object", &behind),
        ] {
            if place == "behind the object" && what == "nothing" {
                continue;
            }
            let credential = with_bytes(&registration.credential, "attestationObject", object);
            let refused = registration.verify(&credential);
            assert_eq!(reason(refused), Refusal::Malformed, "{what} {place}");
        }
    }
}

/// Where the key is, which the library reads.
#[test]
fn hostile_cbor_as_a_key_and_as_extensions() {
    let registration = Registration::new();
    let whole = decoded(&registration.credential, "attestationObject");
    // The data is the last entry, with a head of two bytes; its key begins after 37 + 16 + 2 + 32 bytes.
    let at = whole.len() - 164;
    let (data, key) = whole[at..].split_at(37 + 16 + 2 + 32);
    let object = |data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&whole[..at - 2], &[0x5a], &length, data].concat()
    };
    let sound = with_bytes(
        &registration.credential,
        "attestationObject",
        &object(&whole[at..]),
    );
    assert!(registration.verify(&sound).is_ok());
    let mut extended = data.to_vec();
    extended[32] |= 0x80;
    for (what, item) in hostile_items() {
        let as_key = [data, &item].concat();
        let as_extensions = [&extended[..], key, &item].concat();
        let unannounced = [data, key, &item].concat();
        for (place, data) in [
            ("as the key", as_key),
            ("as extensions", as_extensions),
            ("as extensions without their flag", unannounced),
        ] {
            // Nothing where nothing is announced, and an empty map where one is, is as it should be.
            let is_sound = match place {
                "as extensions" => what == "an empty map",
                "as extensions without their flag" => what == "nothing",
                _ => false,
            };
            let credential = with_bytes(
                &registration.credential,
                "attestationObject",
                &object(&data),
            );
            assert_eq!(
                registration.verify(&credential).is_ok(),
                is_sound,
                "{what} {place}"
            );
        }
    }
}

#[test]
fn whatever_is_cut_off() {
    let registration = Registration::new();
    let sign_in = SignIn::new();
    let assertion = sign_in.credential();
    for member in ["attestationObject", "clientDataJSON"] {
        let whole = decoded(&registration.credential, member);
        for length in 0..whole.len() {
            let credential = with_bytes(&registration.credential, member, &whole[..length]);
            assert!(
                registration.verify(&credential).is_err(),
                "{member} {length}"
            );
        }
    }
    for member in ["authenticatorData", "clientDataJSON", "signature"] {
        let whole = decoded(&assertion, member);
        for length in 0..whole.len() {
            let credential = with_bytes(&assertion, member, &whole[..length]);
            assert!(sign_in.verify(&credential).is_err(), "{member} {length}");
        }
        let longer = with_bytes(&assertion, member, &[&whole[..], &[0]].concat());
        assert!(sign_in.verify(&longer).is_err(), "{member}");
    }
}

#[test]
fn no_byte_of_an_assertion_can_be_changed() {
    let sign_in = SignIn::new();
    let assertion = sign_in.credential();
    for member in ["authenticatorData", "clientDataJSON", "signature"] {
        let whole = decoded(&assertion, member);
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            let credential = with_bytes(&assertion, member, &changed);
            assert!(sign_in.verify(&credential).is_err(), "{member} {place}");
        }
    }
}

#[test]
fn whatever_is_too_long() {
    let registration = Registration::new();
    let sign_in = SignIn::new();
    let long = "A".repeat(64 << 10);
    for member in ["attestationObject", "clientDataJSON"] {
        let credential = with(&registration.credential, member, long.as_str());
        assert_eq!(reason(registration.verify(&credential)), Refusal::TooLong);
    }
    for member in [
        "authenticatorData",
        "clientDataJSON",
        "signature",
        "userHandle",
    ] {
        let credential = with(&sign_in.credential(), member, long.as_str());
        assert_eq!(reason(sign_in.verify(&credential)), Refusal::TooLong);
        let refused = sign_in.ceremonies.claimed(&credential);
        assert_eq!(reason(refused), Refusal::TooLong);
    }
}

#[test]
fn text_that_is_not_canonical_base64url() {
    let registration = Registration::new();
    let sign_in = SignIn::new();
    let assertion = sign_in.credential();
    let spoilt = |credential: &Value, member: &str| {
        let text = credential["response"][member].as_str().unwrap().to_owned();
        [
            format!("{text}="),
            format!("{text}=="),
            format!("{text}\n"),
            format!(" {text}"),
            format!("+/{text}"),
            format!("{text}é"),
        ]
        .map(|text| with(credential, member, text))
    };
    for member in ["attestationObject", "clientDataJSON"] {
        for credential in spoilt(&registration.credential, member) {
            assert_eq!(reason(registration.verify(&credential)), Refusal::Malformed);
        }
    }
    for member in ["authenticatorData", "clientDataJSON", "signature"] {
        for credential in spoilt(&assertion, member) {
            assert_eq!(reason(sign_in.verify(&credential)), Refusal::Malformed);
        }
    }
    // The last of 32 bytes leaves four bits of a character over.
    let mut credential = assertion;
    let id = credential["id"].as_str().unwrap();
    let loose = format!("{}{}", &id[..42], if id.ends_with('B') { 'C' } else { 'B' });
    credential["id"] = json!(loose);
    credential["rawId"] = json!(loose);
    assert_eq!(reason(sign_in.verify(&credential)), Refusal::Malformed);
}

#[test]
fn json_of_another_form() {
    let registration = Registration::new();
    let sign_in = SignIn::new();
    let assertion = sign_in.credential();
    let forms = [
        json!(null),
        json!([]),
        json!({}),
        json!(1),
        json!("a text"),
        json!(true),
    ];
    for form in &forms {
        assert_eq!(reason(registration.verify(form)), Refusal::Malformed);
        assert_eq!(reason(sign_in.verify(form)), Refusal::Malformed);
        assert_eq!(reason(sign_in.ceremonies.claimed(form)), Refusal::Malformed);
        for member in ["id", "rawId", "type", "response"] {
            let mut changed = registration.credential.clone();
            changed[member] = form.clone();
            assert_eq!(reason(registration.verify(&changed)), Refusal::Malformed);
            let mut changed = assertion.clone();
            changed[member] = form.clone();
            assert_eq!(reason(sign_in.verify(&changed)), Refusal::Malformed);
        }
        for member in ["attestationObject", "clientDataJSON"] {
            let changed = with(&registration.credential, member, form.clone());
            assert_eq!(reason(registration.verify(&changed)), Refusal::Malformed);
        }
        for member in ["authenticatorData", "clientDataJSON", "signature"] {
            let changed = with(&assertion, member, form.clone());
            assert_eq!(reason(sign_in.verify(&changed)), Refusal::Malformed);
        }
    }
    // In the client data, too.
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "{\"type\":1}",
        "\u{feff}{}",
        "{\"type\":\"webauthn.get\"}",
        "[[[[",
    ] {
        let changed = with_bytes(&assertion, "clientDataJSON", text.as_bytes());
        assert_eq!(
            reason(sign_in.verify(&changed)),
            Refusal::Malformed,
            "{text}"
        );
    }
    let deep = with_bytes(&assertion, "clientDataJSON", "[".repeat(40_000).as_bytes());
    assert_eq!(reason(sign_in.verify(&deep)), Refusal::Malformed);
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400), place in 0_usize..5) {
        let (member, is_registration) = [
            ("attestationObject", true),
            ("clientDataJSON", true),
            ("authenticatorData", false),
            ("clientDataJSON", false),
            ("signature", false),
        ][place];
        if is_registration {
            let registration = Registration::new();
            let credential = with_bytes(&registration.credential, member, &bytes);
            prop_assert!(registration.verify(&credential).is_err());
        } else {
            let sign_in = SignIn::new();
            let credential = with_bytes(&sign_in.credential(), member, &bytes);
            prop_assert!(sign_in.verify(&credential).is_err());
        }
    }
}
