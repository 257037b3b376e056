//! The table against `revolve-verify`.

use super::AttackTarget;
use crate::support::{ISSUER, NOW, SESSION, TestKey, USER, b64, claims, verifier};
use aws_lc_rs::hmac;
use revolve_verify::Algorithm;
use serde_json::json;

/// A refresh token as the service makes them.
fn refresh() -> String {
    let header = json!({ "alg": "HS256", "kid": "AAAAAAAAAAAA", "typ": "refresh+jwt" });
    let claims = json!({ "iss": ISSUER, "uid": USER, "sid": SESSION, "gen": 1, "jti": SESSION, "iat": NOW, "exp": NOW + 9000 });
    let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
    let mac = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
        message.as_bytes(),
    );
    format!("{message}.{}", b64(mac))
}

#[tokio::test]
async fn no_hostile_token_is_accepted() {
    let mut total = 0;
    for (index, algorithm) in Algorithm::ALL.into_iter().enumerate() {
        let (key, sibling) = (
            TestKey::of_issuer(algorithm),
            TestKey::of_issuer(Algorithm::ALL[(index + 2) % Algorithm::ALL.len()]),
        );
        let (verifier, _) = verifier(&[&key, &sibling]);
        let target = AttackTarget {
            key,
            sibling,
            claims: claims(),
            now: NOW,
            refresh: refresh(),
        };
        verifier
            .verify(&target.good())
            .await
            .expect("the token that the hostile ones are made of is good");
        let attacks = target.attacks();
        let mut accepted = Vec::new();
        for attack in &attacks {
            match verifier.verify(&attack.token).await {
                Ok(_) => accepted.push(&attack.name),
                Err(error) => assert!(!error.is_unavailable(), "{}: {error:?}", attack.name),
            }
            if verifier.verify_at_hand(&attack.token).is_ok() {
                accepted.push(&attack.name);
            }
        }
        println!(
            "{algorithm}: {} hostile tokens, {} accepted",
            attacks.len(),
            accepted.len()
        );
        assert!(accepted.is_empty(), "{algorithm}: {accepted:#?}");
        assert!(attacks.len() >= 200, "{} are too few", attacks.len());
        total += attacks.len();
    }
    println!("{total} hostile tokens against revolve-verify");
}
