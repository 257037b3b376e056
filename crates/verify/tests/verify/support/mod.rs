//! What the tests share: keys, claims, a clock and an issuer that does as it is response.

mod both;
mod issuer;
mod key;
mod service;

pub(crate) use both::serve_both;
pub(crate) use issuer::{FakeIssuer, IssuerResponse};
pub(crate) use key::{TestKey, b64, key_set};
pub(crate) use service::with_service;

use revolve_verify::{Clock, JwkSet, Verifier, VerifierConfig};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

pub(crate) const ISSUER: &str = "https://accounts.example.org";
pub(crate) const AUDIENCE: &str = "services";
/// The fake clock's first moment.
pub(crate) const NOW: u64 = 1_900_000_000;
pub(crate) const USER: &str = "0196a1b2-0000-7000-8000-000000000001";
pub(crate) const SESSION: &str = "0196a1b2-0000-7000-8000-000000000002";

/// A clock that tests set.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(NOW)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn unix_seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Good claims, issued just now.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": USER, "aud": AUDIENCE, "iat": NOW, "exp": NOW + 900, "sid": SESSION, "epoch": 0, "auth_time": NOW,
        "amr": ["pwd"],
        "user": { "uid": USER, "email": "ann@example.org", "name": "Ann" },
    })
}

pub(crate) fn config() -> VerifierConfig {
    VerifierConfig::new(ISSUER, AUDIENCE)
}

/// A verifier that knows these keys and the fake clock.
pub(crate) fn verifier(keys: &[&TestKey]) -> (Verifier, TestClock) {
    let clock = TestClock::new();
    let keys = JwkSet::from_json(key_set(keys).as_bytes()).unwrap();
    (
        Verifier::with_keys(&config(), keys, Arc::new(clock.clone())),
        clock,
    )
}
