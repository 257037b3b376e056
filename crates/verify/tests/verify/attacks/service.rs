//! The table against a running service.

use super::AttackTarget;
use crate::support::{TestKey, with_service};
use futures_util::future::join_all;
use reqwest::header::HeaderValue;
use revolve_verify::Algorithm;

/// Times that the service takes on trust, since only its own key can have said them and its replicas' clocks may differ: an honest
/// client is not signed out for that. `exp` is not among them.
const TRUSTED: [&str; 4] = [
    "iat in a minute",
    "iat tomorrow",
    "iat before 1970",
    "auth_time before 1970",
];

fn no_hostile_token_is_accepted(algorithm: Algorithm) {
    with_service(algorithm, async |service| {
        let account = service.sign_up("ann@example.org").await;
        let (key, sibling) = (
            TestKey::of_issuer(algorithm),
            TestKey::of_issuer(if algorithm == Algorithm::Es256 {
                Algorithm::Rs256
            } else {
                Algorithm::Es256
            }),
        );
        let now = account.claims["iat"].as_u64().unwrap();
        let target = AttackTarget {
            key,
            sibling,
            claims: account.claims,
            now,
            refresh: account.refresh,
        };
        assert_eq!(
            service.me(&target.good()).await,
            Some(200),
            "the token that the hostile ones are made of is good"
        );
        // Fields lose white space at their ends on the way, and line breaks end them.
        let expressible =
            |token: &str| HeaderValue::from_str(token).is_ok() && token.trim() == token;
        let mut attacks = target.attacks();
        attacks.retain(|attack| {
            expressible(&attack.token) && !TRUSTED.contains(&attack.name.as_str())
        });
        let (mut answered, mut accepted) = (0, Vec::new());
        // Several at once: before the service refuses a key that it does not know, it waits to look for it.
        for some in attacks.chunks(20) {
            let statuses = join_all(some.iter().map(|attack| service.me(&attack.token))).await;
            let answers = some.iter().zip(statuses);
            for (attack, status) in answers.filter_map(|(at, status)| Some((at, status?))) {
                answered += 1;
                assert!(status < 500, "{}: {status}", attack.name);
                if status < 400 {
                    accepted.push(&attack.name);
                }
            }
        }
        println!(
            "{algorithm}: {} hostile tokens sent to the service, {answered} answered, {} accepted",
            attacks.len(),
            accepted.len()
        );
        assert!(accepted.is_empty(), "{algorithm}: {accepted:#?}");
        assert!(answered >= 200, "{answered} are too few");
        assert_eq!(service.me(&target.good()).await, Some(200), "it goes on");
    });
}

#[test]
fn rs256() {
    no_hostile_token_is_accepted(Algorithm::Rs256);
}

#[test]
fn ps256() {
    no_hostile_token_is_accepted(Algorithm::Ps256);
}

#[test]
fn es256() {
    no_hostile_token_is_accepted(Algorithm::Es256);
}

#[test]
fn eddsa() {
    no_hostile_token_is_accepted(Algorithm::EdDsa);
}

#[test]
fn ed25519() {
    no_hostile_token_is_accepted(Algorithm::Ed25519);
}
