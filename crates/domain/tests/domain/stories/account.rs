//! Changes of an account's details, and its deletion.

use super::refusal;
use revolve_domain::{
    model::{ClientInfo, DetailsChange, EmailAddress, Label},
    use_cases::{Refusal, UpdateDetailsError, UpdateDetailsRequest},
};
use revolve_testkit::{World, memory::TestCodec};

fn to_email(address: &str, password: Option<&str>) -> UpdateDetailsRequest {
    let email = Some(EmailAddress::parse(address).expect("an address"));
    UpdateDetailsRequest {
        change: DetailsChange {
            email,
            ..DetailsChange::default()
        },
        current_password: password.map(World::password),
        ..UpdateDetailsRequest::default()
    }
}

#[tokio::test]
async fn details_change_and_the_next_tokens_say_so() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let name = Label::parse("Ann").expect("a name");
    let change = DetailsChange {
        name: Some(Some(name.clone())),
        ..DetailsChange::default()
    };
    let request = UpdateDetailsRequest {
        change,
        ..UpdateDetailsRequest::default()
    };
    let user = world
        .update_details
        .execute(&ann.caller(), request)
        .await
        .expect("no password is needed for a name")
        .user;
    assert_eq!(
        user.details.name,
        Some(name),
        "the answer has the account as it is now"
    );
    assert_eq!(
        world
            .me
            .execute(&ann.id_token)
            .await
            .expect("the session lives"),
        user,
        "and so it stays"
    );
    ann.refresh().await.expect("the session lives");
    assert_eq!(
        TestCodec::read(&ann.id_token)["user"]["name"],
        "Ann",
        "the next ID token says so"
    );
}

#[tokio::test]
async fn a_new_address_demands_the_password() {
    let world = World::new();
    let (ann, _bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    let refused = world
        .update_details
        .execute(&ann.caller(), to_email("new@example.org", None))
        .await;
    assert!(
        matches!(refused, Err(UpdateDetailsError::ReauthenticationRequired)),
        "missing, got {refused:?}"
    );
    let refused = world
        .update_details
        .execute(&ann.caller(), to_email("new@example.org", Some("wrong")))
        .await;
    assert!(
        matches!(refused, Err(UpdateDetailsError::WrongPassword)),
        "wrong, got {refused:?}"
    );
    let taken = world
        .update_details
        .execute(
            &ann.caller(),
            to_email("bob@example.org", Some("ann's password")),
        )
        .await;
    assert!(
        matches!(taken, Err(UpdateDetailsError::EmailTaken)),
        "it is another's, got {taken:?}"
    );
    world.events.take();
    let request = to_email("new@example.org", Some("ann's password"));
    let user = world
        .update_details
        .execute(&ann.caller(), request)
        .await
        .expect("the password is hers")
        .user;
    assert_eq!(
        user.email.as_str(),
        "new@example.org",
        "the address has changed"
    );
    assert_eq!(
        world.events.take_names(),
        ["email.changed"],
        "somebody should know"
    );
    assert!(
        world.try_sign_in("ann").await.is_err(),
        "the old address finds nobody"
    );
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing_that_works_and_nothing_personal() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .delete_account
        .execute(&ann.reauthenticated("ann").await)
        .await
        .expect("she has shown her password");
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::SessionRevoked,
        "no refresh"
    );
    assert_eq!(
        refusal(other.refresh().await),
        Refusal::SessionRevoked,
        "on no device"
    );
    assert_eq!(
        refusal(world.me.execute(&ann.id_token).await),
        Refusal::SessionRevoked,
        "no bearer call"
    );
    assert!(world.try_sign_in("ann").await.is_err(), "no sign-in");
    assert_eq!(
        world.tokens.inner().size(ann.user),
        0,
        "no white-list entry"
    );
    for row in world.accounts.inner().rows(ann.user) {
        assert_eq!(
            (row.device_name, row.client),
            (None, ClientInfo::default()),
            "nothing about devices and addresses"
        );
    }
    let again = world.signed_up("ann").await;
    assert_ne!(
        again.user, ann.user,
        "the address is free, for another account"
    );
}
