//! The story comes out as told, and the store keeps the contracts of the ports: what anybody's own adapters should be
//! tested with.

use crate::store::Store;
use async_trait::async_trait;
use revolve_domain::{
    model::UserId,
    ports::{SessionRepository, TokenRepository, UserRepository},
};
use revolve_testkit::{
    contract::{AccountsSubject, TokensSubject},
    memory::FakeClock,
};
use std::{sync::Arc, time::Duration};

#[test]
fn the_story_comes_out_as_told() {
    crate::main().expect("nothing in it fails");
}

struct Subject {
    store: Arc<Store>,
    clock: Arc<FakeClock>,
}

#[expect(clippy::unused_async, reason = "the contract's macros await it")]
async fn make() -> Subject {
    let clock = Arc::new(FakeClock::default());
    Subject {
        store: Arc::new(Store::new(clock.clone())),
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

mod contract {
    revolve_testkit::tokens_contract!(super::make);
    revolve_testkit::accounts_contract!(super::make);
}
