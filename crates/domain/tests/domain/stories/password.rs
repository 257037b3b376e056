//! A new password ends every session but the one that set it.

use super::{LATE, refusal};
use revolve_domain::{
    model::{DetailsChange, FieldError, Label},
    use_cases::{
        ChangePasswordError, ChangePasswordRequest, Refusal, SignInError, SignInRequest,
        UpdateDetailsRequest,
    },
};
use revolve_testkit::{World, memory::Fault};

fn change(current: &str) -> ChangePasswordRequest {
    ChangePasswordRequest {
        current: Some(World::password(current)),
        new: World::password("a new password"),
    }
}

#[tokio::test]
async fn this_session_goes_on_and_all_others_end() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world
        .change_password
        .execute(&ann.caller(), change("ann's password"))
        .await
        .expect("the password is hers");
    assert_eq!(
        refusal(other.refresh().await),
        Refusal::SessionRevoked,
        "the other one is over"
    );
    assert_eq!(
        refusal(world.me.execute(&other.id_token).await),
        Refusal::SessionRevoked,
        "at once"
    );
    assert_eq!(other.entry(), None, "the white list is cleared");
    for _ in 0..3 {
        ann.refresh()
            .await
            .expect("this one goes on with its tokens");
        world.advance(LATE);
    }
    assert!(
        matches!(
            world.try_sign_in("ann").await,
            Err(SignInError::InvalidCredentials)
        ),
        "the old password is wrong now"
    );
    let request = SignInRequest {
        password: World::password("a new password"),
        ..World::request("ann")
    };
    world
        .sign_in
        .execute(request)
        .await
        .expect("the new one is right");
}

#[tokio::test]
async fn a_wrong_password_changes_nothing() {
    let world = World::new();
    let (ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let refused = world
        .change_password
        .execute(&ann.caller(), change("wrong"))
        .await;
    assert!(
        matches!(refused, Err(ChangePasswordError::WrongPassword)),
        "got {refused:?}"
    );
    other.refresh().await.expect("nothing changed");
    world.signed_in("ann").await;
}

#[tokio::test]
async fn with_a_store_down_it_happens_whole_or_not_at_all() {
    let world = World::new();
    let (mut ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    world.accounts.fail_on("change_password", Fault::Before);
    let failed = world
        .change_password
        .execute(&ann.caller(), change("ann's password"))
        .await;
    let Err(ChangePasswordError::Refused(failed)) = failed else {
        panic!("expected a failure, got {failed:?}")
    };
    super::assert_unavailable(Err::<(), _>(failed));
    world.accounts.recover();
    other.refresh().await.expect("nothing changed");

    world.tokens.fail(Fault::Before);
    world
        .change_password
        .execute(&ann.caller(), change("ann's password"))
        .await
        .expect("the commit is what counts");
    world.tokens.recover();
    assert_eq!(
        refusal(other.refresh().await),
        Refusal::SessionRevoked,
        "the other one is over, cleared or not"
    );
    assert_eq!(
        world.clearings.run(&world.clear).await,
        1,
        "the clearing was deferred"
    );
    assert_eq!(other.entry(), None, "and is done now");
    ann.refresh().await.expect("this one goes on");
}

#[tokio::test]
async fn a_new_password_must_not_be_easy_to_guess_but_an_old_one_may() {
    let world = World::new();
    let (ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let name = Some(Label::parse("Ann Onymous").ok());
    let renamed = DetailsChange {
        name,
        ..DetailsChange::default()
    };
    let details = UpdateDetailsRequest {
        change: renamed,
        ..UpdateDetailsRequest::default()
    };
    world
        .update_details
        .execute(&ann.caller(), details)
        .await
        .expect("a name");
    let judged = world.strength.calls();
    for (new, fault) in [
        ("sunshine", FieldError::TooCommon),
        ("ann@example.org", FieldError::ContainsOwnDetails),
        ("ann onymous", FieldError::ContainsOwnDetails),
        ("Ann's Device", FieldError::ContainsOwnDetails),
    ] {
        let request = ChangePasswordRequest {
            new: World::password(new),
            ..change("ann's password")
        };
        let refused = world.change_password.execute(&ann.caller(), request).await;
        assert!(
            matches!(refused, Err(ChangePasswordError::WeakPassword(found)) if found == fault),
            "{new}: got {refused:?}"
        );
    }
    assert_eq!(world.strength.calls(), judged + 4);
    other.refresh().await.expect("nothing changed");
    world.signed_in("ann").await;
    assert_eq!(
        world.strength.calls(),
        judged + 4,
        "who shows a password is not asked for a better one"
    );
}
