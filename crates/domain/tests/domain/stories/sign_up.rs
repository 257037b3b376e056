//! Accounts begin, or nothing does.

use super::assert_passes;
use revolve_domain::{
    model::{EndReason, FieldError},
    ports::{Clearing, StoreErrorKind, UserRepository},
    use_cases::{Failure, SignInRequest, SignUpError},
};
use revolve_testkit::{World, memory::Fault};

async fn exists(world: &World, name: &str) -> bool {
    world
        .accounts
        .inner()
        .credentials_by_email(&World::request(name).email, &[])
        .await
        .expect("the store itself never fails")
        .is_some()
}

#[track_caller]
fn assert_failed(result: Result<revolve_testkit::world::TestClient<'_>, SignUpError>) {
    match result.err().expect("expected the sign-up to fail") {
        SignUpError::Failed(failure) => assert_passes(&failure),
        other => panic!("expected a failure of a store, got {other:?}"),
    }
}

#[tokio::test]
async fn with_a_store_down_nothing_is_half_made_and_the_same_request_works_later() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        world.tokens.fail(fault);
        assert_failed(world.try_sign_up("ann").await);
        assert!(
            !exists(&world, "ann").await,
            "no account without its white-list entry"
        );
        world.tokens.recover();
        world
            .signed_up("ann")
            .await
            .refresh()
            .await
            .expect("the same request works later");
    }
    for operation in ["credentials_by_email", "create_account"] {
        let world = World::new();
        world.accounts.fail_on(operation, Fault::Before);
        assert_failed(world.try_sign_up("ann").await);
        assert!(!exists(&world, "ann").await, "no account without a commit");
        let pending = world.clearings.pending();
        assert!(
            !pending
                .iter()
                .any(|clearing| matches!(clearing, Clearing::Sessions { .. })),
            "the white list was cleared at once: {pending:?}"
        );
        assert!(world.events.take().is_empty(), "nothing happened");
        world.accounts.recover();
        world
            .signed_up("ann")
            .await
            .refresh()
            .await
            .expect("the same request works later");
    }
}

#[tokio::test]
async fn a_white_list_that_failed_just_now_is_not_asked_again_before_the_answer() {
    let world = World::new();
    world.signed_up("bob").await;
    world.tokens.fail_on("begin_entry", Fault::After);
    assert_failed(world.try_sign_up("ann").await);
    assert!(world.try_sign_in("bob").await.is_err(), "nor at a sign-in");
    let pending = world.clearings.pending();
    let users: Vec<_> = pending
        .iter()
        .map(|clearing| match clearing {
            Clearing::Sessions { user, sessions } if sessions.len() == 1 => *user,
            other => panic!("expected a session to be cleared, got {other:?}"),
        })
        .collect();
    assert_eq!(
        users.len(),
        2,
        "what may have been stored is taken back later, by each of them"
    );
    let sizes = || {
        users
            .iter()
            .map(|user| world.tokens.inner().size(*user))
            .collect::<Vec<_>>()
    };
    assert_eq!(sizes(), [1, 2], "the answers were lost after it was stored");
    world.tokens.recover();
    assert_eq!(
        world.clearings.run(&world.clear).await,
        2,
        "the white list is back"
    );
    assert_eq!(sizes(), [0, 1], "bob's first session stays");
}

#[tokio::test]
async fn with_both_stores_down_the_entry_goes_later() {
    let world = World::new();
    world.accounts.fail_on("create_account", Fault::Before);
    world.tokens.fail_on("end_entries", Fault::Before);
    assert_failed(world.try_sign_up("ann").await);
    let pending = world.clearings.pending();
    let [Clearing::Sessions { user, sessions }, Clearing::Row { .. }] = pending.as_slice() else {
        panic!("expected the entry and the row to be cleared, got {pending:?}")
    };
    assert!(
        world.tokens.inner().entry(*user, sessions[0]).is_some(),
        "the entry could not be taken back yet"
    );
    assert_eq!(
        world.clearings.run(&world.clear).await,
        0,
        "the white list is still down"
    );
    world.tokens.recover();
    assert_eq!(
        world.clearings.run(&world.clear).await,
        2,
        "the white list is back, and there is no row"
    );
    assert_eq!(world.tokens.inner().size(*user), 0, "the entry is gone");
}

