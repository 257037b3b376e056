//! The whole service in memory: every use case of the domain over the memory adapters, with all handles in reach.

mod client;
mod factors;

pub use client::TestClient;
pub use factors::TestApp;

use crate::memory::{
    FakeClock, Faulty, FormerSystem, MemoryAccounts, MemoryLimits, MemoryTokens,
    PlainFactorSecrets, PlainHasher, PlainWebhookSecrets, RecordedCalls, RecordedClearings,
    RecordedEvents, SeededEntropy, ShortList, TestCeremonies, TestCodec, TestCodes, TestDevices,
    TestProofSecrets,
};
use revolve_domain::{
    limits::LiveLimits,
    policy::{AccountPolicy, SessionPolicy},
    use_cases::{
        AddAccount, AdminPorts, AdminUseCases, ChangeAccount, FactorPorts, ImportAccount,
        ManageAccounts, ManageApiKeys, ManageFactors, NotedEvents, OperatorPorts, ServicePorts,
        UseCases, WebhookPorts,
    },
};
use std::{ops::Deref, sync::Arc, time::Duration};

/// Where links lead that set a password.
const RECOVERY_LINK: &str = "https://app.example.org/reset?proof={proof}&secret={secret}";

/// A service in memory.
///
/// ```
/// use revolve_testkit::World;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
/// let world = World::new();
/// let mut ann = world.signed_up("ann").await;
/// world.advance(Duration::from_mins(15));
/// ann.refresh().await.expect("the session lives");
/// # });
/// ```
pub struct World {
    /// The replicas' clock.
    pub clock: Arc<FakeClock>,
    /// The white list's own clock.
    pub store_clock: Arc<FakeClock>,
    /// The source of ids.
    pub entropy: Arc<SeededEntropy>,
    /// The white list.
    pub tokens: Arc<Faulty<MemoryTokens>>,
    /// The user database.
    pub accounts: Arc<Faulty<MemoryAccounts>>,
    /// "Hashes" passwords.
    pub hasher: Arc<PlainHasher>,
    /// The system that imported accounts came from.
    pub legacy: Arc<FormerSystem>,
    /// Judges passwords.
    pub strength: Arc<ShortList>,
    /// Signs and verifies.
    pub codec: Arc<TestCodec>,
    /// Device credentials.
    pub devices: Arc<TestDevices>,
    /// The codes and secrets of proofs.
    pub proof_secrets: Arc<TestProofSecrets>,
    /// The secrets of factors.
    pub factor_secrets: Arc<PlainFactorSecrets>,
    /// Buckets that all replicas share, on the white list's clock.
    pub limiter: Arc<Faulty<MemoryLimits>>,
    /// The rates in force.
    pub rates: Arc<LiveLimits>,
    /// The recorded events.
    pub events: Arc<RecordedEvents>,
    /// What waits to be noted in the journal.
    pub noted: Arc<NotedEvents>,
    /// The deferred clearings.
    pub clearings: Arc<RecordedClearings>,
    /// The policy of sessions.
    pub policy: SessionPolicy,
    /// The ports of the use cases: all of the above.
    pub ports: ServicePorts,
    /// Imports accounts.
    pub import_account: ImportAccount,
    /// Adds accounts.
    pub add_account: AddAccount,
    /// Changes what accounts show.
    pub change_account: ChangeAccount,
    /// Manages accounts.
    pub manage_accounts: ManageAccounts,
    /// The use cases of the admin API.
    pub admin: AdminUseCases,
    /// Their ports.
    pub admin_ports: AdminPorts,
    /// Reads and resets factors, for operators.
    pub manage_factors: ManageFactors,
    /// Manages API keys.
    pub manage_api_keys: ManageApiKeys,
    use_cases: UseCases,
}

impl World {
    /// A service with the default policy.
    pub fn new() -> Self {
        Self::with_policy(SessionPolicy::default())
    }

    /// A service with that policy.
    pub fn with_policy(policy: SessionPolicy) -> Self {
        Self::with_policies(policy, AccountPolicy::default())
    }

    /// A service that sends mail.
    pub fn with_mail(accounts: AccountPolicy) -> Self {
        let accounts = AccountPolicy {
            mail: true,
            ..accounts
        };
        Self::with_policies(SessionPolicy::default(), accounts)
    }

    /// A service with these rules of accounts.
    pub fn with_rules(accounts: AccountPolicy) -> Self {
        Self::with_policies(SessionPolicy::default(), accounts)
    }

