//! The ports that use cases are made of, one struct per assembly.

use crate::use_cases::WebhookPorts;
use crate::{
    journal::Actor,
    keys::{IdKeys, KeyPolicy},
    limits::LiveLimits,
    policy::{AccountPolicy, SessionPolicy},
    ports::{
        AccountDirectory, ApiKeys, Clearings, Clock, Deliveries, DeviceCredentials, Entropy,
        FactorSecrets, Factors, Journal, KeyMaker, KeyRepository, KeyRing, LegacyVerifier,
        MailBell, NamedRequests, NoFactors, OneTimeCodes, PasskeyCeremonies, PasswordHasher,
        PasswordStrength, ProofSecrets, Proofs, RateLimiter, RevokedKeys, SecurityEvents,
        SessionRepository, TokenCodec, TokenRepository, UserRepository,
    },
};
use std::{sync::Arc, time::Duration};

/// The ports and policies of the whole service.
#[derive(Clone)]
#[expect(
    missing_docs,
    reason = "the trait or type of each field says what it is"
)]
pub struct ServicePorts {
    pub users: Arc<dyn UserRepository>,
    pub sessions: Arc<dyn SessionRepository>,
    pub proofs: Arc<dyn Proofs>,
    pub proof_secrets: Arc<dyn ProofSecrets>,
    pub tokens: Arc<dyn TokenRepository>,
    pub codec: Arc<dyn TokenCodec>,
    pub devices: Arc<dyn DeviceCredentials>,
    pub hasher: Arc<dyn PasswordHasher>,
    /// Asked about imported accounts that are marked so; without it no password is theirs.
    pub legacy: Option<Arc<dyn LegacyVerifier>>,
    pub strength: Arc<dyn PasswordStrength>,
    /// Buckets that all replicas share.
    pub limiter: Arc<dyn RateLimiter>,
    /// The buckets of refreshes and of the admin API. They should be in this process: a refresh is one read and one step of the white list.
    pub refresh_limiter: Arc<dyn RateLimiter>,
    pub rates: Arc<LiveLimits>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub clearings: Arc<dyn Clearings>,
    pub events: Arc<dyn SecurityEvents>,
    /// Rung when a mail was committed.
    pub mail_bell: Arc<dyn MailBell>,
    pub journal: Arc<dyn Journal>,
    /// How long entries of the journal are kept.
    pub journal_retention: Duration,
    /// Those that are forgotten after a day; `None` for a service without the admin API.
    pub requests: Option<Arc<dyn NamedRequests>>,
    /// [`FactorPorts::default`] for a service without factors.
    pub factors: FactorPorts,
    pub policy: SessionPolicy,
    pub accounts: AccountPolicy,
}

/// The ports of factors.
#[derive(Clone)]
#[expect(missing_docs, reason = "the trait of each field says what it is")]
pub struct FactorPorts {
    pub store: Arc<dyn Factors>,
    pub secrets: Arc<dyn FactorSecrets>,
    pub codes: Arc<dyn OneTimeCodes>,
    pub ceremonies: Arc<dyn PasskeyCeremonies>,
}

/// No factor can be set up, and no account has one.
impl Default for FactorPorts {
    fn default() -> Self {
        let none = Arc::new(NoFactors);
        Self {
            store: none.clone(),
            secrets: none.clone(),
            codes: none.clone(),
            ceremonies: none,
        }
    }
}

/// The ports that every operators' command has: no white list and no password hashes, which only some need.
#[derive(Clone)]
#[expect(missing_docs, reason = "the trait of each field says what it is")]
pub struct OperatorPorts {
    pub users: Arc<dyn UserRepository>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub events: Arc<dyn SecurityEvents>,
    /// How long a mail that tells of something is tried; `None` if the service sends no mail.
    pub mail: Option<Duration>,
}

/// The ports of the admin API.
#[derive(Clone)]
#[expect(missing_docs, reason = "the trait of each field says what it is")]
pub struct AdminPorts {
    /// Those of the service, whose accounts it manages.
    pub service: ServicePorts,
    pub directory: Arc<dyn AccountDirectory>,
    pub deliveries: Arc<dyn Deliveries>,
    pub api_keys: Arc<dyn ApiKeys>,
    pub requests: Arc<dyn NamedRequests>,
    pub webhooks: WebhookPorts,
    /// Where links lead that set a password: a URL with `{proof}` and `{secret}`.
    pub recovery_link: Option<String>,
}

impl AdminPorts {
    /// Those that the use cases of operators have on the command line, too.
    pub fn operators(&self) -> OperatorPorts {
        let service = &self.service;
        let rules = service.accounts;
        OperatorPorts {
            users: service.users.clone(),
            clock: service.clock.clone(),
            entropy: service.entropy.clone(),
            events: service.events.clone(),
            mail: rules.mail.then_some(rules.mail_max_age),
        }
    }
}

/// The ports and policies of the keys that sign tokens.
#[derive(Clone)]
#[expect(
    missing_docs,
    reason = "the trait or type of each field says what it is"
)]
pub struct KeyPorts {
    pub repository: Arc<dyn KeyRepository>,
    /// `None` where no store outlives a restore of the user database.
    pub revoked: Option<Arc<dyn RevokedKeys>>,
    pub maker: Arc<dyn KeyMaker>,
    pub ring: Arc<dyn KeyRing>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// On whose behalf keys are changed.
    pub actor: Actor,
    pub policy: KeyPolicy,
    pub id_keys: IdKeys,
}
