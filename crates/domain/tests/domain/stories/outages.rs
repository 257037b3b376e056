//! A store that is down is a failure, never a refusal: clients keep their tokens.

use super::{LATE, assert_unavailable};
use revolve_domain::use_cases::{
    ChangePasswordError, ChangePasswordRequest, Failure, Refused, SignInError, SignOutScope,
    SignUpError,
};
use revolve_testkit::{World, memory::Fault};
use secrecy::ExposeSecret;

#[tokio::test]
async fn a_refresh_with_the_user_database_down_leaves_the_white_list_as_it_was() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        let mut ann = world.signed_up("ann").await;
        ann.refresh().await.expect("the session lives");
        let before = ann.entry();
        world.events.take();
        world.accounts.fail(fault);
        for _ in 0..3 {
            assert_unavailable(ann.refresh().await);
        }
        assert_eq!(ann.entry(), before, "the white list is as it was");
        assert!(world.events.take().is_empty(), "nothing happened");
        world.accounts.recover();
        world.advance(LATE);
        ann.refresh().await.expect("the same token works later");
        assert!(
            world.events.take().is_empty(),
            "as a plain refresh, not as a retry"
        );
    }
}

#[tokio::test]
async fn an_answer_that_the_white_list_lost_is_fetched_by_a_retry() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let token = ann.refresh_token.clone();
    world.tokens.fail_on("rotate", Fault::After);
    assert_unavailable(ann.refresh().await);
    world.tokens.recover();
    world.events.take();
    let first = ann
        .present(&token)
        .await
        .expect("a free retry")
        .tokens
        .refresh_token;
    world.advance(LATE);
    ann.refresh().await.expect("a late retry");
    assert_eq!(
        ann.refresh_token.expose_secret(),
        first.expose_secret(),
        "the same successor"
    );
    assert_eq!(
        world.events.take_names(),
        ["session.repeated", "session.repeated"],
        "two retries"
    );
    ann.refresh().await.expect("the successor works");
}

#[tokio::test]
async fn bearer_calls_need_no_white_list() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.tokens.fail(Fault::Before);
    assert_eq!(
        world
            .me
            .execute(&ann.id_token)
            .await
            .expect("the user database is up")
            .id,
        ann.user,
        "who is calling"
    );
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
}

#[tokio::test]
async fn bearer_calls_with_the_user_database_down_are_failures() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.accounts.fail(Fault::Before);
    assert_unavailable(world.me.execute(&ann.id_token).await);
    assert_unavailable(world.list_sessions.execute(&ann.caller()).await);
    world.accounts.recover();
    world
        .me
        .execute(&ann.id_token)
        .await
        .expect("the same token works later");
}

#[tokio::test]
async fn an_overload_of_the_hasher_is_told_before_any_store_is_asked() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.hasher.overload(true);
    world.limiter.fail(Fault::Before);
    let from_hasher =
        |failure: &Failure| matches!(failure, Failure::Store(error) if error.store() == "hasher");
    let change = ChangePasswordRequest {
        current: Some(World::password("x")),
        new: World::password("y"),
    };
    let changed = world.change_password.execute(&ann.caller(), change).await;
    assert!(
        matches!(&changed, Err(ChangePasswordError::Refused(Refused::Failed(failure))) if from_hasher(failure)),
        "{changed:?}"
    );
    world.accounts.fail(Fault::Before);
    for name in ["ann", "nobody"] {
        let begun = world.sign_in.execute(World::request(name)).await.map(drop);
        assert!(
            matches!(&begun, Err(SignInError::Failed(failure)) if from_hasher(failure)),
            "{name}: {begun:?}"
        );
        let begun = world.sign_up.execute(World::request(name)).await.map(drop);
        assert!(
            matches!(&begun, Err(SignUpError::Failed(failure)) if from_hasher(failure)),
            "{name}: {begun:?}"
        );
    }
}
