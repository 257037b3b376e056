//! A sign-out is final, whatever the white list does.

use super::{LATE, assert_unavailable, refusal};
use revolve_domain::{
    model::EndReason,
    policy::SessionPolicy,
    ports::Clearing,
    use_cases::{EndSessionError, Refusal, SignOutScope},
};
use revolve_testkit::{World, memory::Fault, world::TestClient};
use secrecy::SecretString;

async fn assert_over(world: &World, client: &mut TestClient<'_>) {
    assert_eq!(
        refusal(client.refresh().await),
        Refusal::SessionRevoked,
        "its refresh token is worth nothing"
    );
    assert_eq!(
        refusal(world.me.execute(&client.id_token).await),
        Refusal::SessionRevoked,
        "nor is its ID token, at once"
    );
}

#[tokio::test]
async fn this_session_ends_and_the_others_go_on() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    assert_eq!(ann.entry(), None, "the white list is cleared at once");
    assert_over(&world, &mut ann).await;
    other.refresh().await.expect("the other session lives");
}

#[tokio::test]
async fn the_others_end_and_this_session_goes_on() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Others)
        .await
        .expect("signing out works");
    assert_eq!(
        (other.entry(), ann.entry().is_some()),
        (None, true),
        "the white list is cleared at once, but for the one that asked"
    );
    assert_over(&world, &mut other).await;
    ann.refresh().await.expect("the one that asked lives");
    let mut newer = world.signed_in("ann").await;
    newer.refresh().await.expect("a newer one lives");
    world
        .sign_out
        .execute(&newer.caller(), SignOutScope::Others)
        .await
        .expect("signing out works again");
    assert_over(&world, &mut ann).await;
    newer.refresh().await.expect("now the newer one is kept");
}

#[tokio::test]
async fn everywhere_ends_all_and_a_new_sign_in_begins_afresh() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let mut bob = world.signed_up("bob").await;
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await
        .expect("signing out works");
    assert_over(&world, &mut ann).await;
    assert_over(&world, &mut other).await;
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("a new sign-in works");
    bob.refresh().await.expect("nobody else is signed out");
}

#[tokio::test]
async fn a_refresh_token_of_any_generation_ends_its_session() {
    for generations in 0..3 {
        let world = World::new();
        let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
        let first = ann.refresh_token.clone();
        ann.shows_credential = true;
        for _ in 0..generations {
            ann.refresh().await.expect("the session lives");
        }
        for token in [&first, &ann.refresh_token] {
            assert_eq!(world.sign_out.refusal_of(token).await, None);
        }
        world
            .sign_out
            .by_refresh_token(&first)
            .await
            .expect("signing out needs neither the newest token nor the device");
        assert_eq!(ann.entry(), None, "the white list is cleared at once");
        assert_over(&world, &mut ann).await;
        for token in [&first, &ann.refresh_token] {
            let over = Some(Refusal::SessionRevoked);
            assert_eq!(world.sign_out.refusal_of(token).await, over);
            let again = world.sign_out.by_refresh_token(token).await;
            assert_eq!(refusal(again), Refusal::SessionRevoked);
        }
        other.refresh().await.expect("the other session lives");
    }
}

#[tokio::test]
async fn only_a_refresh_token_that_is_valid_signs_out() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let forged = SecretString::from("a.b.c");
    for token in [&ann.id_token, &forged] {
        let refused = world.sign_out.by_refresh_token(token).await;
        assert_eq!(refusal(refused), Refusal::TokenInvalid);
    }
    let old = ann.refresh_token.clone();
    let lifetime = SessionPolicy::default().refresh_lifetime;
    world.advance(lifetime.saturating_sub(LATE));
    ann.refresh().await.expect("it has not expired yet");
    world.advance(LATE);
    let refused = world.sign_out.by_refresh_token(&old).await;
    assert_eq!(refusal(refused), Refusal::TokenExpired);
    ann.refresh().await.expect("the session goes on");

    world.accounts.fail_on("find_session", Fault::Before);
    let newest = &ann.refresh_token;
    assert_unavailable(world.sign_out.by_refresh_token(newest).await);
    assert_eq!(world.sign_out.refusal_of(newest).await, None, "unknown");
    world.accounts.recover();
    ann.refresh().await.expect("the session goes on");
}

#[tokio::test]
async fn with_the_white_list_down_a_sign_out_is_final_and_clears_later() {
    for scope in [SignOutScope::This, SignOutScope::Everywhere] {
        let world = World::new();
        let mut ann = world.signed_up("ann").await;
        world.tokens.fail(Fault::Before);
        world
            .sign_out
            .execute(&ann.caller(), scope)
            .await
            .expect("the row is what counts");
        assert_over(&world, &mut ann).await;
        world.tokens.recover();
        assert!(ann.entry().is_some(), "the entry is still there");
        assert_over(&world, &mut ann).await;
        assert_eq!(
            world.clearings.run(&world.clear).await,
            1,
            "the clearing was deferred"
        );
        assert_eq!(ann.entry(), None, "and is done now");
        assert_over(&world, &mut ann).await;
    }
}

