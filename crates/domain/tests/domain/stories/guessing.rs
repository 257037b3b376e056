//! Guessing passwords is slowed down; the owner of the account is not locked out.

use super::{DAY, secs};
use revolve_domain::{
    journal::SecurityEvent,
    limits::{Limit, LimitName, LimitPolicy},
    model::{ClientInfo, DeviceId, EmailAddress},
    policy::SessionPolicy,
    ports::{Clock, DeviceCredentials},
    use_cases::{
        Caller, ChangePasswordError, ChangePasswordRequest, Limited, Refused, SignInError,
        SignInRequest, UpdateDetailsError, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::SecretString;
use std::time::Duration;

fn from(number: u8) -> ClientInfo {
    ClientInfo {
        address: Some([203, 0, 113, number].into()),
        ..ClientInfo::default()
    }
}

/// A guess at the password of `name@example.org`.
fn guess(name: &str, client: ClientInfo) -> SignInRequest {
    SignInRequest {
        password: World::password("a guess"),
        client,
        ..World::request(name)
    }
}

async fn guessed(world: &World, request: SignInRequest) -> Result<(), SignInError> {
    world.sign_in.execute(request).await.map(|_| ())
}

#[track_caller]
fn assert_wrong(result: &Result<(), SignInError>) {
    assert!(
        matches!(result, Err(SignInError::InvalidCredentials)),
        "expected the password to be looked at, got {result:?}"
    );
}

#[track_caller]
fn assert_limited(result: &Result<(), SignInError>, expected: LimitName) -> Limited {
    match result {
        Err(SignInError::Limited(limited)) => {
            assert_eq!(limited.limit, expected);
            assert!(limited.retry_after > Duration::ZERO, "it says when");
            *limited
        }
        other => panic!(
            "expected {} to be reached, got {other:?}",
            expected.as_str()
        ),
    }
}

/// Many addresses use up what strangers have for an account.
async fn attack(world: &World, name: &str) {
    for number in 0..10 {
        assert_wrong(&guessed(world, guess(name, from(number))).await);
    }
    for number in 10..30 {
        assert_limited(
            &guessed(world, guess(name, from(number))).await,
            LimitName::PasswordPerAccount,
        );
    }
}

#[tokio::test]
async fn a_distributed_attack_slows_strangers_and_never_the_owner() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    attack(&world, "ann").await;

    // Even with the right password: a stranger is a stranger.
    let unknown = world.try_sign_in("ann").await.map(|_| ());
    let limited = assert_limited(&unknown, LimitName::PasswordPerAccount);
    ann.sign_in_again("ann")
        .await
        .expect("the owner signs in on a known device, as if nothing were");
    for _ in 0..5 {
        attack_goes_on(&world).await;
        ann.sign_in_again("ann").await.expect("again and again");
    }
    world.advance(limited.retry_after);
    world.signed_in("ann").await;
}

async fn attack_goes_on(world: &World) {
    for number in 30..60 {
        assert_limited(
            &guessed(world, guess("ann", from(number))).await,
            LimitName::PasswordPerAccount,
        );
    }
}

#[tokio::test]
async fn an_attacker_behind_the_same_address_does_not_lock_the_owner_out() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let office = World::request("ann").client;
    for number in 0..60 {
        assert_wrong(&guessed(&world, guess(&format!("somebody{number}"), office.clone())).await);
    }
    let limited = assert_limited(
        &guessed(&world, guess("another", office)).await,
        LimitName::PasswordPerAddress,
    );
    assert_limited(
        &world.try_sign_in("ann").await.map(|_| ()),
        LimitName::PasswordPerAddress,
    );
    ann.sign_in_again("ann")
        .await
        .expect("a known device does not depend on its neighbours");
    world.advance(limited.retry_after);
    world.signed_in("ann").await;
}

