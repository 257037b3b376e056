//! The composition root: the ports of the use cases are given adapters.

use crate::{
    Outcome,
    outside::{NoQueue, PrintedEvents},
    store::MemoryStore,
};
use revolve_adapters::{
    argon2::{Argon2Hasher, HashCost, PoolConfig},
    jose::{Algorithm, CodecConfig, IdKey, JoseTokens, MacDeviceCredentials, MasterKey},
    limits::LocalLimits,
    system::{SteadyClock, SystemClock, SystemEntropy},
    zxcvbn::{JudgingConfig, ZxcvbnStrength},
};
use revolve_domain::{
    limits::LiveLimits,
    policy::{AccountPolicy, SessionPolicy},
    ports::{Entropy, NoProofs},
    rotation::RetryPolicy,
    use_cases::{FactorPorts, ServicePorts, UseCases},
};
use std::{sync::Arc, time::Duration};

/// The use cases, with keys that are made at each start and without retries: the story does not wait for a window to pass.
pub(crate) fn service() -> Outcome<UseCases> {
    let policy = SessionPolicy {
        retry: RetryPolicy {
            retry_free: Duration::ZERO,
            retry_window: Duration::ZERO,
            ..RetryPolicy::default()
        },
        ..SessionPolicy::default()
    };
    let clock = Arc::new(SystemClock);
    let entropy = Arc::new(SystemEntropy);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let limiter = Arc::new(LocalLimits::new(Arc::new(SteadyClock::new())));

    let master = MasterKey::parse(&MasterKey::encode([entropy.bytes(), entropy.bytes()]))?;
    let key = IdKey::from_pem(Algorithm::EdDsa, &IdKey::generate(Algorithm::EdDsa)?)?;
    let config = CodecConfig {
        issuer: "https://accounts.example.org".to_owned(),
        audience: "example".to_owned(),
    };
    let words = ["example".to_owned()];
    let (cost, pool) = (HashCost::default(), PoolConfig::default());

    Ok(UseCases::new(&ServicePorts {
        users: store.clone(),
        sessions: store.clone(),
        proofs: Arc::new(NoProofs),
        proof_secrets: Arc::new(NoProofs),
        tokens: store.clone(),
        journal: store,
        journal_retention: Duration::from_hours(24 * 90),
        requests: None,
        factors: FactorPorts::default(),
        codec: Arc::new(JoseTokens::new(config, key, &master)?),
        devices: Arc::new(MacDeviceCredentials::new(&master)),
        hasher: Arc::new(Argon2Hasher::new(cost, pool, entropy.clone())?),
        legacy: None,
        strength: Arc::new(ZxcvbnStrength::new(words, JudgingConfig::default())),
        limiter: limiter.clone(),
        refresh_limiter: limiter,
        rates: Arc::new(LiveLimits::default()),
        clock,
        entropy,
        clearings: Arc::new(NoQueue),
        events: Arc::new(PrintedEvents),
        mail_bell: Arc::new(()),
        policy,
        accounts: AccountPolicy::default(),
    }))
}