#[tokio::test]
async fn a_late_clearing_never_meets_a_newer_session() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.tokens.fail(Fault::Before);
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Everywhere)
        .await
        .expect("the row is what counts");
    world.tokens.recover();
    let mut newer = world.signed_in("ann").await;
    newer.refresh().await.expect("the newer session lives");
    world.clearings.run(&world.clear).await;
    assert_eq!(ann.entry(), None, "the older one is cleared");
    newer.refresh().await.expect("the newer one still lives");
}

#[tokio::test]
async fn a_white_list_from_an_old_file_does_not_undo_a_sign_out() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let old = ann.entry();
    ann.refresh().await.expect("the session lives");
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    world.tokens.inner().restore(ann.user, ann.session, old);
    assert_over(&world, &mut ann).await;
    world.advance(LATE);
    assert_over(&world, &mut ann).await;
}

#[tokio::test]
async fn with_the_user_database_down_nothing_is_claimed() {
    for scope in [
        SignOutScope::This,
        SignOutScope::Others,
        SignOutScope::Everywhere,
    ] {
        for operation in [
            "find_session",
            if scope == SignOutScope::This {
                "end_session"
            } else {
                "end_all_sessions"
            },
        ] {
            let world = World::new();
            let mut ann = world.signed_up("ann").await;
            let before = ann.entry();
            world.events.take();
            world.accounts.fail_on(operation, Fault::Before);
            assert_unavailable(world.sign_out.execute(&ann.caller(), scope).await);
            assert!(world.events.take().is_empty(), "nothing happened");
            assert_eq!(ann.entry(), before, "the white list is as it was");
            world.accounts.recover();
            ann.refresh().await.expect("the session goes on");
        }
    }
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_still_signs_out() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world.accounts.fail_on("end_session", Fault::After);
    assert_unavailable(
        world
            .sign_out
            .execute(&ann.caller(), SignOutScope::This)
            .await,
    );
    world.accounts.recover();
    assert_over(&world, &mut ann).await;
}

#[tokio::test]
async fn another_of_the_users_sessions_can_be_ended_and_nobody_elses() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let mut bob = world.signed_up("bob").await;
    let listed = world
        .list_sessions
        .execute(&ann.caller())
        .await
        .expect("the session lives");
    assert_eq!(listed.len(), 2, "both of her sessions");
    assert!(
        listed
            .iter()
            .all(|view| view.current == (view.session.id == ann.session)),
        "one of them is this one"
    );

    let end = async |session| world.end_session.execute(&ann.caller(), session).await;
    assert!(
        matches!(end(bob.session).await, Err(EndSessionError::NotFound)),
        "another user's session"
    );
    end(other.session).await.expect("her other session");
    end(other.session)
        .await
        .expect("over already is what was asked for");
    assert_over(&world, &mut other).await;
    assert_eq!(
        world
            .list_sessions
            .execute(&ann.caller())
            .await
            .expect("the session lives")
            .len(),
        1,
        "it is listed no more"
    );
    ann.refresh().await.expect("this one lives");
    bob.refresh().await.expect("his lives");
}

#[tokio::test]
async fn what_is_deferred_says_what_is_to_be_done() {
    let world = World::new();
    let (ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world.tokens.fail(Fault::Before);
    world
        .end_session
        .execute(&ann.caller(), other.session)
        .await
        .expect("the row is what counts");
    let expected = Clearing::Sessions {
        user: ann.user,
        sessions: vec![other.session],
    };
    assert_eq!(
        world.clearings.pending(),
        [expected],
        "the session by its id"
    );
    let reason = world
        .accounts
        .inner()
        .rows(ann.user)
        .into_iter()
        .find_map(|row| row.ending)
        .map(|ending| ending.reason);
    assert_eq!(
        reason,
        Some(EndReason::SignedOut),
        "the row has ended already"
    );
}

#[tokio::test]
async fn a_session_that_can_not_be_refreshed_is_listed_only_to_itself() {
    let world = World::new();
    let (ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    for lost in [&ann, &other] {
        world.tokens.inner().restore(lost.user, lost.session, None);
    }
    let listed = world
        .list_sessions
        .execute(&ann.caller())
        .await
        .expect("the row lives");
    assert_eq!(
        listed
            .iter()
            .map(|view| view.session.id)
            .collect::<Vec<_>>(),
        [ann.session],
        "only the one that asks"
    );
}
