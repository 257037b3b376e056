//! Operators make, disable, enable, sign out and delete accounts.

use super::{assert_passes, refusal, secs};
use revolve_domain::{
    journal::Actor,
    model::{AppData, Details, EmailAddress, EndReason, FieldError, Roles, Standing, UserId},
    ports::{Clearing, DisableOutcome, EnableOutcome, EndOutcome},
    use_cases::{AccountName, AddAccountError, AddAccountRequest, FirstAccess, Refusal},
};
use revolve_testkit::{World, memory::Fault};

fn request(name: &str, password: &str) -> AddAccountRequest {
    AddAccountRequest {
        email: World::request(name).email,
        access: FirstAccess::Password(World::password(password)),
        details: Details::default(),
        email_verified: false,
        roles: Roles::default(),
        app: AppData::default(),
        id: None,
    }
}

#[tokio::test]
async fn an_added_account_has_no_session_and_signs_in() {
    let world = World::new();
    let user = world
        .add_account
        .execute(request("ann", "ann's password"), Actor::Operator)
        .await
        .expect("a fresh address");
    assert_eq!(
        world.events.take_names(),
        ["account.created"],
        "no session began"
    );
    assert!(
        world
            .manage_accounts
            .history(user.id)
            .await
            .expect("history works")
            .sessions
            .is_empty(),
        "nor is there one"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("an account like any other");
}

#[tokio::test]
async fn the_rules_of_a_sign_up_hold_for_added_accounts() {
    let world = World::new();
    world.signed_up("ann").await;
    world.events.take();
    let taken = world
        .add_account
        .execute(request("ann", "some other password"), Actor::Operator)
        .await;
    assert!(
        matches!(taken, Err(AddAccountError::EmailTaken)),
        "got {taken:?}"
    );
    let own = world
        .add_account
        .execute(request("bob", "bob@example.org"), Actor::Operator)
        .await;
    assert!(
        matches!(
            own,
            Err(AddAccountError::WeakPassword(
                FieldError::ContainsOwnDetails
            ))
        ),
        "got {own:?}"
    );
    world.accounts.fail(Fault::Before);
    let failed = world
        .add_account
        .execute(request("bob", "some other password"), Actor::Operator)
        .await;
    let Err(AddAccountError::Failed(failure)) = failed else {
        panic!("got {failed:?}")
    };
    assert_passes(&failure);
    assert!(world.events.take_names().is_empty(), "nothing happened");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_comes_back_by_signing_in() {
    let world = World::new();
    let (mut ann, mut bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    world.events.take();
    let outcome = world
        .manage_accounts
        .disable(ann.user, Actor::Operator)
        .await
        .expect("disable works");
    assert!(
        matches!(outcome, DisableOutcome::Disabled(_)),
        "got {outcome:?}"
    );
    assert_eq!(
        world.events.take_names(),
        ["account.disabled", "sessions.ended"],
        "somebody should know"
    );
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::SessionRevoked,
        "not a token more"
    );
    assert!(world.try_sign_in("ann").await.is_err(), "nor a session");
    assert!(
        world.clearings.pending().is_empty(),
        "the white list was told at once"
    );
    bob.refresh().await.expect("nobody else is concerned");
    world.events.take();

    let again = world
        .manage_accounts
        .disable(ann.user, Actor::Operator)
        .await
        .expect("disable works");
    assert!(
        matches!(again, DisableOutcome::AlreadyDisabled(_)),
        "got {again:?}"
    );
    assert_eq!(
        world.events.take_names(),
        ["sessions.ended"],
        "it was disabled already"
    );
    assert_eq!(
        world
            .manage_accounts
            .enable(ann.user, Actor::Operator)
            .await
            .expect("enable works"),
        EnableOutcome::Enabled
    );
    assert_eq!(
        world
            .manage_accounts
            .enable(ann.user, Actor::Operator)
            .await
            .expect("enable works"),
        EnableOutcome::NotDisabled
    );
    assert_eq!(world.events.take_names(), ["account.enabled"], "once");
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::SessionRevoked,
        "what has ended stays so"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("a new session");
}

#[tokio::test]
async fn a_white_list_that_is_down_stops_no_operator() {
    let world = World::new();
    let (mut ann, mut bob, mut eve) = (
        world.signed_up("ann").await,
        world.signed_up("bob").await,
        world.signed_up("eve").await,
    );
    world.tokens.fail(Fault::Before);
    world
        .manage_accounts
        .disable(ann.user, Actor::Operator)
        .await
        .expect("the row counts");
    assert!(
        world
            .manage_accounts
            .sign_out(bob.user, Actor::Operator)
            .await
            .expect("the row counts")
    );
    assert!(
        world
            .manage_accounts
            .delete(eve.user, Actor::Operator)
            .await
            .expect("the row counts")
    );
    let waiting = world.clearings.pending();
    assert_eq!(
        waiting.len(),
        3,
        "the white list follows later: {waiting:?}"
    );
    assert!(
        waiting
            .iter()
            .all(|clearing| matches!(clearing, Clearing::Older { kept: None, .. })),
        "{waiting:?}"
    );
    let history = world
        .manage_accounts
        .history(ann.user)
        .await
        .expect("the rows count");
    assert!(history.white_list.is_err(), "nothing is known of entries");
    assert_eq!(
        history.sessions[0].standing,
        Standing::Ended(EndReason::AccountDisabled),
        "the row says what happened"
    );
    world.tokens.recover();
    for client in [&mut ann, &mut bob, &mut eve] {
        assert_eq!(
            refusal(client.refresh().await),
            Refusal::SessionRevoked,
            "the entries are worth nothing"
        );
    }
}

#[tokio::test]
async fn one_session_or_all_are_signed_out() {
    let world = World::new();
    let mut first = world.signed_up("ann").await;
    let mut second = world.signed_in("ann").await;
    world.advance(secs(60));
    second.refresh().await.expect("it lives");
    world.events.take();
    let manage = &world.manage_accounts;
    assert_eq!(
        manage
            .end_session(first.user, first.session, Actor::Operator)
            .await
            .expect("end works"),
        EndOutcome::Ended
    );
    assert_eq!(
        manage
            .end_session(first.user, first.session, Actor::Operator)
            .await
            .expect("end works"),
        EndOutcome::AlreadyEnded
    );
    assert_eq!(world.events.take_names(), ["session.signed_out"], "once");
    assert_eq!(refusal(first.refresh().await), Refusal::SessionRevoked);
    let history = manage
        .history(first.user)
        .await
        .expect("history works")
        .sessions;
    assert_eq!(
        history
            .iter()
            .filter(|one| one.standing == Standing::Live)
            .count(),
        1,
        "the other one lives"
    );
    let live = history
        .iter()
        .find(|one| one.session.id == second.session)
        .and_then(|one| one.live)
        .expect("and has an entry");
    assert!(
        live.refreshed_at > history[0].session.began_at,
        "which says when it was last used"
    );
    assert!(
        manage
            .sign_out(first.user, Actor::Operator)
            .await
            .expect("sign_out works"),
        "there is such an account"
    );
    assert_eq!(world.events.take_names(), ["sessions.ended"]);
    assert_eq!(refusal(second.refresh().await), Refusal::SessionRevoked);
    let nobody = UserId::from_random([7; 16]);
    assert!(
        !manage
            .sign_out(nobody, Actor::Operator)
            .await
            .expect("sign_out works")
            && !manage
                .delete(nobody, Actor::Operator)
                .await
                .expect("delete works")
    );
    assert!(
        world.events.take_names().is_empty(),
        "nothing happened to nobody"
    );
}

#[tokio::test]
async fn accounts_are_found_by_address_and_by_id() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    for name in ["ANN@example.org".to_owned(), ann.user.to_string()] {
        let name: AccountName = name.parse().expect("a name");
        assert_eq!(
            world
                .manage_accounts
                .find(&name)
                .await
                .expect("find works")
                .map(|user| user.id),
            Some(ann.user)
        );
    }
    assert!("neither".parse::<AccountName>().is_err());
    let email = EmailAddress::parse("ann@example.org").expect("an address");
    assert!(
        !format!("{:?}", AccountName::Email(email)).contains("ann"),
        "addresses are not for logs"
    );
}
