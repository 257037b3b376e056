//! A payment needs an authentication of the last five minutes.

use super::{claims, client, revolve, serve, sign_up};
use reqwest::Response;
use revolve_verify::{Clock, SystemClock, Verifier, VerifierConfig, fetch::HttpFetch};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The services' clock, in seconds.
#[derive(Clone, Default)]
struct SetClock(Arc<AtomicU64>);

impl Clock for SetClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn pay(service: &str, id: &str) -> Response {
    let request = client().post(format!("{service}/payments")).bearer_auth(id);
    request.send().await.unwrap()
}

#[actix_web::test]
async fn a_payment_needs_a_recent_authentication_which_the_password_gives() {
    let folder = tempfile::tempdir().unwrap();
    let base = revolve(folder.path(), "").await;
    let mut config = VerifierConfig::new("http://localhost:8080", "revolve");
    config.jwks_url = format!("{base}/.well-known/jwks.json");
    config.leeway = Duration::ZERO;
    let clock = SetClock::default();
    let fetch = Arc::new(HttpFetch::new().unwrap());
    let verifier = Verifier::start_with(&config, fetch, Arc::new(clock.clone())).unwrap();
    let services = serve(verifier).await;

    let (id, _) = sign_up(&base).await;
    let signed_up = claims(&id)["auth_time"].as_u64().unwrap();
    clock.0.store(signed_up + 300, Ordering::SeqCst);
    for service in &services {
        let answer = pay(service, &id).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), "a payment of ann@example.org");
    }
    clock.0.store(signed_up + 301, Ordering::SeqCst);
    for service in &services {
        let answer = pay(service, &id).await;
        assert_eq!(answer.status(), 401);
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        let expected = "error=\"insufficient_user_authentication\"";
        assert!(challenge.contains(expected), "{challenge}");
        assert!(challenge.contains("max_age=\"300\""), "{challenge}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "insufficient_user_authentication");
    }

    // The second after.
    while SystemClock.unix_seconds() == signed_up {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let shown = client()
        .post(format!("{base}/api/account/reauthenticate"))
        .bearer_auth(&id)
        .json(&json!({ "currentPassword": "correct horse battery" }));
    let shown: Value = shown.send().await.unwrap().json().await.unwrap();
    let next = shown["tokens"]["idToken"].as_str().unwrap();
    for service in &services {
        assert_eq!(pay(service, &id).await.status(), 401);
        assert_eq!(pay(service, next).await.status(), 200);
    }
}
