//! What is sensitive needs more than an ID token: the password shown a moment ago.

use super::{LATE, assert_unavailable, refusal, secs};
use revolve_domain::{
    journal::SecurityEvent,
    model::{DetailsChange, EmailAddress},
    policy::SessionPolicy,
    ports::Clock,
    use_cases::{
        Caller, ChangePasswordError, ChangePasswordRequest, DeleteAccountError,
        ReauthenticateError, Refusal, Refused, SignOutScope, UpdateDetailsError,
        UpdateDetailsRequest,
    },
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
};
use secrecy::ExposeSecret;

fn to_new_address() -> UpdateDetailsRequest {
    UpdateDetailsRequest {
        change: DetailsChange {
            email: EmailAddress::parse("new@example.org").ok(),
            ..DetailsChange::default()
        },
        current_password: None,
        ..UpdateDetailsRequest::default()
    }
}

pub(super) fn to_new_password() -> ChangePasswordRequest {
    ChangePasswordRequest {
        current: None,
        new: World::password("ann's new password"),
    }
}

/// Shows this as reauthentication to everything that takes one; nothing may accept it.
async fn assert_required(world: &World, caller: &Caller, why: &str) {
    let deleted = world.delete_account.execute(caller).await;
    assert!(
        matches!(deleted, Err(DeleteAccountError::ReauthenticationRequired)),
        "{why}: {deleted:?}"
    );
    let updated = world.update_details.execute(caller, to_new_address()).await;
    assert!(
        matches!(updated, Err(UpdateDetailsError::ReauthenticationRequired)),
        "{why}: {updated:?}"
    );
    let changed = world
        .change_password
        .execute(caller, to_new_password())
        .await;
    assert!(
        matches!(changed, Err(ChangePasswordError::ReauthenticationRequired)),
        "{why}: {changed:?}"
    );
}

#[tokio::test]
async fn the_password_gives_a_reauthentication_and_an_id_token_that_says_when() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let began = world.clock.now().as_seconds();
    world.advance(secs(600));
    world.events.take();
    let password = World::password("ann's password");
    let given = world
        .reauthenticate
        .execute(&ann.caller(), &password)
        .await
        .expect("the password is hers");
    assert_eq!(given.expires_in, secs(300), "five minutes");
    let events = world.events.take();
    assert!(
        matches!(events.as_slice(), [SecurityEvent::SessionReauthenticated { user, session, address: Some(_) }] if (*user, *session) == (ann.user, ann.session)),
        "{events:?}"
    );
    let now = world.clock.now().as_seconds();
    let id = TestCodec::read(&given.id_token);
    assert_eq!(
        (&id["auth_time"], &id["iat"], &id["exp"]),
        (
            &now.into(),
            &now.into(),
            &given.id_expires_at.as_seconds().into()
        )
    );
    assert_eq!(id["sid"], ann.session.to_string());
    world
        .me
        .execute(&given.id_token)
        .await
        .expect("it is an ID token of this session");
    ann.refresh().await.expect("the refresh token is as it was");
    assert_eq!(
        TestCodec::read(&ann.id_token)["auth_time"],
        began,
        "a refresh names the original authentication (OpenID Connect Core §12.2)"
    );
}

#[tokio::test]
async fn a_wrong_password_gives_nothing() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.events.take();
    let given = world
        .reauthenticate
        .execute(&ann.caller(), &World::password("wrong"))
        .await;
    assert!(
        matches!(given, Err(ReauthenticateError::WrongPassword)),
        "{given:?}"
    );
    assert!(world.events.take().is_empty());
}

