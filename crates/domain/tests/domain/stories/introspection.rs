//! Whether a token counts is told, and nothing changes by the question.

use super::{LATE, secs};
use revolve_domain::{
    model::{Generation, SessionId, UserId},
    ports::{StoreError, StoreErrorKind, TokenRepository},
    use_cases::{ActiveToken, SignOutScope},
};
use revolve_testkit::{World, memory::Fault};
use secrecy::SecretString;

async fn told(world: &World, token: &SecretString) -> Option<ActiveToken> {
    let told = world.admin.introspect_token.execute(token).await;
    told.expect("nothing is down")
}

/// Whose ID token it is, if it counts.
async fn id_token(world: &World, token: &SecretString) -> Option<(UserId, SessionId)> {
    match told(world, token).await? {
        ActiveToken::Id { claims, user } => {
            assert_eq!(claims.user, user.id);
            Some((claims.user, claims.session))
        }
        ActiveToken::Refresh(claims) => panic!("taken for a refresh token: {claims:?}"),
    }
}

/// The generation of a refresh token, if it counts.
async fn generation(world: &World, token: &SecretString) -> Option<u64> {
    match told(world, token).await? {
        ActiveToken::Refresh(claims) => Some(claims.generation.number()),
        ActiveToken::Id { claims, .. } => panic!("taken for an ID token: {claims:?}"),
    }
}

#[track_caller]
fn assert_unavailable(told: Result<Option<ActiveToken>, StoreError>) {
    match told {
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable),
        Ok(told) => panic!("something is said of the token: {told:?}"),
    }
}

#[tokio::test]
async fn each_token_of_a_live_session_counts_for_what_it_is() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let entry = ann.entry();
    world.events.take();
    for _ in 0..3 {
        let found = id_token(&world, &ann.id_token).await;
        assert_eq!(found, Some((ann.user, ann.session)));
        assert_eq!(generation(&world, &ann.refresh_token).await, Some(1));
    }
    assert_eq!(ann.entry(), entry, "nothing was rotated");
    assert!(world.events.take().is_empty(), "nothing happened");
}

#[tokio::test]
async fn of_a_chain_the_newest_token_counts() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let parent = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    assert_eq!(generation(&world, &parent).await, None, "it was replaced");
    assert_eq!(generation(&world, &ann.refresh_token).await, Some(2));
    let again = ann.present(&parent).await.expect("a retry is answered");
    assert_eq!(
        generation(&world, &again.tokens.refresh_token).await,
        Some(2)
    );
}

#[tokio::test]
async fn a_token_that_the_white_list_has_forgotten_counts_until_it_expires() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let old = ann.entry();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.tokens.inner().restore(ann.user, ann.session, old);
    assert_eq!(
        generation(&world, &ann.refresh_token).await,
        Some(3),
        "the next refresh heals the white list"
    );
    ann.refresh().await.expect("as was said");
    assert_eq!(generation(&world, &ann.refresh_token).await, Some(4));
    world.tokens.inner().restore(ann.user, ann.session, None);
    assert_eq!(
        generation(&world, &ann.refresh_token).await,
        None,
        "there is nothing to heal"
    );
}

#[tokio::test]
async fn another_token_of_the_same_generation_does_not_count() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let (first, old) = (ann.refresh_token.clone(), ann.entry());
    ann.refresh().await.expect("the session lives");
    let lost = ann.refresh_token.clone();
    world.tokens.inner().restore(ann.user, ann.session, old);
    world.advance(secs(2));
    let forked = ann.present(&first).await.expect("the white list forgot");
    let forked = forked.tokens.refresh_token;
    assert_eq!(generation(&world, &forked).await, Some(2));
    assert_eq!(
        generation(&world, &lost).await,
        None,
        "its holder would be found out"
    );
}

#[tokio::test]
async fn tokens_of_what_is_over_do_not_count() {
    let world = World::new();
    let (ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .sign_out
        .execute(&other.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    for token in [&other.id_token, &other.refresh_token] {
        assert!(told(&world, token).await.is_none(), "signed out");
    }
    let mut reused = world.signed_in("ann").await;
    let parent = reused.refresh_token.clone();
    reused.refresh().await.expect("the session lives");
    reused.refresh().await.expect("the session lives");
    world.advance(LATE);
    reused.present(&parent).await.expect_err("it was reused");
    for token in [&reused.id_token, &reused.refresh_token, &parent] {
        assert!(told(&world, token).await.is_none(), "reused");
    }
    world.advance(world.policy.id_lifetime);
    assert_eq!(id_token(&world, &ann.id_token).await, None, "expired");
    assert_eq!(generation(&world, &ann.refresh_token).await, Some(1));
    world.advance(world.policy.refresh_lifetime);
    assert_eq!(generation(&world, &ann.refresh_token).await, None);
}

#[tokio::test]
async fn what_is_found_reused_does_not_count_before_its_row_says_so() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let parent = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    world.advance(LATE);
    world.accounts.fail_on("end_session", Fault::Before);
    ann.present(&parent).await.expect_err("it was reused");
    world.accounts.recover();
    let live = world.tokens.list(ann.user).await.expect("it is there");
    assert!(live.is_empty(), "the entry is marked: {live:?}");
    assert_eq!(generation(&world, &ann.refresh_token).await, None);
}

#[tokio::test]
async fn what_is_no_token_of_a_session_does_not_count() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    let reauthentication = caller.reauthentication.expect("it was shown");
    for token in [
        &SecretString::from("x"),
        &SecretString::from(""),
        &ann.credential,
        &reauthentication,
    ] {
        assert!(told(&world, token).await.is_none());
    }
}

#[tokio::test]
async fn a_store_that_is_down_says_nothing() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let ask = |token| world.admin.introspect_token.execute(token);
    world.accounts.fail(Fault::Before);
    assert_unavailable(ask(&ann.id_token).await);
    assert_unavailable(ask(&ann.refresh_token).await);
    world.accounts.recover();
    world.tokens.fail(Fault::Before);
    assert_unavailable(ask(&ann.refresh_token).await);
    assert!(
        told(&world, &ann.id_token).await.is_some(),
        "the row is enough for an ID token"
    );
    world.tokens.recover();
    assert_eq!(
        generation(&world, &ann.refresh_token).await,
        Some(Generation::FIRST.number())
    );
}
