//! A client that names one of its tokens has signed out.

use super::{LATE, refusal};
use revolve_domain::{
    ports::StoreErrorKind,
    use_cases::{Refusal, SignOutScope},
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::SecretString;

async fn revoke(world: &World, token: &SecretString) {
    let revoked = world.revoke_token.execute(token).await;
    revoked.expect("nothing is down");
}

async fn assert_over(world: &World, client: &mut TestClient<'_>) {
    assert_eq!(client.entry(), None, "the white list is cleared at once");
    assert_eq!(refusal(client.refresh().await), Refusal::SessionRevoked);
    let me = world.me.execute(&client.id_token).await;
    assert_eq!(refusal(me), Refusal::SessionRevoked);
}

#[tokio::test]
async fn either_token_ends_its_session_and_no_other() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let mut third = world.signed_in("ann").await;
    world.events.take();
    revoke(&world, &ann.refresh_token).await;
    revoke(&world, &other.id_token).await;
    assert_eq!(
        world.events.take_names(),
        ["session.signed_out", "session.signed_out"]
    );
    assert_over(&world, &mut ann).await;
    assert_over(&world, &mut other).await;
    third.refresh().await.expect("the third one lives");
}

#[tokio::test]
async fn a_token_that_was_replaced_long_ago_is_enough() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let first = ann.refresh_token.clone();
    for _ in 0..3 {
        world.advance(LATE);
        ann.refresh().await.expect("the session lives");
    }
    revoke(&world, &first).await;
    assert_over(&world, &mut ann).await;
    let names = world.events.take_names();
    assert!(!names.contains(&"session.reused"), "no theft: {names:?}");
}

#[tokio::test]
async fn no_device_is_asked_for() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.shows_credential = true;
    ann.refresh().await.expect("the session is bound now");
    revoke(&world, &ann.refresh_token).await;
    assert_over(&world, &mut ann).await;
}

#[tokio::test]
async fn what_is_worth_nothing_ends_nothing() {
    let world = World::new();
    let (mut ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Others)
        .await
        .expect("signing out works");
    let caller = ann.reauthenticated("ann").await;
    let reauthentication = caller.reauthentication.expect("it was shown");
    world.events.take();
    for token in [
        &SecretString::from("x"),
        &ann.credential,
        &reauthentication,
        &other.refresh_token,
        &other.id_token,
    ] {
        revoke(&world, token).await;
    }
    let old = ann.id_token.clone();
    world.advance(world.policy.id_lifetime);
    revoke(&world, &old).await;
    assert!(world.events.take().is_empty(), "nothing happened");
    ann.refresh().await.expect("the session lives");
}

#[tokio::test]
async fn with_the_white_list_down_it_is_final_and_clears_later() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world.tokens.fail(Fault::Before);
    revoke(&world, &ann.refresh_token).await;
    world.tokens.recover();
    assert!(ann.entry().is_some(), "the entry is still there");
    assert_eq!(refusal(ann.refresh().await), Refusal::SessionRevoked);
    assert_eq!(world.clearings.run(&world.clear).await, 1);
    assert_over(&world, &mut ann).await;
}

#[tokio::test]
async fn with_the_user_database_down_nothing_is_claimed() {
    for operation in ["find_session", "end_session"] {
        let world = World::new();
        let mut ann = world.signed_up("ann").await;
        let before = ann.entry();
        world.accounts.fail_on(operation, Fault::Before);
        let failed = world.revoke_token.execute(&ann.refresh_token).await;
        let failed = failed.expect_err("the database is down");
        assert_eq!(failed.kind(), StoreErrorKind::Unavailable);
        assert_eq!(ann.entry(), before, "the white list is as it was");
        world.accounts.recover();
        ann.refresh().await.expect("the session goes on");
    }
}
