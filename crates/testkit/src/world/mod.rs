//! The whole service in memory: every use case of the domain over the memory adapters, with all handles in reach.

mod client;

pub use client::Client;

use crate::memory::{
    FakeClock, Faulty, MemoryAccounts, MemoryLimits, MemoryTokens, PlainHasher, RecordedClearings,
    RecordedEvents, SeededEntropy, ShortList, TestCodec, TestDevices,
};
use revolve_domain::{
    limits::LiveLimits,
    policy::SessionPolicy,
    use_cases::{
        Authenticate, ChangePassword, Clear, DeleteAccount, EndSession, Limits, ListSessions, Me,
        Mint, Prune, Refresh, RevocationFeed, SignIn, SignOut, SignUp, UpdateDetails,
    },
};
use std::{sync::Arc, time::Duration};

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
    /// Where ids come from.
    pub entropy: Arc<SeededEntropy>,
    /// The white list.
    pub tokens: Arc<Faulty<MemoryTokens>>,
    /// The user database.
    pub accounts: Arc<Faulty<MemoryAccounts>>,
    /// "Hashes" passwords.
    pub hasher: Arc<PlainHasher>,
    /// Judges passwords.
    pub strength: Arc<ShortList>,
    /// Signs and verifies.
    pub codec: Arc<TestCodec>,
    /// Device credentials.
    pub devices: Arc<TestDevices>,
    /// Buckets that all replicas share, on the white list's clock.
    pub limiter: Arc<Faulty<MemoryLimits>>,
    /// The rates in force.
    pub rates: Arc<LiveLimits>,
    /// Holds everybody to them, over the shared buckets.
    pub limits: Limits,
    /// What happened.
    pub events: Arc<RecordedEvents>,
    /// What waits to be cleared.
    pub clearings: Arc<RecordedClearings>,
    /// The numbers that the operator chose.
    pub policy: SessionPolicy,
    /// Clears the white list.
    pub clear: Clear,
    /// Says who is calling.
    pub authenticate: Authenticate,
    /// Signs up.
    pub sign_up: SignUp,
    /// Signs in.
    pub sign_in: SignIn,
    /// Refreshes.
    pub refresh: Refresh,
    /// Signs out.
    pub sign_out: SignOut,
    /// Answers the account.
    pub me: Me,
    /// Changes details.
    pub update_details: UpdateDetails,
    /// Changes the password.
    pub change_password: ChangePassword,
    /// Deletes the account.
    pub delete_account: DeleteAccount,
    /// Lists sessions.
    pub list_sessions: ListSessions,
    /// Ends one session.
    pub end_session: EndSession,
    /// Deletes old rows.
    pub prune: Prune,
    /// States what was revoked.
    pub revocation_feed: RevocationFeed,
}

impl World {
    /// A service with the default policy.
    pub fn new() -> Self {
        Self::with_policy(SessionPolicy::default())
    }

    /// A service with that policy.
    #[expect(
        clippy::too_many_lines,
        reason = "one linear composition root reads better than its parts"
    )]
    pub fn with_policy(policy: SessionPolicy) -> Self {
        let clock = Arc::new(FakeClock::default());
        let store_clock = Arc::new(FakeClock::default());
        let entropy = Arc::new(SeededEntropy::new(0));
        let tokens = Arc::new(Faulty::new(MemoryTokens::new(store_clock.clone())));
        let accounts = Arc::new(Faulty::new(MemoryAccounts::default()));
        let hasher = Arc::new(PlainHasher::default());
        let strength = Arc::new(ShortList::default());
        let codec = Arc::new(TestCodec);
        let devices = Arc::new(TestDevices);
        let events = Arc::new(RecordedEvents::default());
        let limiter = Arc::new(Faulty::new(MemoryLimits::new(store_clock.clone())));
        let rates = Arc::new(LiveLimits::default());
        let limits = Limits {
            limiter: limiter.clone(),
            rates: rates.clone(),
            events: events.clone(),
        };
        let local = Limits {
            limiter: Arc::new(MemoryLimits::new(store_clock.clone())),
            ..limits.clone()
        };
        let clearings = Arc::new(RecordedClearings::default());

        let mint = Mint {
            codec: codec.clone(),
            policy,
        };
        let clear = Clear {
            tokens: tokens.clone(),
            sessions: accounts.clone(),
            clock: clock.clone(),
            clearings: clearings.clone(),
        };
        let authenticate = Authenticate {
            codec: codec.clone(),
            sessions: accounts.clone(),
            clock: clock.clone(),
        };
        Self {
            sign_up: SignUp {
                users: accounts.clone(),
                tokens: tokens.clone(),
                hasher: hasher.clone(),
                strength: strength.clone(),
                devices: devices.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                mint: mint.clone(),
                clear: clear.clone(),
                limits: limits.clone(),
                events: events.clone(),
            },
            sign_in: SignIn {
                users: accounts.clone(),
                sessions: accounts.clone(),
                tokens: tokens.clone(),
                hasher: hasher.clone(),
                devices: devices.clone(),
                clock: clock.clone(),
                entropy: entropy.clone(),
                mint: mint.clone(),
                clear: clear.clone(),
                limits: limits.clone(),
                events: events.clone(),
            },
            refresh: Refresh {
                codec: codec.clone(),
                devices: devices.clone(),
                sessions: accounts.clone(),
                tokens: tokens.clone(),
                clock: clock.clone(),
                mint,
                clear: clear.clone(),
                limits: local,
                events: events.clone(),
            },
            sign_out: SignOut {
                authenticate: authenticate.clone(),
                sessions: accounts.clone(),
                clear: clear.clone(),
                clock: clock.clone(),
                events: events.clone(),
            },
            me: Me {
                authenticate: authenticate.clone(),
            },
            update_details: UpdateDetails {
                authenticate: authenticate.clone(),
                users: accounts.clone(),
                clock: clock.clone(),
                hasher: hasher.clone(),
                limits: limits.clone(),
                events: events.clone(),
            },
            change_password: ChangePassword {
                authenticate: authenticate.clone(),
                users: accounts.clone(),
                hasher: hasher.clone(),
                strength: strength.clone(),
                clear: clear.clone(),
                limits: limits.clone(),
                clock: clock.clone(),
                events: events.clone(),
            },
            delete_account: DeleteAccount {
                authenticate: authenticate.clone(),
                users: accounts.clone(),
                clear: clear.clone(),
                clock: clock.clone(),
                events: events.clone(),
            },
            list_sessions: ListSessions {
                authenticate: authenticate.clone(),
                sessions: accounts.clone(),
                tokens: tokens.clone(),
                clock: clock.clone(),
            },
            end_session: EndSession {
                authenticate: authenticate.clone(),
                sessions: accounts.clone(),
                clear: clear.clone(),
                clock: clock.clone(),
                events: events.clone(),
            },
            revocation_feed: RevocationFeed {
                sessions: accounts.clone(),
                clock: clock.clone(),
                policy,
            },
            prune: Prune {
                sessions: accounts.clone(),
                clock: clock.clone(),
                policy,
            },
            clock,
            store_clock,
            entropy,
            tokens,
            accounts,
            hasher,
            strength,
            codec,
            devices,
            limiter,
            rates,
            limits,
            events,
            clearings,
            policy,
            clear,
            authenticate,
        }
    }

    /// Time passes for replicas and stores alike.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.store_clock.advance(by);
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