#[tokio::test]
async fn a_credential_that_is_not_of_this_user_gives_no_budget_of_its_own() {
    let world = World::new();
    let (_ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    attack(&world, "ann").await;
    let never_signed_in = world.devices.issue(DeviceId::from_random([9; 16]));
    for credential in ["forged".into(), bob.credential.clone(), never_signed_in] {
        let request = SignInRequest {
            device_credentials: vec![credential],
            ..World::request("ann")
        };
        assert_limited(
            &guessed(&world, request).await,
            LimitName::PasswordPerAccount,
        );
    }
    bob.sign_in_again("bob")
        .await
        .expect("for its own user it does");
}

#[tokio::test]
async fn a_stolen_device_falls_back_to_what_strangers_have() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let thief = |number| SignInRequest {
        device_credentials: vec![ann.credential.clone()],
        ..guess("ann", from(number))
    };
    for number in 0..10 {
        assert_wrong(&guessed(&world, thief(number)).await);
    }
    for number in 10..20 {
        assert_wrong(&guessed(&world, thief(number)).await);
    }
    assert_limited(
        &guessed(&world, thief(21)).await,
        LimitName::PasswordPerAccount,
    );
    let laptop = world.try_sign_in("ann").await.map(|_| ());
    assert_limited(&laptop, LimitName::PasswordPerAccount);
    let limited = world
        .events
        .take()
        .into_iter()
        .filter_map(|event| match event {
            SecurityEvent::LimitReached { limit, user, .. } => Some((limit, user)),
            _ => None,
        });
    let expected = [
        (LimitName::PasswordPerDevice, Some(ann.user)),
        (LimitName::PasswordPerAccount, None),
    ];
    assert_eq!(limited.collect::<Vec<_>>(), expected, "each is told once");
}

#[tokio::test]
async fn attempts_count_the_same_whether_or_not_there_is_an_account() {
    let world = World::new();
    let (ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    world.accounts.inner().disable(bob.user, world.clock.now());
    let mut heard = Vec::new();
    for (name, credential) in [
        ("ann", None),
        ("nobody", None),
        ("bob", None),
        ("ann", Some(&bob)),
        ("nobody", Some(&bob)),
    ] {
        world.advance(DAY);
        let credential: Option<SecretString> =
            credential.map(|other: &TestClient<'_>| other.credential.clone());
        let calls = world.hasher.calls();
        let mut codes = Vec::new();
        for number in 0..12 {
            let request = SignInRequest {
                device_credentials: credential.clone().into_iter().collect(),
                ..guess(name, from(number))
            };
            codes.push(match guessed(&world, request).await {
                Err(SignInError::Limited(limited)) => format!("{limited:?}"),
                other => format!("{other:?}"),
            });
        }
        assert_eq!(
            world.hasher.calls() - calls,
            10,
            "what is refused costs no hash"
        );
        heard.push(codes);
    }
    assert!(
        heard.iter().all(|codes| *codes == heard[0]),
        "nobody can tell them apart: {heard:?}"
    );
    drop(ann);
}

#[tokio::test]
async fn what_succeeds_costs_nothing() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    for _ in 0..30 {
        ann = ann
            .sign_in_again("ann")
            .await
            .expect("signing in again on a known device");
        world.signed_in("ann").await;
    }
    let office = World::request("ann").client;
    for number in 0..70 {
        world
            .accounts
            .fail_on("credentials_by_email", Fault::Before);
        assert!(matches!(
            guessed(&world, guess(&format!("somebody{number}"), office.clone())).await,
            Err(SignInError::Failed(_))
        ));
        world.accounts.recover();
    }
    assert_eq!(
        world.limiter.inner().size(),
        sign_ups_only(&world),
        "nothing is missing in any bucket of passwords"
    );
}

/// The sign-up counts: with its address, and from its address.
fn sign_ups_only(world: &World) -> usize {
    let policy = world.rates.get();
    usize::from(policy.sign_up_per_account != Limit::Off)
        + usize::from(policy.sign_up_per_address != Limit::Off)
}

#[tokio::test]
async fn an_owner_who_was_away_is_still_known_and_is_forgotten_after_a_year() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    for away in [14 * DAY, 300 * DAY, 364 * DAY] {
        world.advance(away);
        while world.prune.execute().await.expect("the stores are up") > 0 {}
        attack(&world, "ann").await;
        ann = ann.sign_in_again("ann").await.expect("the device is known");
    }
    world.advance(SessionPolicy::DEVICE_LIFETIME + DAY);
    while world.prune.execute().await.expect("the stores are up") > 0 {}
    assert_eq!(world.accounts.inner().known_devices(ann.user), []);
    attack(&world, "ann").await;
    assert_limited(
        &ann.sign_in_again("ann").await.map(|_| ()),
        LimitName::PasswordPerAccount,
    );
}

#[tokio::test]
async fn a_deleted_account_leaves_no_known_device() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world
        .delete_account
        .execute(&ann.reauthenticated("ann").await)
        .await
        .expect("she has shown her password");
    assert_eq!(world.accounts.inner().known_devices(ann.user), []);
}

