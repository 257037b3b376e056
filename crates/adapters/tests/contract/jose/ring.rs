//! Several keys at once: which one signs, and which ones verify.

use super::{claims, master};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_adapters::{
    jose::{Algorithm, CodecConfig, FileKeys, IdKey, JoseTokens, KeyVault, MasterKey},
    system::SystemEntropy,
};
use revolve_domain::{
    keys::{Active, KeyKind, Next, Phase, Retired, StoredKey},
    model::Timestamp,
    ports::{
        KeyFault, KeyMaker, KeyRing, KeySet, ReauthenticationClaims, TokenCodec, TokenRejected,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::{cmp::Ordering, sync::Arc, time::Duration};

pub(super) const T: Timestamp = Timestamp::from_seconds(1_000);
pub(super) const ACTIVE: Phase = Phase::Active(Active { since: T });
const NEXT: Phase = Phase::Next(Next {
    since: T,
    signs_from: T,
});
pub(super) const RETIRED: Phase = Phase::Retired(Retired { since: T, until: T });

pub(super) fn config() -> CodecConfig {
    CodecConfig {
        issuer: "https://accounts.example.org".to_owned(),
        audience: "services".to_owned(),
    }
}

pub(super) fn vault(master: &MasterKey) -> KeyVault {
    KeyVault::new(master, Arc::new(SystemEntropy), None).unwrap()
}

pub(super) fn ring(master: &MasterKey, keys: &[StoredKey]) -> JoseTokens {
    let tokens = JoseTokens::stored(config(), FileKeys::default(), master).unwrap();
    tokens.load(keys).unwrap();
    tokens
}

pub(super) fn key(vault: &KeyVault, kind: KeyKind, phase: Phase) -> StoredKey {
    let new = vault.make(kind).unwrap();
    StoredKey {
        id: new.id,
        kind,
        sealed: new.sealed,
        token_life: Duration::from_mins(15),
        created_at: T,
        phase,
    }
}

fn in_phase(key: &StoredKey, phase: Phase) -> StoredKey {
    StoredKey {
        phase,
        ..key.clone()
    }
}

fn header(token: &SecretString) -> Value {
    let head = token.expose_secret().split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap()
}

fn with_header(token: &SecretString, header: &Value) -> SecretString {
    let (_, rest) = token.expose_secret().split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string())).into()
}

#[test]
fn each_algorithm_signs_while_it_is_active_and_verifies_until_it_is_gone() {
    let (master, (id, refresh)) = (master(), claims());
    let vault = vault(&master);
    let mut keys: Vec<_> = Algorithm::ALL
        .iter()
        .map(|&algorithm| key(&vault, KeyKind::Id(algorithm), NEXT))
        .collect();
    let secrets = [
        key(&vault, KeyKind::Refresh, ACTIVE),
        key(&vault, KeyKind::Refresh, NEXT),
    ];
    let tokens = ring(&master, &[]);
    let mut signed = Vec::new();
    for active in 0..keys.len() {
        let phase = |i: usize| match i.cmp(&active) {
            Ordering::Less => RETIRED,
            Ordering::Equal => ACTIVE,
            Ordering::Greater => NEXT,
        };
        keys = keys
            .iter()
            .enumerate()
            .map(|(i, key)| in_phase(key, phase(i)))
            .collect();
        tokens.load(&[&keys[..], &secrets].concat()).unwrap();
        let token = tokens.sign_id(&id).unwrap();
        let expected = (
            Value::from(keys[active].kind.algorithm_name()),
            Value::from(keys[active].id.as_str()),
        );
        assert_eq!(
            (&header(&token)["alg"], &header(&token)["kid"]),
            (&expected.0, &expected.1)
        );
        signed.push(token);
        for token in &signed {
            assert!(tokens.verify_id(token, T).is_ok());
        }
        let set: Value = serde_json::from_str(&tokens.to_json()).unwrap();
        assert_eq!(
            set["keys"].as_array().unwrap().len(),
            keys.len(),
            "all of them are published"
        );
        assert_eq!(
            set["keys"][0]["kid"], expected.1,
            "the one that signs comes first"
        );
    }
    for gone in 0..keys.len() - 1 {
        tokens
            .load(&[&keys[gone + 1..], &secrets].concat())
            .unwrap();
        for (i, token) in signed.iter().enumerate() {
            assert_eq!(
                tokens.verify_id(token, T).is_ok(),
                i > gone,
                "{i} of {gone}"
            );
        }
        assert_eq!(
            tokens.verify_id(&signed[gone], T),
            Err(TokenRejected::UnknownKey)
        );
        assert!(!tokens.to_json().contains(keys[gone].id.as_str()));
    }
    assert!(
        tokens
            .verify_refresh(&tokens.sign_refresh(&refresh).unwrap())
            .is_ok()
    );
}

