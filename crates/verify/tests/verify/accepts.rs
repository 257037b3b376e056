//! What is accepted, and what comes of it.

use crate::support::{AUDIENCE, NOW, SESSION, TestKey, USER, claims, verifier};
use revolve_verify::{Algorithm, JwkSet, JwkSetError, VerifyError};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_good_token_of_each_algorithm_gives_a_typed_user() {
    for algorithm in Algorithm::ALL {
        let key = TestKey::of_issuer(algorithm);
        let (verifier, _) = verifier(&[&key]);
        let found = verifier.verify(&key.token(&claims())).await.unwrap();
        assert_eq!(found.user.uid, Uuid::parse_str(USER).unwrap());
        assert_eq!(
            (
                found.user.email.as_str(),
                found.user.name.as_deref(),
                found.user.website
            ),
            ("ann@example.org", Some("Ann"), None)
        );
        assert_eq!(found.session, Uuid::parse_str(SESSION).unwrap());
        assert_eq!(
            (
                found.epoch,
                found.issued_at,
                found.expires_at,
                found.authenticated_at
            ),
            (0, NOW, NOW + 900, NOW)
        );
        assert_eq!(found.authenticated_by, ["pwd"]);
        assert_eq!(
            verifier
                .verify_at_hand(&key.token(&claims()))
                .unwrap()
                .session,
            found.session
        );
    }
}

#[tokio::test]
async fn several_keys_of_several_algorithms_serve_at_once() {
    let keys = Algorithm::ALL.map(TestKey::of_issuer);
    let (verifier, _) = verifier(&keys.each_ref().map(|key| &**key));
    for key in &keys {
        verifier.verify(&key.token(&claims())).await.unwrap();
    }
}

#[tokio::test]
async fn the_audience_may_be_one_of_several_and_other_claims_are_passed_over() {
    let key = TestKey::of_issuer(Algorithm::EdDsa);
    let (verifier, _) = verifier(&[&key]);
    let mut some = claims();
    some["aud"] = json!(["others", AUDIENCE]);
    some["nbf"] = json!(NOW);
    some["groups"] = json!({ "a": [1, 2, null] });
    some["user"]["phone"] = json!("1");
    verifier.verify(&key.token(&some)).await.unwrap();
}

#[tokio::test]
async fn what_operators_say_of_the_account_is_there_or_not() {
    let key = TestKey::of_issuer(Algorithm::EdDsa);
    let (verifier, _) = verifier(&[&key]);
    let bare = verifier.verify(&key.token(&claims())).await.unwrap();
    assert_eq!((bare.version, bare.email_verified), (0, false));
    assert!(bare.roles.is_empty() && bare.app.is_empty() && !bare.has_role("admin"));
    let mut full = claims();
    full["email"] = json!("ann@example.org");
    full["email_verified"] = json!(true);
    full["roles"] = json!(["admin", "billing:read"]);
    full["app"] = json!({ "plan": "pro", "limits": { "seats": 5 } });
    full["version"] = json!(17);
    let full = verifier.verify(&key.token(&full)).await.unwrap();
    assert_eq!((full.version, full.email_verified), (17, true));
    assert!(full.has_role("admin") && full.has_role("billing:read"));
    for other in ["", "Admin", "admi", "admin ", "billing"] {
        assert!(!full.has_role(other), "{other:?}");
    }
    assert_eq!(full.app["limits"]["seats"], 5);
}

#[tokio::test]
async fn a_token_says_how_its_user_signed_in_unless_an_earlier_release_issued_it() {
    let key = TestKey::of_issuer(Algorithm::EdDsa);
    let (verifier, _) = verifier(&[&key]);
    let methods = async |token: String| {
        let claims = verifier.verify(&token).await.unwrap();
        claims.authenticated_by
    };
    let mut some = claims();
    some["amr"] = json!(["otp", "pwd"]);
    assert_eq!(methods(key.token(&some)).await, ["otp", "pwd"]);
    // Names of later releases, registered (RFC 8176 §2) or not.
    let names = ["hwk", "mfa", "user", "x-later"];
    some["amr"] = json!(names);
    assert_eq!(methods(key.token(&some)).await, names);
    some.as_object_mut().unwrap().remove("amr");
    assert!(methods(key.token(&some)).await.is_empty());
}

#[tokio::test]
async fn a_key_for_ed25519_takes_both_names_of_its_algorithm() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
        let key = TestKey::of_issuer(algorithm);
        assert_eq!(key.jwk["alg"], algorithm.name());
        let (verifier, _) = verifier(&[&key]);
        for alg in ["EdDSA", "Ed25519"] {
            let header = json!({ "alg": alg, "kid": key.id, "typ": "JWT" });
            let token = key.token_of(header.to_string(), claims().to_string());
            verifier.verify(&token).await.unwrap();
        }
    }
}

#[test]
fn a_key_on_another_curve_is_not_used_under_either_name() {
    let key = TestKey::of_issuer(Algorithm::EdDsa);
    for (alg, curve) in [
        ("EdDSA", "Ed448"),
        ("Ed25519", "Ed448"),
        ("Ed25519", "X25519"),
        ("Ed448", "Ed448"),
        ("Ed448", "Ed25519"),
    ] {
        let mut jwk = key.jwk.clone();
        (jwk["alg"], jwk["crv"]) = (json!(alg), json!(curve));
        let set = json!({ "keys": [jwk] }).to_string();
        assert!(
            matches!(JwkSet::from_json(set.as_bytes()), Err(JwkSetError::Empty)),
            "{alg} on {curve}"
        );
    }
}

#[tokio::test]
async fn header_members_that_bring_a_key_are_never_read() {
    let key = TestKey::of_issuer(Algorithm::Es256);
    let (verifier, _) = verifier(&[&key]);
    let mut header = key.header("JWT");
    header["jku"] = json!(17);
    header["x5u"] = json!("https://keys.example.net");
    header["jwk"] = json!({ "kty": "oct" });
    header["x5c"] = json!([]);
    verifier
        .verify(&key.token_of(header.to_string(), claims().to_string()))
        .await
        .unwrap();
}

#[tokio::test]
async fn times_have_a_leeway_of_five_seconds() {
    let key = TestKey::of_issuer(Algorithm::EdDsa);
    let (verifier, clock) = verifier(&[&key]);
    let token = key.token(&claims());
    for (now, good) in [
        (NOW - 6, false),
        (NOW - 5, true),
        (NOW + 904, true),
        (NOW + 905, false),
    ] {
        clock.set(now);
        assert_eq!(verifier.verify(&token).await.is_ok(), good, "{now}");
    }
    assert!(matches!(
        verifier.verify(&token).await,
        Err(VerifyError::Expired)
    ));
}
