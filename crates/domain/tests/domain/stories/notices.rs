//! What owners are told by mail.

use super::verification::world;
use revolve_domain::{
    deliveries::DeliveryQuery,
    journal::{Actor, MailKind},
    model::ProofId,
    policy::Verification,
    ports::Deliveries,
    use_cases::ChangePasswordRequest,
};
use revolve_testkit::World;

/// The mails to an address that wait, by their kind, with the proofs that they name.
pub(super) async fn mails(world: &World, to: &str) -> Vec<(MailKind, Option<ProofId>)> {
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    let waiting = Deliveries::list(world.accounts.inner(), query).await;
    let waiting = waiting.expect("the store is up").into_iter();
    let to = waiting.filter(|delivery| delivery.mail.to.as_str() == to);
    to.map(|delivery| (delivery.mail.kind, delivery.mail.proof))
        .collect()
}

#[tokio::test]
async fn the_owner_is_told_of_what_a_thief_would_do() {
    let world = world(Verification::Off);
    let ann = world.signed_up("ann").await;
    let kinds = async || -> Vec<_> {
        let told = mails(&world, "ann@example.org").await.into_iter();
        told.map(|(kind, _)| kind).collect()
    };
    assert_eq!(kinds().await, [], "not of a sign-up");
    let elsewhere = world.signed_in("ann").await;
    assert_eq!(kinds().await, [MailKind::NewDevice]);
    elsewhere
        .sign_in_again("ann")
        .await
        .expect("the password is hers");
    assert_eq!(kinds().await, [MailKind::NewDevice], "the device is known");
    let change = ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("another password"),
    };
    world
        .change_password
        .execute(&ann.caller(), change)
        .await
        .expect("the password is hers");
    assert!(kinds().await.contains(&MailKind::PasswordChanged));
    world
        .manage_accounts
        .disable(ann.user, Actor::Operator)
        .await
        .expect("the stores are up");
    assert!(kinds().await.contains(&MailKind::AccountDisabled));
    world
        .manage_accounts
        .delete(ann.user, Actor::Operator)
        .await
        .expect("the stores are up");
    assert!(kinds().await.contains(&MailKind::AccountDeleted));
}

#[tokio::test]
async fn a_service_without_mail_leaves_none_in_the_outbox() {
    let world = World::new();
    world.signed_up("ann").await;
    world.signed_in("ann").await;
    assert_eq!(mails(&world, "ann@example.org").await, []);
}
