//! Programs of operators and their keys.

use super::{DAY, secs};
use revolve_domain::{
    limits::LimitName,
    model::{ApiKey, ApiKeyId, ApiKeyScope, ApiKeyStanding, ClientInfo, Label, ShownApiKey},
    ports::{ApiKeys, Clock, Decorator, PortFuture, RevokeOutcome, StoreError},
    use_cases::{AdminPorts, AdminUseCases, ApiKeyRequest, CreatedApiKey, KeyRefused},
};
use revolve_testkit::{
    World,
    memory::{Fault, Faulty, MemoryAccounts},
};
use secrecy::SecretString;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::task::JoinSet;

async fn created(world: &World, scopes: &[ApiKeyScope]) -> CreatedApiKey {
    let request = ApiKeyRequest {
        name: Label::parse("help desk").expect("a label"),
        scopes: scopes.iter().copied().collect(),
        lifetime: 90 * DAY,
    };
    let created = world.manage_api_keys.create(request).await;
    created.expect("nothing is down")
}

async fn call(
    world: &World,
    secret: &SecretString,
    scope: ApiKeyScope,
) -> Result<ApiKeyId, KeyRefused> {
    let client = ClientInfo {
        address: Some([192, 0, 2, 3].into()),
        ..ClientInfo::default()
    };
    world
        .admin
        .authenticate_key
        .execute(secret, scope, &client)
        .await
}

#[tokio::test]
async fn a_key_does_what_it_may_until_it_is_revoked() {
    let world = World::new();
    let CreatedApiKey { key, secret } = created(&world, &[ApiKeyScope::UsersRead]).await;
    assert_eq!(world.events.take_names(), ["api_key.created"]);
    let admitted = call(&world, &secret, ApiKeyScope::UsersRead).await;
    assert_eq!(admitted.expect("it may"), key.id);
    let refused = call(&world, &secret, ApiKeyScope::UsersWrite).await;
    assert!(
        matches!(
            refused,
            Err(KeyRefused::ScopeMissing(ApiKeyScope::UsersWrite))
        ),
        "got {refused:?}"
    );
    let manage = &world.manage_api_keys;
    for expected in [RevokeOutcome::Revoked, RevokeOutcome::AlreadyRevoked] {
        assert_eq!(manage.revoke(key.id).await.expect("it works"), expected);
    }
    assert_eq!(world.events.take_names(), ["api_key.revoked"], "once");
    let refused = call(&world, &secret, ApiKeyScope::UsersRead).await;
    assert!(matches!(refused, Err(KeyRefused::Revoked)), "{refused:?}");
    let listed = manage.list().await.expect("it works");
    assert_eq!(listed[0].1, ApiKeyStanding::Revoked);
}

#[tokio::test]
async fn a_key_ends_by_itself() {
    let world = World::new();
    let CreatedApiKey { secret, .. } = created(&world, &[ApiKeyScope::UsersRead]).await;
    world.advance(secs(90 * DAY.as_secs() - 1));
    assert!(
        call(&world, &secret, ApiKeyScope::UsersRead).await.is_ok(),
        "to the last second"
    );
    world.advance(secs(1));
    let refused = call(&world, &secret, ApiKeyScope::UsersRead).await;
    assert!(matches!(refused, Err(KeyRefused::Expired)), "{refused:?}");
}

#[tokio::test]
async fn what_is_no_key_counts_for_its_address_and_a_key_for_itself() {
    let world = World::new();
    let CreatedApiKey { key, secret } = created(&world, &[ApiKeyScope::UsersRead]).await;
    // With its checksum, and a secret that is another.
    let (forged, _) = ShownApiKey::make(key.id, [[1; 16], [2; 16]]);
    let wrong = SecretString::from("rvk_nothing");
    let rate = world.rates.get().admin_per_address.rate().expect("a rate");
    for attempt in 0..rate.burst() {
        let shown = if attempt % 2 == 0 { &wrong } else { &forged };
        let refused = call(&world, shown, ApiKeyScope::UsersRead).await;
        assert!(
            matches!(refused, Err(KeyRefused::Unknown)),
            "{attempt}: {refused:?}"
        );
    }
    let refused = call(&world, &wrong, ApiKeyScope::UsersRead).await;
    let Err(KeyRefused::Limited(limited)) = refused else {
        panic!("got {refused:?}")
    };
    assert_eq!(limited.limit, LimitName::AdminPerAddress);
    world.advance(Duration::from_hours(1));

    let rate = world.rates.get().admin_per_key.rate().expect("a rate");
    for _ in 0..rate.burst() {
        let admitted = call(&world, &secret, ApiKeyScope::UsersRead).await;
        assert_eq!(admitted.expect("within its rate"), key.id);
    }
    let refused = call(&world, &secret, ApiKeyScope::UsersRead).await;
    let Err(KeyRefused::Limited(limited)) = refused else {
        panic!("got {refused:?}")
    };
    assert_eq!(limited.limit, LimitName::AdminPerKey);
}