    fn with_policies(policy: SessionPolicy, rules: AccountPolicy) -> Self {
        let clock = Arc::new(FakeClock::default());
        let store_clock = Arc::new(FakeClock::default());
        let entropy = Arc::new(SeededEntropy::new(0));
        let tokens = Arc::new(Faulty::new(MemoryTokens::new(store_clock.clone())));
        let accounts = Arc::new(Faulty::new(MemoryAccounts::default()));
        let hasher = Arc::new(PlainHasher::default());
        let legacy = Arc::new(FormerSystem::default());
        let strength = Arc::new(ShortList::default());
        let codec = Arc::new(TestCodec);
        let devices = Arc::new(TestDevices);
        let proof_secrets = Arc::new(TestProofSecrets);
        let factor_secrets = Arc::new(PlainFactorSecrets::default());
        let events = Arc::new(RecordedEvents::default());
        let noted = Arc::new(NotedEvents::new(events.clone(), clock.clone()));
        let limiter = Arc::new(Faulty::new(MemoryLimits::new(store_clock.clone())));
        let rates = Arc::new(LiveLimits::default());
        let clearings = Arc::new(RecordedClearings::default());
        let ports = ServicePorts {
            users: accounts.clone(),
            sessions: accounts.clone(),
            proofs: accounts.clone(),
            proof_secrets: proof_secrets.clone(),
            tokens: tokens.clone(),
            codec: codec.clone(),
            devices: devices.clone(),
            hasher: hasher.clone(),
            legacy: Some(legacy.clone()),
            strength: strength.clone(),
            limiter: limiter.clone(),
            refresh_limiter: Arc::new(MemoryLimits::new(store_clock.clone())),
            rates: rates.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            clearings: clearings.clone(),
            events: noted.clone(),
            mail_bell: Arc::new(()),
            factors: FactorPorts {
                store: accounts.clone(),
                secrets: factor_secrets.clone(),
                codes: Arc::new(TestCodes),
                ceremonies: Arc::new(TestCeremonies::default()),
            },
            journal: accounts.clone(),
            requests: Some(accounts.clone()),
            journal_retention: Duration::from_hours(24 * 90),
            policy,
            accounts: rules,
        };
        let operators = OperatorPorts {
            users: accounts.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            events: noted.clone(),
            mail: rules.mail.then_some(rules.mail_max_age),
        };
        let admin_ports = AdminPorts {
            service: ports.clone(),
            directory: accounts.clone(),
            deliveries: accounts.clone(),
            api_keys: accounts.clone(),
            requests: accounts.clone(),
            webhooks: WebhookPorts {
                webhooks: accounts.clone(),
                journal: accounts.clone(),
                secrets: Arc::new(PlainWebhookSecrets::default()),
                sender: Arc::new(RecordedCalls::default()),
                clock: clock.clone(),
                entropy: entropy.clone(),
                events: noted.clone(),
                max_age: Duration::from_hours(3 * 24),
            },
            recovery_link: Some(RECOVERY_LINK.to_owned()),
        };
        Self {
            import_account: operators.import_account(accounts.clone()),
            add_account: operators.add_account(accounts.clone(), hasher.clone(), strength.clone()),
            change_account: operators.change_account(accounts.clone()),
            manage_accounts: operators.manage_accounts(
                accounts.clone(),
                accounts.clone(),
                tokens.clone(),
                clearings.clone(),
            ),
            admin: AdminUseCases::new(&admin_ports),
            admin_ports,
            manage_factors: operators.manage_factors(
                accounts.clone(),
                tokens.clone(),
                accounts.clone(),
                clearings.clone(),
                rules.factor_reset_delay,
            ),
            manage_api_keys: operators.manage_api_keys(accounts.clone()),
            use_cases: UseCases::new(&ports),
            ports,
            clock,
            store_clock,
            entropy,
            tokens,
            accounts,
            hasher,
            legacy,
            strength,
            codec,
            devices,
            proof_secrets,
            factor_secrets,
            limiter,
            rates,
            events,
            noted,
            clearings,
            policy,
        }
    }

    /// Time passes for replicas and stores alike.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.store_clock.advance(by);
    }
}

/// The use cases are fields of the world: `world.sign_up`.
impl Deref for World {
    type Target = UseCases;

    fn deref(&self) -> &UseCases {
        &self.use_cases
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
