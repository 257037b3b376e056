//! The key set: fetched once for all, kept through outages, never fetched more often for invented key ids.

use crate::support::{FakeIssuer, IssuerResponse, TestClock, TestKey, claims, config, key_set};
use futures_util::future::join_all;
use revolve_verify::{Algorithm, JwkSet, JwkSetError, Verifier, VerifierConfig, VerifyError};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::{advance, sleep};

fn start(config: &VerifierConfig, issuer: &FakeIssuer) -> Verifier {
    Verifier::start_with(config, Arc::new(issuer.clone()), Arc::new(TestClock::new())).unwrap()
}

/// Two keys of the issuer, and a token of each.
fn two() -> (Arc<TestKey>, Arc<TestKey>, String, String) {
    let (old, new) = (
        TestKey::of_issuer(Algorithm::Es256),
        TestKey::of_issuer(Algorithm::EdDsa),
    );
    let (with_old, with_new) = (old.token(&claims()), new.token(&claims()));
    (old, new, with_old, with_new)
}

#[tokio::test(start_paused = true)]
async fn many_tokens_at_once_cost_one_request() {
    let (old, _, token, _) = two();
    let issuer = FakeIssuer::new(IssuerResponse::ok(key_set(&[&old])));
    let verifier = start(&config(), &issuer);
    assert!(!verifier.is_ready());
    for outcome in join_all((0..100).map(|_| verifier.verify(&token))).await {
        outcome.unwrap();
    }
    assert_eq!(issuer.asked("jwks").len(), 1);
    assert!(verifier.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_found_at_once_and_invented_ones_cost_a_request_each_ten_seconds() {
    let (old, new, with_old, with_new) = two();
    let issuer = FakeIssuer::new(IssuerResponse::ok(key_set(&[&old])));
    let verifier = start(&config(), &issuer);
    verifier.verify(&with_old).await.unwrap();
    advance(Duration::from_secs(11)).await;
    issuer.set_keys(IssuerResponse::ok(key_set(&[&old, &new])));
    for outcome in join_all((0..10).map(|_| verifier.verify(&with_new))).await {
        outcome.unwrap();
    }
    let before = issuer.asked("jwks").len();
    let other = TestKey::generate(Algorithm::EdDsa).token(&claims());
    for _ in 0..100 {
        assert!(matches!(
            verifier.verify(&other).await,
            Err(VerifyError::UnknownKey)
        ));
        advance(Duration::from_millis(200)).await;
    }
    let asked = issuer.asked("jwks").len() - before;
    assert!((1..=3).contains(&asked), "{asked} requests in 20 s");
    verifier.verify(&with_old).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_goes_with_the_next_refresh() {
    let (old, new, with_old, with_new) = two();
    let issuer = FakeIssuer::new(IssuerResponse {
        max_age: Some(Duration::from_mins(1)),
        ..IssuerResponse::ok(key_set(&[&old, &new]))
    });
    let verifier = start(&config(), &issuer);
    verifier.verify(&with_old).await.unwrap();
    issuer.set_keys(IssuerResponse::ok(key_set(&[&new])));
    sleep(Duration::from_secs(61)).await;
    assert!(matches!(
        verifier.verify(&with_old).await,
        Err(VerifyError::UnknownKey)
    ));
    verifier.verify(&with_new).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn max_age_and_etag_are_respected() {
    let (old, _, token, _) = two();
    let response = IssuerResponse {
        max_age: Some(Duration::from_mins(10)),
        ..IssuerResponse::ok(key_set(&[&old]))
    }
    .tagged("\"1\"");
    let issuer = FakeIssuer::new(response);
    let verifier = start(&config(), &issuer);
    verifier.verify(&token).await.unwrap();
    sleep(Duration::from_secs(599)).await;
    let before = issuer.asked("jwks").len();
    sleep(Duration::from_secs(2)).await;
    let asked = issuer.asked("jwks");
    assert_eq!((before, asked.len()), (1, 2));
    assert_eq!(
        (asked[0].etag.as_deref(), asked[1].etag.as_deref()),
        (None, Some("\"1\""))
    );
    verifier.verify(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_outage_of_the_issuer_is_survived_for_a_day() {
    let (old, _, token, other) = two();
    let issuer = FakeIssuer::new(IssuerResponse::ok(key_set(&[&old])));
    let verifier = start(&config(), &issuer);
    verifier.verify(&token).await.unwrap();
    for broken in [
        IssuerResponse::down(),
        IssuerResponse {
            status: 500,
            ..IssuerResponse::default()
        },
        IssuerResponse::ok("{"),
        IssuerResponse::ok(r#"{"keys":[]}"#),
    ] {
        issuer.set_keys(broken);
        sleep(Duration::from_hours(5)).await;
        verifier.verify(&token).await.unwrap();
        // Whether the issuer has this key can't be known now, so the client keeps its token.
        assert!(matches!(
            verifier.verify(&other).await,
            Err(VerifyError::Unavailable(Some(_)))
        ));
    }
    sleep(Duration::from_hours(5)).await;
    assert!(verifier.verify(&token).await.unwrap_err().is_unavailable());
    issuer.set_keys(IssuerResponse::ok(key_set(&[&old])));
    sleep(Duration::from_secs(31)).await;
    verifier.verify(&token).await.unwrap();
    assert!(matches!(
        verifier.verify(&other).await,
        Err(VerifyError::UnknownKey)
    ));
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_is_not_up_yet_is_waited_for() {
    let (old, _, token, _) = two();
    let issuer = FakeIssuer::new(IssuerResponse::down());
    let verifier = start(&config(), &issuer);
    assert!(verifier.verify(&token).await.unwrap_err().is_unavailable());
    issuer.set_keys(IssuerResponse::ok(key_set(&[&old])));
    sleep(Duration::from_secs(2)).await;
    verifier.verify(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_tasks_end_with_the_last_clone() {
    let (old, ..) = two();
    let issuer = FakeIssuer::new(IssuerResponse::down());
    let verifier = start(&config(), &issuer);
    let clone = verifier.clone();
    sleep(Duration::from_mins(1)).await;
    drop(verifier);
    sleep(Duration::from_mins(1)).await;
    let asked = issuer.asked("jwks").len();
    drop(clone);
    issuer.set_keys(IssuerResponse::ok(key_set(&[&old])));
    sleep(Duration::from_hours(1)).await;
    assert_eq!(issuer.asked("jwks").len(), asked);
}

#[test]
fn only_public_keys_with_an_id_and_an_algorithm_are_used() {
    let key = TestKey::of_issuer(Algorithm::Rs256);
    let changed = |name: &str, value: serde_json::Value| {
        let mut jwk = key.jwk.clone();
        jwk[name] = value;
        json!({ "keys": [jwk] }).to_string()
    };
    let point = json!({ "kid": "k", "alg": "ES256", "kty": "EC", "crv": "P-256", "x": "A".repeat(43), "y": "A".repeat(43) });
    let bad = [
        changed("alg", json!("HS256")),
        changed("alg", json!("none")),
        changed("alg", json!("rs256")),
        changed("alg", json!("ES256")),
        changed("alg", json!(null)),
        changed("kid", json!("")),
        changed("kid", json!(1)),
        changed("kty", json!("oct")),
        changed("use", json!("enc")),
        changed("d", json!("AQAB")),
        changed("n", json!("AQAB")),
        changed("n", json!(format!("{}=", key.jwk["n"].as_str().unwrap()))),
        changed("e", json!("")),
        json!({ "keys": [point] }).to_string(),
        json!({ "keys": [{ "kid": "k", "alg": "HS256", "kty": "oct", "k": "c2VjcmV0" }] })
            .to_string(),
        json!({ "keys": [] }).to_string(),
    ];
    for bad in bad {
        assert!(
            matches!(JwkSet::from_json(bad.as_bytes()), Err(JwkSetError::Empty)),
            "{bad}"
        );
    }
    let twice = key_set(&[&key, &key]);
    assert!(matches!(
        JwkSet::from_json(twice.as_bytes()),
        Err(JwkSetError::Ambiguous)
    ));
    for malformed in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[1]}"#,
    ] {
        assert!(
            matches!(
                JwkSet::from_json(malformed.as_bytes()),
                Err(JwkSetError::Malformed(_))
            ),
            "{malformed}"
        );
    }
    let set = JwkSet::from_json(key_set(&[&key]).as_bytes()).unwrap();
    assert_eq!(
        (set.algorithm(&key.id), set.algorithm("x")),
        (Some(Algorithm::Rs256), None)
    );
}