#[tokio::test]
async fn guesses_come_out_of_the_same_budgets_as_all_others() {
    let world = World::new();
    let (ann, elsewhere) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let guess = World::password("a guess");
    // Ten of the session and ten of strangers, here as for a change of password.
    for _ in 0..10 {
        let wrong = world.reauthenticate.execute(&ann.caller(), &guess).await;
        assert!(
            matches!(wrong, Err(ReauthenticateError::WrongPassword)),
            "{wrong:?}"
        );
        let change = ChangePasswordRequest {
            current: Some(World::password("a guess")),
            ..to_new_password()
        };
        let wrong = world.change_password.execute(&ann.caller(), change).await;
        assert!(
            matches!(wrong, Err(ChangePasswordError::WrongPassword)),
            "{wrong:?}"
        );
    }
    let calls = world.hasher.calls();
    for password in ["a guess", "ann's password"] {
        let limited = world
            .reauthenticate
            .execute(&ann.caller(), &World::password(password))
            .await;
        assert!(
            matches!(
                limited,
                Err(ReauthenticateError::Refused(Refused::Limited(_)))
            ),
            "right or not: {limited:?}"
        );
    }
    assert_eq!(world.hasher.calls(), calls, "what is refused costs no hash");
    for _ in 0..30 {
        elsewhere.reauthenticated("ann").await;
    }
}

#[tokio::test]
async fn it_stands_in_for_the_password() {
    let world = World::new();
    let (ann, mut other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    assert_required(&world, &ann.caller(), "none").await;
    let caller = ann.reauthenticated("ann").await;
    let calls = world.hasher.calls();
    let user = world
        .update_details
        .execute(&caller, to_new_address())
        .await
        .expect("it counts for several calls")
        .user;
    assert_eq!(user.email.as_str(), "new@example.org");
    assert_eq!(world.hasher.calls(), calls, "no password is checked");
    let wrong = ChangePasswordRequest {
        current: Some(World::password("wrong")),
        ..to_new_password()
    };
    let refused = world.change_password.execute(&caller, wrong).await;
    assert!(
        matches!(refused, Err(ChangePasswordError::WrongPassword)),
        "a password that is given is checked: {refused:?}"
    );
    world
        .change_password
        .execute(&caller, to_new_password())
        .await
        .expect("it counts");
    assert_eq!(refusal(other.refresh().await), Refusal::SessionRevoked);
    assert_required(&world, &caller, "the password was changed").await;
}

#[tokio::test]
async fn it_deletes_the_account_of_an_old_session_and_a_young_session_alone_does_not() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let refused = world.delete_account.execute(&ann.caller()).await;
    assert!(
        matches!(refused, Err(DeleteAccountError::ReauthenticationRequired)),
        "she signed up just now: {refused:?}"
    );
    world.advance(secs(600));
    world
        .delete_account
        .execute(&ann.reauthenticated("ann").await)
        .await
        .expect("she has shown her password");
}

#[tokio::test]
async fn it_counts_for_five_minutes_and_no_longer_than_the_session() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    world.advance(secs(299));
    world
        .update_details
        .execute(&caller, to_new_address())
        .await
        .expect("a second is left");
    world.advance(secs(1));
    assert_required(&world, &caller, "expired").await;

    let short = World::with_policy(SessionPolicy {
        session_lifetime: secs(120),
        ..SessionPolicy::default()
    });
    let ann = short.signed_up("ann").await;
    short.advance(secs(30));
    let given = short
        .reauthenticate
        .execute(&ann.caller(), &World::password("ann's password"))
        .await
        .expect("the session lives");
    assert_eq!(given.expires_in, secs(90), "the session ends before");
}

#[tokio::test]
async fn that_of_another_session_or_user_and_other_tokens_do_not_count() {
    let world = World::new();
    let (ann, other, bob) = (
        world.signed_up("ann").await,
        world.signed_in("ann").await,
        world.signed_up("bob").await,
    );
    let mine = ann.reauthenticated("ann").await;
    let token = mine.reauthentication.clone().expect("she has one");
    let shown = [
        (
            "another session's",
            other.reauthenticated("ann").await.reauthentication,
        ),
        (
            "another user's",
            bob.reauthenticated("bob").await.reauthentication,
        ),
        ("an ID token", Some(ann.id_token.clone())),
        ("a refresh token", Some(ann.refresh_token.clone())),
        ("a device credential", Some(ann.credential.clone())),
        ("nothing", Some("".into())),
        (
            "a changed one",
            Some(format!("{}A", token.expose_secret()).into()),
        ),
    ];
    for (why, reauthentication) in shown {
        let caller = Caller {
            reauthentication,
            ..ann.caller()
        };
        assert_required(&world, &caller, why).await;
    }
    assert_eq!(
        refusal(world.me.execute(&token).await),
        Refusal::TokenInvalid,
        "it is no ID token"
    );
    assert_eq!(
        refusal(ann.present(&token).await),
        Refusal::TokenInvalid,
        "and no refresh token"
    );
    world
        .delete_account
        .execute(&mine)
        .await
        .expect("her own counts");
}