#[tokio::test]
async fn an_answer_lost_after_the_commit_leaves_an_account_to_sign_in_to() {
    let world = World::new();
    world.accounts.fail_on("create_account", Fault::After);
    assert_failed(world.try_sign_up("ann").await);
    world.accounts.recover();
    assert!(
        matches!(world.try_sign_up("ann").await, Err(SignUpError::EmailTaken)),
        "the account is there"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("signing in works");
}

#[tokio::test]
async fn a_session_whose_answer_was_lost_takes_no_place() {
    let world = World::new();
    world.accounts.fail_on("create_account", Fault::After);
    assert_failed(world.try_sign_up("ann").await);
    world.accounts.recover();
    assert_eq!(world.clearings.run(&world.clear).await, 1);
    let ann = world.signed_in("ann").await;
    let rows = world.accounts.inner().rows(ann.user);
    let ended: Vec<_> = rows.iter().filter_map(|row| row.ending).collect();
    assert_eq!((rows.len(), ended.len()), (2, 1), "that one");
    assert_eq!(ended[0].reason, EndReason::Expired);
    assert_eq!(world.tokens.inner().size(ann.user), 1);
}

#[tokio::test]
async fn a_taken_address_is_refused_before_anything_is_hashed() {
    let world = World::new();
    world.signed_up("ann").await;
    let calls = world.hasher.calls();
    assert!(
        matches!(world.try_sign_up("ann").await, Err(SignUpError::EmailTaken)),
        "the address is taken"
    );
    assert_eq!(world.hasher.calls(), calls, "nothing was hashed");
}

#[tokio::test]
async fn of_two_sign_ups_at_once_one_creates_the_account() {
    let world = World::new();
    let held = world.hasher.hold();
    let (one, other, ()) =
        tokio::join!(world.try_sign_up("ann"), world.try_sign_up("ann"), async {
            held.wait_for(2).await;
            held.release();
        });
    let (Ok(mut winner), Err(SignUpError::EmailTaken)) = (if one.is_ok() {
        (one, other)
    } else {
        (other, one)
    }) else {
        panic!("expected one of them to hear that the address is taken");
    };
    winner
        .refresh()
        .await
        .expect("the acknowledged session lives");
    assert_eq!(world.tokens.inner().size(winner.user), 1, "one entry");
}

#[tokio::test]
async fn an_overload_is_a_failure_that_passes() {
    let world = World::new();
    world.hasher.overload(true);
    let error = world
        .try_sign_up("ann")
        .await
        .err()
        .expect("an overloaded hasher refuses work");
    assert!(
        matches!(error, SignUpError::Failed(Failure::Store(error)) if error.kind() == StoreErrorKind::Unavailable),
        "503"
    );
    world.hasher.overload(false);
    world.signed_up("ann").await;
}

#[tokio::test]
async fn a_password_that_would_be_guessed_is_refused_before_anything_is_hashed() {
    let world = World::new();
    for (password, fault) in [
        ("password", FieldError::TooCommon),
        ("ANN@example.org", FieldError::ContainsOwnDetails),
        ("ann's device", FieldError::ContainsOwnDetails),
    ] {
        let request = SignInRequest {
            password: World::password(password),
            ..World::request("ann")
        };
        let refused = world
            .sign_up
            .execute(request)
            .await
            .expect_err("a weak password is refused");
        assert!(
            matches!(refused, SignUpError::WeakPassword(found) if found == fault),
            "{password}: got {refused:?}"
        );
    }
    assert_eq!(world.hasher.calls(), 0, "nothing was hashed");
    assert!(!exists(&world, "ann").await, "no account");
    assert!(world.events.take().is_empty(), "nothing happened");

    world.strength.overload(true);
    assert_failed(world.try_sign_up("ann").await);
    world.strength.overload(false);
    world.signed_up("ann").await;
}