#[test]
fn a_refresh_secret_is_followed_without_refusing_what_it_signed() {
    let (master, (_, refresh)) = (master(), claims());
    let vault = vault(&master);
    let (one, two) = (
        key(&vault, KeyKind::Refresh, ACTIVE),
        key(&vault, KeyKind::Refresh, NEXT),
    );
    let tokens = ring(&master, &[one.clone(), two.clone()]);
    let old = tokens.sign_refresh(&refresh).unwrap();
    assert_eq!(
        old.expose_secret(),
        tokens.sign_refresh(&refresh).unwrap().expose_secret(),
        "the same while it is active"
    );
    tokens
        .load(&[in_phase(&one, RETIRED), in_phase(&two, ACTIVE)])
        .unwrap();
    let new = tokens.sign_refresh(&refresh).unwrap();
    assert_eq!(header(&new)["kid"], two.id.as_str());
    assert_eq!(
        (tokens.verify_refresh(&old), tokens.verify_refresh(&new)),
        (Ok(refresh), Ok(refresh))
    );
    tokens.load(&[in_phase(&two, ACTIVE)]).unwrap();
    assert_eq!(tokens.verify_refresh(&old), Err(TokenRejected::UnknownKey));
    assert_eq!(tokens.verify_refresh(&new), Ok(refresh));
}

#[test]
fn a_reauthentication_lives_and_dies_with_the_refresh_secret_and_no_published_key_verifies_it() {
    let (master, (id, refresh)) = (master(), claims());
    let claims = ReauthenticationClaims {
        user: id.user,
        session: id.session,
        epoch: id.epoch,
        issued_at: id.issued_at,
        expires_at: id.expires_at,
    };
    let vault = vault(&master);
    let (one, two) = (
        key(&vault, KeyKind::Refresh, ACTIVE),
        key(&vault, KeyKind::Refresh, NEXT),
    );
    let signing = key(&vault, KeyKind::Id(Algorithm::EdDsa), ACTIVE);
    let tokens = ring(&master, &[one.clone(), two.clone(), signing.clone()]);
    let token = tokens.sign_reauthentication(&claims).unwrap();
    let head = header(&token);
    assert_eq!(
        (&head["alg"], &head["typ"], &head["kid"]),
        (
            &"HS256".into(),
            &"reauthentication+jwt".into(),
            &one.id.as_str().into()
        )
    );
    assert!(!tokens.to_json().contains(one.id.as_str()));
    let mut as_id = head.clone();
    (as_id["alg"], as_id["typ"], as_id["kid"]) =
        ("EdDSA".into(), "JWT".into(), signing.id.as_str().into());
    let mut as_refresh = head;
    as_refresh["typ"] = "refresh+jwt".into();
    assert_eq!(
        tokens.verify_id(&with_header(&token, &as_id), T),
        Err(TokenRejected::Invalid)
    );
    assert_eq!(
        tokens.verify_refresh(&with_header(&token, &as_refresh)),
        Err(TokenRejected::Invalid)
    );
    assert!(
        tokens
            .verify_refresh(&tokens.sign_refresh(&refresh).unwrap())
            .is_ok()
    );

    tokens
        .load(&[in_phase(&one, RETIRED), in_phase(&two, ACTIVE)])
        .unwrap();
    assert_eq!(tokens.verify_reauthentication(&token, T), Ok(claims));
    tokens.load(&[in_phase(&two, ACTIVE)]).unwrap();
    assert_eq!(
        tokens.verify_reauthentication(&token, T),
        Err(TokenRejected::UnknownKey)
    );
    let other_issuer = CodecConfig {
        issuer: "https://elsewhere.example.org".to_owned(),
        ..config()
    };
    let elsewhere = JoseTokens::stored(other_issuer, FileKeys::default(), &master).unwrap();
    elsewhere.load(&[one, signing]).unwrap();
    assert_eq!(
        elsewhere.verify_reauthentication(&token, T),
        Err(TokenRejected::Invalid)
    );
}