#[tokio::test]
async fn a_thief_of_an_id_token_guesses_no_faster_and_locks_nobody_out() {
    let world = World::new();
    let (ann, elsewhere) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let caller = |client: &TestClient<'_>, number| Caller {
        client: from(number),
        ..client.caller()
    };
    let change = |current: &str| ChangePasswordRequest {
        current: Some(World::password(current)),
        new: World::password("ann's new password"),
    };
    let to_email = || UpdateDetailsRequest {
        change: revolve_domain::model::DetailsChange {
            email: EmailAddress::parse("eve@example.org").ok(),
            ..Default::default()
        },
        current_password: Some(World::password("a guess")),
        ..UpdateDetailsRequest::default()
    };
    for number in 0..10 {
        let wrong = world
            .change_password
            .execute(&caller(&ann, number), change("a guess"))
            .await;
        assert!(
            matches!(wrong, Err(ChangePasswordError::WrongPassword)),
            "{wrong:?}"
        );
        let wrong = world
            .update_details
            .execute(&caller(&ann, number), to_email())
            .await;
        assert!(
            matches!(wrong, Err(UpdateDetailsError::WrongPassword)),
            "{wrong:?}"
        );
    }
    let calls = world.hasher.calls();
    let limited = world
        .change_password
        .execute(&caller(&ann, 11), change("ann's password"))
        .await;
    assert!(
        matches!(
            limited,
            Err(ChangePasswordError::Refused(Refused::Limited(_)))
        ),
        "right or not: {limited:?}"
    );
    let limited = world
        .update_details
        .execute(&caller(&ann, 12), to_email())
        .await;
    assert!(
        matches!(
            limited,
            Err(UpdateDetailsError::Refused(Refused::Limited(_)))
        ),
        "{limited:?}"
    );
    assert_eq!(world.hasher.calls(), calls, "what is refused costs no hash");

    world
        .change_password
        .execute(&caller(&elsewhere, 1), change("ann's password"))
        .await
        .expect("another session has its own budget");
}

#[tokio::test]
async fn a_reached_limit_is_told_once_in_its_window() {
    let world = World::new();
    world.signed_up("ann").await;
    world.events.take();
    let told = |events: Vec<SecurityEvent>| {
        events
            .iter()
            .filter(|event| event.name() == "limit.reached")
            .count()
    };
    for _ in 0..3 {
        for number in 0..200 {
            let _ = guessed(&world, guess("ann", from(number))).await;
        }
        assert_eq!(told(world.events.take()), 1, "however much is refused");
        world.advance(secs(900));
    }
}

#[tokio::test]
async fn limits_can_be_changed_and_switched_off_while_the_service_runs() {
    let world = World::new();
    world.signed_up("ann").await;
    attack(&world, "ann").await;
    world.rates.set(LimitPolicy {
        password_per_account: Limit::Off,
        ..world.rates.get()
    });
    for _ in 0..60 {
        assert_wrong(&guessed(&world, guess("ann", from(200))).await);
    }
    assert_limited(
        &guessed(&world, guess("ann", from(200))).await,
        LimitName::PasswordPerAddress,
    );
    world.rates.set(LimitPolicy {
        password_per_account: "1/1m".parse().expect("a rate"),
        ..world.rates.get()
    });
    assert_limited(
        &guessed(&world, guess("ann", from(201))).await,
        LimitName::PasswordPerAccount,
    );
    world.rates.set(LimitPolicy::OFF);
    for _ in 0..100 {
        assert_wrong(&guessed(&world, guess("ann", from(200))).await);
    }
}

#[tokio::test]
async fn an_ipv6_customer_is_one_address() {
    let world = World::new();
    let from = |last: u16| ClientInfo {
        address: Some([0x2001, 0xdb8, 1, 2, last, 0, 0, 1].into()),
        ..ClientInfo::default()
    };
    for number in 0..60 {
        assert_wrong(&guessed(&world, guess(&format!("somebody{number}"), from(number))).await);
    }
    assert_limited(
        &guessed(&world, guess("another", from(60))).await,
        LimitName::PasswordPerAddress,
    );
    let neighbour = ClientInfo {
        address: Some([0x2001_u16, 0xdb8, 1, 3, 0, 0, 0, 1].into()),
        ..ClientInfo::default()
    };
    assert_wrong(&guessed(&world, guess("another", neighbour)).await);
}

#[tokio::test]
async fn without_the_limiter_no_password_is_looked_at() {
    let world = World::new();
    world.signed_up("ann").await;
    world.limiter.fail(Fault::Before);
    let calls = world.hasher.calls();
    let failed = world.try_sign_in("ann").await.map(|_| ());
    assert!(matches!(failed, Err(SignInError::Failed(_))), "{failed:?}");
    assert_eq!(world.hasher.calls(), calls);
    world.limiter.fail_on("give_back", Fault::Before);
    world.signed_in("ann").await;
}
