//! The story ends as expected, and the store keeps the contracts of the ports. Test your own adapters with the same suites.

use crate::store::MemoryStore;
use async_trait::async_trait;
use revolve_domain::{
    model::UserId,
    ports::{Journal, SessionRepository, TokenRepository, UserRepository},
};
use revolve_testkit::{
    contract::{AccountsSubject, JournalSubject, TokensSubject},
    memory::FakeClock,
};
use std::{sync::Arc, time::Duration};

#[test]
fn the_story_ends_as_expected() {
    crate::main().expect("nothing in it fails");
}

struct Subject {
    store: Arc<MemoryStore>,
    clock: Arc<FakeClock>,
}

#[expect(clippy::unused_async, reason = "the contract's macros await it")]
async fn make() -> Subject {
    let clock = Arc::new(FakeClock::default());
    Subject {
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock,
    }
}

#[async_trait]
impl TokensSubject for Subject {
    fn repository(&self) -> Arc<dyn TokenRepository> {
        self.store.clone()
    }

    async fn advance(&self, _user: UserId, by: Duration) {
        self.clock.advance(by);
    }
}

impl AccountsSubject for Subject {
    fn users(&self) -> Arc<dyn UserRepository> {
        self.store.clone()
    }

    fn sessions(&self) -> Arc<dyn SessionRepository> {
        self.store.clone()
    }
}

impl JournalSubject for Subject {
    fn journal(&self) -> Arc<dyn Journal> {
        self.store.clone()
    }
}

mod contract {
    revolve_testkit::tokens_contract!(super::make);
    revolve_testkit::accounts_contract!(super::make);
    revolve_testkit::journal_contract!(super::make);
}
