//! What an authenticator or a browser did wrong.

use super::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_domain::model::CredentialId;

#[test]
fn another_origin() {
    for origin in [
        "https://accounts.example.org/",
        "https://accounts.example.org:443",
        "http://accounts.example.org",
        "https://example.org",
        "https://deep.accounts.example.org",
        "https://ACCOUNTS.example.org",
        "https://accounts.example.org.evil.example",
        "android:apk-key-hash:sha256-other",
        "null",
        "",
    ] {
        let registration = Registration::with(&mut VirtualAuthenticator::default(), origin);
        let refused = registration.verify(&registration.credential);
        assert_eq!(reason(refused), Refusal::Origin, "{origin}");

        let sign_in = SignIn::new();
        let credential = sign_in.authenticator.get(&sign_in.options, origin).unwrap();
        assert_eq!(reason(sign_in.verify(&credential)), Refusal::Origin);
    }
}

#[test]
fn a_frame_of_another_site() {
    let mut framed = VirtualAuthenticator::with(|new| new.cross_origin = true);
    let registration = Registration::with(&mut framed, ORIGIN);
    let refused = registration.verify(&registration.credential);
    assert_eq!(reason(refused), Refusal::CrossOrigin);

    let mut sign_in = SignIn::new();
    sign_in.authenticator.cross_origin = true;
    let refused = sign_in.verify(&sign_in.credential());
    assert_eq!(reason(refused), Refusal::CrossOrigin);
}

#[test]
fn another_challenge_also_one_of_another_ceremony() {
    let registration = Registration::new();
    let other = begin_registration(&registration.ceremonies);
    let refused = registration
        .ceremonies
        .finish_registration(&other.state, &registration.credential);
    assert_eq!(reason(refused), Refusal::Challenge);

    let mut sign_in = SignIn::new();
    let credential = sign_in.credential();
    sign_in.state = sign_in.ceremonies.begin_sign_in(None).unwrap().state;
    assert_eq!(reason(sign_in.verify(&credential)), Refusal::Challenge);
}

#[test]
fn another_relying_party() {
    let ceremonies = ceremonies();
    let mut begun = begin_registration(&ceremonies);
    begun.options["rp"]["id"] = json!("evil.example");
    let mut authenticator = VirtualAuthenticator::default();
    let credential = authenticator.create(&begun.options, ORIGIN);
    let refused = ceremonies.finish_registration(&begun.state, &credential);
    assert_eq!(reason(refused), Refusal::RelyingParty);

    let mut begun = ceremonies.begin_sign_in(None).unwrap();
    begun.options["rpId"] = json!("evil.example");
    let credential = authenticator.get(&begun.options, ORIGIN).unwrap();
    let sign_in = SignIn::new();
    let mut stored = sign_in.stored;
    stored.id = ceremonies.claimed(&credential).unwrap().id;
    let refused = ceremonies.finish_sign_in(&begun.state, &stored, &credential);
    assert_eq!(reason(refused), Refusal::RelyingParty);
}

#[test]
fn a_user_who_is_absent_or_was_not_verified() {
    for (user_present, user_verified) in [(true, false), (false, true), (false, false)] {
        let mut alone = VirtualAuthenticator::with(|new| {
            new.user_present = user_present;
            new.user_verified = user_verified;
        });
        let registration = Registration::with(&mut alone, ORIGIN);
        let refused = registration.verify(&registration.credential);
        assert_eq!(reason(refused), Refusal::UserVerification);

        let mut sign_in = SignIn::new();
        sign_in.authenticator.user_present = user_present;
        sign_in.authenticator.user_verified = user_verified;
        let refused = sign_in.verify(&sign_in.credential());
        assert_eq!(reason(refused), Refusal::UserVerification);
    }
}

#[test]
fn the_passkey_of_another_account() {
    let mut sign_in = SignIn::new();
    let other = SignIn::new();
    let foreign = other.authenticator.get(&sign_in.options, ORIGIN).unwrap();
    assert_eq!(reason(sign_in.verify(&foreign)), Refusal::OtherCredential);
    // By its own key, but under the id of this one.
    let mut renamed = foreign;
    renamed["id"] = sign_in.credential()["id"].take();
    renamed["rawId"] = renamed["id"].clone();
    assert_eq!(reason(sign_in.verify(&renamed)), Refusal::Signature);
    // By the key of another algorithm.
    let credential = sign_in.credential();
    for algorithm in [-8, -257, -35, 0] {
        sign_in.stored.algorithm = algorithm;
        assert!(sign_in.verify(&credential).is_err(), "{algorithm}");
    }
}

#[test]
fn what_belongs_to_the_other_ceremony() {
    let sign_in = SignIn::new();
    let registration = begin_registration(&sign_in.ceremonies);
    let assertion = sign_in.credential();
    let refused =
        sign_in
            .ceremonies
            .finish_sign_in(&registration.state, &sign_in.stored, &assertion);
    assert_eq!(reason(refused), Refusal::OtherCeremony);
    let registration = Registration::new();
    let refused = registration
        .ceremonies
        .finish_registration(&sign_in.state, &registration.credential);
    assert_eq!(reason(refused), Refusal::OtherCeremony);
    for none in [vec![], vec![0; 33], vec![3; 33]] {
        let state = CeremonyState::from_bytes(none).unwrap();
        let refused = registration
            .ceremonies
            .finish_registration(&state, &registration.credential);
        assert_eq!(reason(refused), Refusal::OtherCeremony);
    }
    // Its client data says `webauthn.create`.
    let client_data = registration.credential["response"]["clientDataJSON"].clone();
    let crossed = with(&assertion, "clientDataJSON", client_data);
    assert_eq!(reason(sign_in.verify(&crossed)), Refusal::OtherCeremony);
}

#[test]
fn a_user_handle_that_is_none_of_ours() {
    let sign_in = SignIn::new();
    let credential = sign_in.credential();
    for handle in [
        "",
        "AQID",
        "ABEiM0RVZneImaq7zN3u_w==",
        "ABEiM0RVZneImaq7zN3u_wA",
        "*",
    ] {
        let shown = with(&credential, "userHandle", handle);
        let refused = sign_in.ceremonies.claimed(&shown);
        assert_eq!(reason(refused), Refusal::UserHandle, "{handle}");
        assert_eq!(reason(sign_in.verify(&shown)), Refusal::UserHandle);
    }
}

#[test]
fn ids_that_do_not_agree_or_are_too_long() {
    let registration = Registration::new();
    let sign_in = SignIn::new();
    let other = CredentialId::from_bytes(vec![7; 32]).unwrap();
    let other = URL_SAFE_NO_PAD.encode(other.as_bytes());
    for member in ["id", "rawId"] {
        let mut credential = registration.credential.clone();
        credential[member] = json!(other);
        assert_eq!(reason(registration.verify(&credential)), Refusal::Malformed);
    }
    let mut credential = registration.credential.clone();
    credential["id"] = json!(other);
    credential["rawId"] = json!(other);
    let refused = registration.verify(&credential);
    assert_eq!(reason(refused), Refusal::OtherCredential);
    for id in [String::new(), URL_SAFE_NO_PAD.encode([7; 1024])] {
        let mut credential = sign_in.credential();
        credential["id"] = json!(id);
        credential["rawId"] = json!(id);
        assert_eq!(reason(sign_in.verify(&credential)), Refusal::Malformed);
        let refused = sign_in.ceremonies.claimed(&credential);
        assert_eq!(reason(refused), Refusal::Malformed);
    }
}