#[tokio::test]
async fn the_last_use_is_known_to_the_hour() {
    let world = World::new();
    let CreatedApiKey { key, secret } = created(&world, &[ApiKeyScope::UsersRead]).await;
    let used = async || {
        let found = world.accounts.inner().find(key.id).await;
        found.expect("it works").expect("it is there").key.used_at
    };
    assert_eq!(used().await, None, "never");
    drop(call(&world, &secret, ApiKeyScope::UsersRead).await);
    let first = used().await.expect("it was used");
    assert_eq!(first.as_seconds() % 3600, 0, "no more exact than an hour");
    assert!(world.clock.now().since(first) < secs(3600));
    world.advance(secs(3600));
    drop(call(&world, &secret, ApiKeyScope::UsersRead).await);
    assert_eq!(used().await, Some(first.plus(secs(3600))));
}

#[tokio::test]
async fn a_store_that_is_down_refuses_no_key() {
    let world = World::new();
    let CreatedApiKey { secret, .. } = created(&world, &[ApiKeyScope::UsersRead]).await;
    world.accounts.fail(Fault::Before);
    let rate = world.rates.get().admin_per_address.rate().expect("a rate");
    for _ in 0..=rate.burst() {
        let failed = call(&world, &secret, ApiKeyScope::UsersRead).await;
        assert!(
            matches!(failed, Err(KeyRefused::Failed(_))),
            "nor does it count for the address: {failed:?}"
        );
    }
    world.accounts.recover();
    assert!(call(&world, &secret, ApiKeyScope::UsersRead).await.is_ok());
}

#[tokio::test]
async fn a_key_lives_ten_years_at_most() {
    let world = World::new();
    let request = ApiKeyRequest {
        name: Label::parse("help desk").expect("a label"),
        scopes: BTreeSet::new(),
        lifetime: Duration::MAX,
    };
    let created = world.manage_api_keys.create(request).await;
    let key = created.expect("nothing is down").key;
    assert_eq!(key.expires_at.since(key.created_at), ApiKey::LONGEST);
}

/// A store that others are served by, too, before it answers.
struct Busy(Arc<Faulty<MemoryAccounts>>);

impl Decorator for Busy {
    type Port = Faulty<MemoryAccounts>;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        _: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        tokio::task::yield_now().await;
        work(self.0.as_ref()).await
    }
}

#[tokio::test]
async fn many_requests_with_a_good_key_at_once_do_not_count_for_their_address() {
    let world = World::new();
    let CreatedApiKey { key, secret } = created(&world, &[ApiKeyScope::UsersRead]).await;
    let admin = Arc::new(AdminUseCases::new(&AdminPorts {
        api_keys: Arc::new(Busy(world.accounts.clone())),
        ..world.admin_ports.clone()
    }));
    let at_once = 2 * world
        .rates
        .get()
        .admin_per_address
        .rate()
        .expect("a rate")
        .burst();
    let mut calls = JoinSet::new();
    for _ in 0..at_once {
        let (admin, secret) = (admin.clone(), secret.clone());
        calls.spawn(async move {
            let client = ClientInfo {
                address: Some([192, 0, 2, 3].into()),
                ..ClientInfo::default()
            };
            let admitted = admin
                .authenticate_key
                .execute(&secret, ApiKeyScope::UsersRead, &client);
            admitted.await.expect("it may")
        });
    }
    let admitted = calls.join_all().await;
    assert!(admitted.iter().all(|admitted| *admitted == key.id));
}