#[test]
fn a_token_that_names_another_key_or_algorithm_is_refused() {
    let (master, (id, refresh)) = (master(), claims());
    let vault = vault(&master);
    let kinds = [
        KeyKind::Id(Algorithm::Rs256),
        KeyKind::Id(Algorithm::Ps256),
        KeyKind::Refresh,
    ];
    let keys: Vec<_> = kinds
        .iter()
        .zip([ACTIVE, RETIRED, ACTIVE])
        .map(|(&kind, phase)| key(&vault, kind, phase))
        .collect();
    let tokens = ring(&master, &keys);
    let (id_token, refresh_token) = (
        tokens.sign_id(&id).unwrap(),
        tokens.sign_refresh(&refresh).unwrap(),
    );
    for (token, check) in [(&id_token, true), (&refresh_token, false)] {
        let good = header(token);
        let refused = |member: &str, value: &str| {
            let mut bad = good.clone();
            bad[member] = value.into();
            let bad = with_header(token, &bad);
            let rejected = if check {
                tokens.verify_id(&bad, T).unwrap_err()
            } else {
                tokens.verify_refresh(&bad).unwrap_err()
            };
            (rejected, format!("{member} {value}"))
        };
        for other in &keys {
            if good["kid"] != other.id.as_str() {
                let mut bad = good.clone();
                (bad["kid"], bad["alg"]) =
                    (other.id.as_str().into(), other.kind.algorithm_name().into());
                let bad = with_header(token, &bad);
                let accepted = if check {
                    tokens.verify_id(&bad, T).is_ok()
                } else {
                    tokens.verify_refresh(&bad).is_ok()
                };
                assert!(!accepted, "the other key's header on this key's signature");
            }
        }
        for (member, value) in [
            ("alg", "none"),
            ("alg", "HS256"),
            ("alg", "PS256"),
            ("alg", "RS512"),
            ("kid", "unknown"),
        ] {
            if good[member] != value {
                let (rejected, what) = refused(member, value);
                assert_eq!(
                    rejected,
                    TokenRejected::UnknownKey,
                    "{what}: plausible, and worth no more than a look"
                );
            }
        }
        for (member, value) in [
            ("kid", "../../etc"),
            ("kid", ""),
            ("typ", "at+jwt"),
            ("jku", "https://evil.example"),
        ] {
            assert_eq!(
                refused(member, value).0,
                TokenRejected::Invalid,
                "{member} {value}"
            );
        }
    }
}

#[test]
fn a_file_signs_in_place_of_the_stored_key_and_others_verify() {
    let (master, (id, _)) = (master(), claims());
    let stored = key(&vault(&master), KeyKind::Id(Algorithm::EdDsa), ACTIVE);
    let from_store = ring(&master, std::slice::from_ref(&stored))
        .sign_id(&id)
        .unwrap();
    let (pem, old) = (
        IdKey::generate(Algorithm::Es256).unwrap(),
        IdKey::generate(Algorithm::Rs256).unwrap(),
    );
    let from_old = JoseTokens::new(
        config(),
        IdKey::from_pem(Algorithm::Rs256, &old).unwrap(),
        &master,
    )
    .unwrap()
    .sign_id(&id)
    .unwrap();

    let others = vec![IdKey::verifying(None, old.expose_secret()).unwrap()];
    let files = FileKeys {
        signing: Some(IdKey::from_pem(Algorithm::Es256, &pem).unwrap()),
        others,
    };
    let tokens = JoseTokens::stored(config(), files, &master).unwrap();
    tokens.load(&[stored]).unwrap();
    let from_file = tokens.sign_id(&id).unwrap();
    assert_eq!(header(&from_file)["alg"], "ES256");
    for token in [&from_store, &from_old, &from_file] {
        assert!(tokens.verify_id(token, T).is_ok(), "{}", header(token));
    }
}

