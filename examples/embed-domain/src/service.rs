//! The composition root: each use case gets exactly the ports that it uses.

use crate::{
    Outcome,
    outside::{NothingWaits, PrintedEvents},
    store::Store,
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
    policy::SessionPolicy,
    ports::{DeviceCredentials, Entropy, PasswordHasher, SecurityEvents, TokenCodec},
    rotation::RetryPolicy,
    use_cases::{
        Authenticate, Clear, Limits, ListSessions, Me, Mint, Refresh, RevocationFeed, SignIn,
        SignOut, SignUp,
    },
};
use std::{sync::Arc, time::Duration};

/// The use cases that this program needs.
pub(crate) struct Service {
    pub(crate) sign_up: SignUp,
    pub(crate) sign_in: SignIn,
    pub(crate) refresh: Refresh,
    pub(crate) sign_out: SignOut,
    pub(crate) me: Me,
    pub(crate) list_sessions: ListSessions,
    pub(crate) revocations: RevocationFeed,
}

impl Service {
    /// With keys of its own that go with it, and no retries: the story has no time to wait until a window is over.
    pub(crate) fn new() -> Outcome<Self> {
        let retry = RetryPolicy {
            retry_free: Duration::ZERO,
            retry_window: Duration::ZERO,
            ..RetryPolicy::default()
        };
        let policy = SessionPolicy {
            retry,
            ..SessionPolicy::default()
        };
        let (clock, entropy, store) = (
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            Arc::new(Store::new(Arc::new(SystemClock))),
        );

        let master = MasterKey::parse(&MasterKey::encode([entropy.bytes(), entropy.bytes()]))?;
        let key = IdKey::from_pem(Algorithm::EdDsa, &IdKey::generate(Algorithm::EdDsa)?)?;
        let config = CodecConfig {
            issuer: "https://accounts.example.org".to_owned(),
            audience: "example".to_owned(),
        };
        let codec: Arc<dyn TokenCodec> = Arc::new(JoseTokens::new(config, key, &master)?);
        let devices: Arc<dyn DeviceCredentials> = Arc::new(MacDeviceCredentials::new(&master));
        let hasher: Arc<dyn PasswordHasher> = Arc::new(Argon2Hasher::new(
            HashCost::default(),
            PoolConfig::default(),
            entropy.clone(),
        )?);
        let events: Arc<dyn SecurityEvents> = Arc::new(PrintedEvents);

        let limiter = Arc::new(LocalLimits::new(Arc::new(SteadyClock::new())));
        let limits = Limits {
            limiter,
            rates: Arc::new(LiveLimits::default()),
            events: events.clone(),
        };

        let mint = Mint {
            codec: codec.clone(),
            policy,
        };
        let clear = Clear {
            tokens: store.clone(),
            sessions: store.clone(),
            clock: clock.clone(),
            clearings: Arc::new(NothingWaits),
        };
        let authenticate = Authenticate {
            codec: codec.clone(),
            sessions: store.clone(),
            clock: clock.clone(),
        };
        Ok(Self {
            sign_up: SignUp {
                users: store.clone(),
                tokens: store.clone(),
                hasher: hasher.clone(),
                strength: Arc::new(ZxcvbnStrength::new(
                    ["example".to_owned()],
                    JudgingConfig::default(),
                )),
                devices: devices.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                mint: mint.clone(),
                clear: clear.clone(),
                limits: limits.clone(),
                events: events.clone(),
            },
            sign_in: SignIn {
                users: store.clone(),
                sessions: store.clone(),
                tokens: store.clone(),
                hasher,
                devices: devices.clone(),
                clock: clock.clone(),
                entropy,
                mint: mint.clone(),
                clear: clear.clone(),
                limits: limits.clone(),
                events: events.clone(),
            },
            refresh: Refresh {
                codec,
                devices,
                sessions: store.clone(),
                tokens: store.clone(),
                clock: clock.clone(),
                mint,
                clear: clear.clone(),
                limits,
                events: events.clone(),
            },
            sign_out: SignOut {
                authenticate: authenticate.clone(),
                sessions: store.clone(),
                clear,
                clock: clock.clone(),
                events,
            },
            me: Me {
                authenticate: authenticate.clone(),
            },
            list_sessions: ListSessions {
                authenticate,
                sessions: store.clone(),
                tokens: store.clone(),
                clock: clock.clone(),
            },
            revocations: RevocationFeed {
                sessions: store,
                clock,
                policy,
            },
        })
    }
}
