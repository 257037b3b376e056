//! The memory adapters as subjects: the reference that shows how to write one.

use super::{
    AccountsSubject, ApiKeysSubject, DeliveriesSubject, DirectorySubject, FactorsSubject,
    HistorySubject, JournalSubject, KeysSubject, LimitsSubject, ProofsSubject, StoredToken,
    TokensSubject, WebhooksSubject,
};
use crate::memory::{FakeClock, MemoryAccounts, MemoryKeys, MemoryLimits, MemoryTokens};
use async_trait::async_trait;
use revolve_domain::{
    limits::Bucket,
    model::{SessionId, UserId},
    ports::{
        AccountDirectory, ApiKeys, Clock, Deliveries, Factors, Journal, KeyRepository,
        NamedRequests, Proofs, RateLimiter, SessionRepository, TokenRepository, UserRepository,
        Webhooks,
    },
    rotation::Entry,
};
use std::{sync::Arc, time::Duration};

/// White list and user database in memory, on a clock of their own.
pub struct MemorySubject {
    clock: Arc<FakeClock>,
    tokens: Arc<MemoryTokens>,
    accounts: Arc<MemoryAccounts>,
    keys: Arc<MemoryKeys>,
    limits: Arc<MemoryLimits>,
}

impl MemorySubject {
    /// Empty stores.
    pub fn new() -> Self {
        let clock = Arc::new(FakeClock::default());
        Self {
            tokens: Arc::new(MemoryTokens::new(clock.clone())),
            accounts: Arc::default(),
            keys: Arc::default(),
            limits: Arc::new(MemoryLimits::new(clock.clone())),
            clock,
        }
    }
}

impl Default for MemorySubject {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl TokensSubject for MemorySubject {
    fn repository(&self) -> Arc<dyn TokenRepository> {
        self.tokens.clone()
    }

    async fn advance(&self, _user: UserId, by: Duration) {
        self.clock.advance(by);
    }
}

#[async_trait]
impl HistorySubject for MemorySubject {
    async fn roll_back(&self, user: UserId, session: SessionId, state: Option<StoredToken>) {
        let now = self.clock.now();
        let entry = state.map(|state| Entry {
            token: state.token,
            parent_issued_at: state.parent_issued_at,
            epoch: state.epoch,
            rotated_at: now.minus(state.age),
            dies_at: now.plus(state.remaining),
            late: state.late,
            charged: state.charged,
            reused: state.reused,
        });
        self.tokens.restore(user, session, entry);
    }
}

impl AccountsSubject for MemorySubject {
    fn users(&self) -> Arc<dyn UserRepository> {
        self.accounts.clone()
    }

    fn sessions(&self) -> Arc<dyn SessionRepository> {
        self.accounts.clone()
    }
}

impl DirectorySubject for MemorySubject {
    fn directory(&self) -> Arc<dyn AccountDirectory> {
        self.accounts.clone()
    }
}

impl ApiKeysSubject for MemorySubject {
    fn api_keys(&self) -> Arc<dyn ApiKeys> {
        self.accounts.clone()
    }

    fn named_requests(&self) -> Arc<dyn NamedRequests> {
        self.accounts.clone()
    }
}

impl ProofsSubject for MemorySubject {
    fn proofs(&self) -> Arc<dyn Proofs> {
        self.accounts.clone()
    }
}

impl FactorsSubject for MemorySubject {
    fn factors(&self) -> Arc<dyn Factors> {
        self.accounts.clone()
    }
}

impl DeliveriesSubject for MemorySubject {
    fn deliveries(&self) -> Arc<dyn Deliveries> {
        self.accounts.clone()
    }
}

impl WebhooksSubject for MemorySubject {
    fn webhooks(&self) -> Arc<dyn Webhooks> {
        self.accounts.clone()
    }
}

impl JournalSubject for MemorySubject {
    fn journal(&self) -> Arc<dyn Journal> {
        self.accounts.clone()
    }
}

impl KeysSubject for MemorySubject {
    fn keys(&self) -> Arc<dyn KeyRepository> {
        self.keys.clone()
    }

    fn journal_of_keys(&self) -> Arc<dyn Journal> {
        self.keys.clone()
    }
}

#[async_trait]
impl LimitsSubject for MemorySubject {
    fn limiter(&self) -> Arc<dyn RateLimiter> {
        self.limits.clone()
    }

    async fn advance(&self, _buckets: &[Bucket], by: Duration) {
        self.clock.advance(by);
    }
}