#[test]
fn one_key_with_two_algorithms_is_refused() {
    let (master, pem) = (master(), IdKey::generate(Algorithm::Rs256).unwrap());
    let others = vec![IdKey::verifying(Some(Algorithm::Ps256), pem.expose_secret()).unwrap()];
    let files = FileKeys {
        signing: Some(IdKey::from_pem(Algorithm::Rs256, &pem).unwrap()),
        others,
    };
    assert!(matches!(
        JoseTokens::stored(config(), files, &master),
        Err(KeyFault::TwoAlgorithms(_))
    ));
}

#[test]
fn a_key_file_under_the_other_name_of_ed25519_keeps_its_tokens_valid() {
    let (master, pem) = (master(), IdKey::generate(Algorithm::Ed25519).unwrap());
    let signed_as = |algorithm| {
        let key = IdKey::from_pem(algorithm, &pem).unwrap();
        JoseTokens::new(config(), key, &master).unwrap()
    };
    let (older, newer) = (signed_as(Algorithm::EdDsa), signed_as(Algorithm::Ed25519));
    for (before, after, name) in [(&older, &newer, "EdDSA"), (&newer, &older, "Ed25519")] {
        let token = before.sign_id(&claims().0).unwrap();
        assert_eq!(header(&token)["alg"], name);
        let set: Value = serde_json::from_str(&before.to_json()).unwrap();
        assert_eq!(set["keys"][0]["alg"], name);
        assert!(before.verify_id(&token, T).is_ok());
        assert!(after.verify_id(&token, T).is_ok());
    }
}

#[test]
fn one_key_under_both_names_of_ed25519_is_published_once_as_it_signs() {
    let (master, pem) = (master(), IdKey::generate(Algorithm::EdDsa).unwrap());
    for (signs, other) in [
        (Algorithm::EdDsa, Algorithm::Ed25519),
        (Algorithm::Ed25519, Algorithm::EdDsa),
    ] {
        let files = FileKeys {
            signing: Some(IdKey::from_pem(signs, &pem).unwrap()),
            others: vec![IdKey::verifying(Some(other), pem.expose_secret()).unwrap()],
        };
        let tokens = JoseTokens::stored(config(), files, &master).unwrap();
        let set: Value = serde_json::from_str(&tokens.to_json()).unwrap();
        assert_eq!(set["keys"].as_array().unwrap().len(), 1);
        assert_eq!(set["keys"][0]["alg"], signs.name());
        let token = tokens.sign_id(&claims().0).unwrap();
        assert_eq!(header(&token)["alg"], signs.name());
        assert!(tokens.verify_id(&token, T).is_ok());
    }
}

#[test]
fn nothing_is_signed_before_there_is_a_key() {
    let (tokens, (id, refresh)) = (ring(&master(), &[]), claims());
    assert!(tokens.sign_id(&id).is_err() && tokens.sign_refresh(&refresh).is_err());
    assert!(
        tokens
            .sign_statement("statement+jwt", &serde_json::json!({}))
            .is_err()
    );
}

#[test]
fn a_statement_is_no_id_token() {
    let (master, (id, _)) = (master(), claims());
    let tokens = ring(
        &master,
        &[key(&vault(&master), KeyKind::Id(Algorithm::EdDsa), ACTIVE)],
    );
    let statement = tokens
        .sign_statement(
            "statement+jwt",
            &serde_json::json!({ "iss": "https://accounts.example.org" }),
        )
        .unwrap();
    let (ours, theirs) = (header(&statement), header(&tokens.sign_id(&id).unwrap()));
    assert_eq!(
        (&ours["kid"], ours["typ"].as_str()),
        (&theirs["kid"], Some("statement+jwt"))
    );
    assert_eq!(tokens.verify_id(&statement, T), Err(TokenRejected::Invalid));
}