#[tokio::test]
async fn every_end_of_sessions_voids_it_even_where_its_own_goes_on() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::Others)
        .await
        .expect("signing out works");
    assert_required(&world, &caller, "the epoch has risen").await;
    let caller = ann.reauthenticated("ann").await;
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    match world.delete_account.execute(&caller).await {
        Err(DeleteAccountError::Refused(refused)) => {
            assert_eq!(refusal(Err::<(), _>(refused)), Refusal::SessionRevoked);
        }
        other => panic!("the session is over, got {other:?}"),
    }
}

#[tokio::test]
async fn a_session_that_ends_while_the_password_is_checked_gets_none() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let (caller, password) = (ann.caller(), World::password("ann's password"));
    let held = world.hasher.hold();
    let (late, ()) = tokio::join!(world.reauthenticate.execute(&caller, &password), async {
        held.wait_for(1).await;
        world
            .sign_out
            .execute(&caller, SignOutScope::This)
            .await
            .expect("signing out works");
        held.release();
    });
    match late {
        Err(ReauthenticateError::Refused(refused)) => {
            assert_eq!(refusal(Err::<(), _>(refused)), Refusal::SessionRevoked);
        }
        other => panic!("the session is over, got {other:?}"),
    }
}

#[tokio::test]
async fn a_password_that_changes_while_it_is_checked_gives_none() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let (caller, password) = (ann.caller(), World::password("ann's password"));
    let held = world.hasher.hold();
    let (given, ()) = tokio::join!(world.reauthenticate.execute(&caller, &password), async {
        held.wait_for(1).await;
        held.only_these();
        let change = ChangePasswordRequest {
            current: Some(World::password("ann's password")),
            ..to_new_password()
        };
        world
            .change_password
            .execute(&caller, change)
            .await
            .expect("the password is hers");
        held.release();
    });
    assert!(
        matches!(given, Err(ReauthenticateError::Conflict)),
        "nor an ID token that says that it was shown now: {given:?}"
    );
}

#[tokio::test]
async fn with_a_store_down_nothing_is_given_and_nothing_is_lost() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let (caller, password) = (ann.caller(), World::password("ann's password"));
    for operation in ["find_session", "credentials"] {
        world.accounts.fail_on(operation, Fault::Before);
        match world.reauthenticate.execute(&caller, &password).await {
            Err(ReauthenticateError::Refused(refused)) => {
                assert_unavailable(Err::<(), _>(refused));
            }
            other => panic!("{operation}: {other:?}"),
        }
        world.accounts.recover();
    }
    world.limiter.fail(Fault::Before);
    match world.reauthenticate.execute(&caller, &password).await {
        Err(ReauthenticateError::Refused(refused)) => assert_unavailable(Err::<(), _>(refused)),
        other => panic!("no password is looked at without limits: {other:?}"),
    }
    world.limiter.recover();
    let caller = ann.reauthenticated("ann").await;
    world.accounts.fail_on("delete_account", Fault::Before);
    assert!(matches!(
        world.delete_account.execute(&caller).await,
        Err(DeleteAccountError::Refused(Refused::Failed(_)))
    ));
    world.accounts.recover();
    world.advance(LATE);
    world
        .delete_account
        .execute(&caller)
        .await
        .expect("it counts for the repeated call");
}
