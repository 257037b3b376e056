//! For whom passwords are hashed and judged, and when not: what a hasher shares its time by.

use revolve_domain::{
    limits::AddressRange,
    model::{ClientInfo, DetailsChange, EmailAddress},
    ports::{HashFlow, UserRepository},
    use_cases::{
        Caller, ChangePasswordRequest, Failure, SignInError, SignInRequest, UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use std::net::IpAddr;

/// Two addresses of one customer.
const ADDRESSES: [&str; 2] = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9"];

fn client(address: &str) -> ClientInfo {
    ClientInfo {
        address: Some(address.parse().expect("an address")),
        ..ClientInfo::default()
    }
}

fn from(user: &TestClient<'_>, address: &str) -> Caller {
    Caller {
        client: client(address),
        ..user.caller()
    }
}

fn flow(name: &str, known: bool) -> HashFlow {
    let address: IpAddr = ADDRESSES[0].parse().expect("an address");
    HashFlow {
        account: World::request(name).email,
        address: Some(AddressRange::of(address, 64)),
        known,
    }
}

#[tokio::test]
async fn every_hash_is_for_the_typed_address_and_the_customers_network() {
    let world = World::new();
    let request = |name: &str, address: &str| SignInRequest {
        client: client(address),
        ..World::request(name)
    };
    let begun = world.sign_up.execute(request("ann", ADDRESSES[0])).await;
    let ann = world.client(begun.expect("signed up"));
    assert_eq!(world.hasher.take_flows(), [flow("ann", false)], "a sign-up");
    assert_eq!(world.strength.take_flows(), [flow("ann", false)]);

    for (name, credential, known) in [
        ("ann", None, false),
        ("nobody", None, false),
        ("ann", Some(&ann.credential), true),
        ("nobody", Some(&ann.credential), false),
    ] {
        let request = SignInRequest {
            device_credentials: credential.cloned().into_iter().collect(),
            ..request(name, ADDRESSES[1])
        };
        let outcome = world.sign_in.execute(request).await;
        assert_eq!(
            matches!(outcome, Err(SignInError::InvalidCredentials)),
            name == "nobody"
        );
        assert_eq!(
            world.hasher.take_flows(),
            [flow(name, known)],
            "whether or not there is an account; only a device of this user is known"
        );
    }
    world.hasher.change_parameters();
    world
        .sign_in
        .execute(request("ann", ADDRESSES[1]))
        .await
        .expect("signed in");
    assert_eq!(
        world.hasher.take_flows(),
        [flow("ann", false), flow("ann", false)],
        "the check, and the renewal of an outdated hash"
    );
}

#[tokio::test]
async fn the_current_password_is_checked_as_one_of_a_known_client() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.hasher.take_flows();
    world.strength.take_flows();
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("a new password"),
    };
    world
        .change_password
        .execute(&from(&ann, ADDRESSES[0]), change)
        .await
        .expect("the password is hers");
    assert_eq!(
        world.hasher.take_flows(),
        [flow("ann", true), flow("ann", true)],
        "the check, and the new hash"
    );
    assert_eq!(
        world.strength.take_flows(),
        [flow("ann", true)],
        "the new password is judged"
    );
    let request = UpdateDetailsRequest {
        change: DetailsChange {
            email: Some(EmailAddress::parse("eve@example.org").expect("an address")),
            ..DetailsChange::default()
        },
        current_password: Some(World::password("a new password")),
    };
    world
        .update_details
        .execute(&from(&ann, ADDRESSES[1]), request)
        .await
        .expect("the password is hers");
    assert_eq!(world.hasher.take_flows(), [flow("ann", true)]);
}

#[tokio::test]
async fn a_borrowed_credential_is_refused_like_a_stranger_once_the_account_is_read() {
    let world = World::new();
    let (ann, eve) = (world.signed_up("ann").await, world.signed_up("eve").await);
    world.hasher.overload_with_strangers(true);
    let with = |credential: &TestClient<'_>| SignInRequest {
        device_credentials: vec![credential.credential.clone()],
        ..World::request("ann")
    };
    let begun = world.sign_in.execute(with(&ann)).await;
    begun.expect("the owner is no stranger");
    world.limiter.fail(Fault::Before);
    for request in [World::request("ann"), with(&eve)] {
        let begun = world.sign_in.execute(request).await.map(drop);
        assert!(
            matches!(&begun, Err(SignInError::Failed(Failure::Store(error))) if error.store() == "hasher"),
            "refused by the hasher, before the limits are asked: {begun:?}"
        );
    }
}

#[tokio::test]
async fn a_hash_is_not_renewed_while_others_wait_and_the_sign_in_succeeds() {
    let world = World::new();
    world.signed_up("ann").await;
    let stored = async || {
        let email = World::request("ann").email;
        let found = world.accounts.credentials_by_email(&email, &[]).await;
        let found = found.expect("credentials_by_email works");
        found.expect("the account is there").hash
    };
    let outdated = stored().await;
    world.hasher.change_parameters();
    world.hasher.occupy(true);
    world.hasher.take_flows();
    world.signed_in("ann").await;
    assert_eq!(world.hasher.take_flows().len(), 1, "the check only");
    assert_eq!(stored().await.expose(), outdated.expose());

    world.hasher.occupy(false);
    world.signed_in("ann").await;
    assert_ne!(stored().await.expose(), outdated.expose(), "another time");
}
