//! Sign-ins: a session begins, or the answer reveals nothing.

use super::assert_passes;
use revolve_domain::{
    model::EmailAddress,
    ports::{Clock, SecurityEvent, UserRepository},
    use_cases::{SignInError, SignInRequest},
};
use revolve_testkit::{World, memory::Fault};

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let bob = world.signed_up("bob").await;
    world.accounts.inner().disable(bob.user, world.clock.now());
    world.events.take();

    let wrong_password = SignInRequest {
        password: World::password("wrong"),
        ..World::request("ann")
    };
    let no_account = SignInRequest {
        email: EmailAddress::parse("eve@example.org").expect("an address"),
        ..World::request("ann")
    };
    let disabled = World::request("bob");
    for (request, known) in [
        (wrong_password, Some(ann.user)),
        (no_account, None),
        (disabled, Some(bob.user)),
    ] {
        let calls = world.hasher.calls();
        let error = world
            .sign_in
            .execute(request)
            .await
            .expect_err("expected the sign-in to be refused");
        assert!(
            matches!(error, SignInError::InvalidCredentials),
            "the same refusal for everybody, got {error:?}"
        );
        assert_eq!(
            world.hasher.calls() - calls,
            1,
            "the same work for everybody"
        );
        let events = world.events.take();
        let [
            SecurityEvent::SignInRefused {
                user,
                address: Some(_),
            },
        ] = events.as_slice()
        else {
            panic!("one event, got {events:?}")
        };
        assert_eq!(
            *user, known,
            "the event names the account, the answer does not"
        );
    }
}

#[tokio::test]
async fn an_outdated_hash_is_made_again() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let hash = async || {
        world
            .accounts
            .inner()
            .credentials(ann.user)
            .await
            .expect("it never fails")
            .expect("she is there")
            .hash
    };
    let old = hash().await;
    world.signed_in("ann").await;
    assert_eq!(hash().await.expose(), old.expose(), "today's hash stays");
    world.hasher.change_parameters();
    world.signed_in("ann").await;
    assert_ne!(
        hash().await.expose(),
        old.expose(),
        "an outdated one is replaced"
    );
    let new = hash().await;
    world.signed_in("ann").await;
    assert_eq!(hash().await.expose(), new.expose(), "once");
}

#[tokio::test]
async fn with_the_user_database_down_at_the_commit_nothing_has_begun_or_ended() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world.events.take();
    world.accounts.fail_on("begin_session", Fault::Before);
    match ann
        .sign_in_again("ann")
        .await
        .err()
        .expect("expected the sign-in to fail")
    {
        SignInError::Failed(failure) => assert_passes(&failure),
        other => panic!("expected a failure of the user database, got {other:?}"),
    }
    world.accounts.recover();
    assert_eq!(
        world.tokens.inner().size(ann.user),
        1,
        "the new entry was taken back, the old one stayed"
    );
    assert!(world.events.take().is_empty(), "nothing happened");
    ann.refresh()
        .await
        .expect("the session that would have been replaced goes on");
}

#[tokio::test]
async fn an_answer_lost_at_the_commit_hands_out_nothing_and_a_new_try_works() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.accounts.fail_on("begin_session", Fault::After);
    assert!(
        matches!(world.try_sign_in("ann").await, Err(SignInError::Failed(_))),
        "nobody knows whether it committed"
    );
    world.accounts.recover();
    assert_eq!(
        world.tokens.inner().size(ann.user),
        1,
        "the entry of the lost session was taken back"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("a new try works");
}

#[tokio::test]
async fn a_forged_credential_is_ignored() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let request = SignInRequest {
        device_credentials: vec!["forged".into()],
        ..World::request("ann")
    };
    let begun = world
        .sign_in
        .execute(request)
        .await
        .expect("a forged credential is no obstacle");
    assert_eq!(begun.session.bound_at, None, "the session is not bound");
    let devices = world
        .accounts
        .inner()
        .rows(ann.user)
        .into_iter()
        .filter(|row| row.device == begun.session.device)
        .count();
    assert_eq!(devices, 1, "the device is a new one");
}

#[tokio::test]
async fn signing_in_again_on_a_device_replaces_its_session() {
    let world = World::new();
    let mut phone = world.signed_up("ann").await;
    let mut laptop = world.signed_in("ann").await;
    world.events.take();
    let mut again = phone
        .sign_in_again("ann")
        .await
        .expect("the credential is hers");
    assert_eq!(
        world.events.take_names(),
        ["session.replaced", "session.begun"],
        "one session for another"
    );
    assert_eq!(
        super::refusal(phone.refresh().await).code(),
        "session_replaced",
        "the old session says why"
    );
    assert_eq!(phone.entry(), None, "and has left the white list");
    again.refresh().await.expect("the new one lives");
    laptop
        .refresh()
        .await
        .expect("the other device is left alone");
}
