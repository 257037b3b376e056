//! A sign-in or a refresh in flight never outlives what ended while it ran.

use super::{LATE, refusal};
use revolve_domain::{
    model::{DetailsChange, EmailAddress, EndReason, Label, SessionId, Standing, UserId},
    ports::{Clock, Decorator, PortFuture, SessionRepository, StoreError, TokenRepository},
    use_cases::{
        ChangePasswordError, ChangePasswordRequest, DeleteAccountError, Refusal, ServicePorts,
        SignInError, SignOutScope, UpdateDetailsError, UpdateDetailsRequest, UseCases,
    },
};
use revolve_testkit::{
    World,
    memory::{FakeClock, Faulty, MemoryAccounts, MemoryTokens},
    world::TestClient,
};
use std::sync::Arc;

fn new_password() -> ChangePasswordRequest {
    ChangePasswordRequest {
        current: Some(World::password("ann's password")),
        new: World::password("ann's new password"),
    }
}

/// The ids of the user's sessions that live by their rows.
async fn live(world: &World, client: &TestClient<'_>) -> Vec<SessionId> {
    let live = world
        .accounts
        .inner()
        .live(client.user, world.clock.now())
        .await
        .expect("the store itself never fails");
    live.into_iter().map(|session| session.id).collect()
}

#[tokio::test]
async fn a_sign_in_still_hashing_does_not_outlive_a_password_change() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let held = world.hasher.hold();
    let (late, ()) = tokio::join!(world.try_sign_in("ann"), async {
        held.wait_for(1).await;
        held.only_these();
        world
            .change_password
            .execute(&ann.caller(), new_password())
            .await
            .expect("the password is hers");
        held.release();
    });
    assert!(
        matches!(late, Err(SignInError::Superseded)),
        "the old password was checked before it was changed"
    );
    assert_eq!(
        live(&world, &ann).await,
        [ann.session],
        "only the session that changed it lives"
    );
    assert_eq!(
        world.tokens.inner().size(ann.user),
        1,
        "the white list has nothing else"
    );
    ann.refresh().await.expect("it goes on");
}

#[tokio::test]
async fn a_sign_in_still_hashing_does_not_outlive_a_sign_out_everywhere() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let held = world.hasher.hold();
    let (late, ()) = tokio::join!(world.try_sign_in("ann"), async {
        held.wait_for(1).await;
        world
            .sign_out
            .execute(&ann.caller(), SignOutScope::Everywhere)
            .await
            .expect("signing out works");
        held.release();
    });
    assert!(
        matches!(late, Err(SignInError::Superseded)),
        "it began before the end"
    );
    assert!(live(&world, &ann).await.is_empty(), "no session lives");
    assert_eq!(
        world.tokens.inner().size(ann.user),
        0,
        "the white list is empty"
    );
    world
        .signed_in("ann")
        .await
        .refresh()
        .await
        .expect("signing in again works");
}

#[tokio::test]
async fn a_sign_in_still_hashing_does_not_outlive_its_account() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.reauthenticated("ann").await;
    let held = world.hasher.hold();
    let (late, ()) = tokio::join!(world.try_sign_in("ann"), async {
        held.wait_for(1).await;
        world
            .delete_account
            .execute(&caller)
            .await
            .expect("she has shown her password");
        held.release();
    });
    assert!(
        matches!(late, Err(SignInError::Superseded)),
        "the account is gone"
    );
    assert_eq!(
        world.tokens.inner().size(ann.user),
        0,
        "the white list is empty"
    );
}

#[tokio::test]
async fn of_two_password_changes_at_once_one_holds() {
    let world = World::new();
    let (ann, other) = (world.signed_up("ann").await, world.signed_in("ann").await);
    let held = world.hasher.hold();
    let change = |client: &TestClient<'_>| {
        let caller = client.caller();
        let world = &world;
        async move { world.change_password.execute(&caller, new_password()).await }
    };
    let (one, two, ()) = tokio::join!(change(&ann), change(&other), async {
        held.wait_for(2).await;
        held.release();
    });
    let (winner, loser) = if one.is_ok() {
        (&ann, two)
    } else {
        (&other, one)
    };
    match loser {
        Err(ChangePasswordError::Refused(refused)) => {
            assert_eq!(
                refusal(Err::<(), _>(refused)),
                Refusal::SessionRevoked,
                "the other change ended this session"
            );
        }
        other => panic!("expected the second change to be refused, got {other:?}"),
    }
    assert_eq!(
        live(&world, &ann).await,
        [winner.session],
        "the session whose change held lives"
    );
}

#[tokio::test]
async fn two_password_changes_of_one_session_conflict() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let caller = ann.caller();
    let held = world.hasher.hold();
    let (one, two, ()) = tokio::join!(
        world.change_password.execute(&caller, new_password()),
        world.change_password.execute(&caller, new_password()),
        async {
            held.wait_for(2).await;
            held.release();
        }
    );
    let loser = if one.is_ok() { two } else { one };
    assert!(
        matches!(loser, Err(ChangePasswordError::Conflict)),
        "somebody was faster, got {loser:?}"
    );
    ann.refresh().await.expect("the session goes on");
}

#[tokio::test]
async fn a_refresh_that_read_the_row_before_a_sign_out_gives_nothing_that_works() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let rotated = ann
        .present(&ann.refresh_token)
        .await
        .expect("the refresh wins the race to the white list");
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    let tokens = rotated.tokens;
    assert_eq!(
        refusal(ann.present(&tokens.refresh_token).await),
        Refusal::SessionRevoked,
        "its refresh token is worth nothing"
    );
    assert_eq!(
        refusal(world.me.execute(&tokens.id_token).await),
        Refusal::SessionRevoked,
        "nor is its ID token"
    );
    let record = world
        .accounts
        .inner()
        .find(ann.user, ann.session)
        .await
        .expect("the store itself never fails")
        .expect("the row stays");
    assert!(
        matches!(record.standing(world.clock.now()), Standing::Ended(_)),
        "the row says so"
    );
}

fn to_new_address(current: Option<&str>) -> UpdateDetailsRequest {
    UpdateDetailsRequest {
        change: DetailsChange {
            email: EmailAddress::parse("new@example.org").ok(),
            ..DetailsChange::default()
        },
        current_password: current.map(World::password),
    }
}

#[tokio::test]
async fn a_change_of_address_still_hashing_does_not_outlive_a_password_change() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let caller = ann.caller();
    let held = world.hasher.hold();
    let late = to_new_address(Some("ann's password"));
    let (late, ()) = tokio::join!(world.update_details.execute(&caller, late), async {
        held.wait_for(1).await;
        held.only_these();
        let changed = world.change_password.execute(&caller, new_password());
        changed.await.expect("the password is hers");
        held.release();
    });
    assert!(
        matches!(late, Err(UpdateDetailsError::ReauthenticationRequired)),
        "the old password was checked before it was changed, got {late:?}"
    );
    let me = world.me.execute(&caller.id_token).await;
    let me = me.expect("the session goes on");
    assert_eq!(me.email.as_str(), "ann@example.org", "nothing changed");
    let present = to_new_address(Some("ann's new password"));
    let updated = world.update_details.execute(&caller, present).await;
    updated.expect("the present password is another matter");
}

/// A user database in which all other sessions of a user end just before the account is changed or deleted.
struct OthersEndMeanwhile {
    accounts: Arc<Faulty<MemoryAccounts>>,
    clock: Arc<FakeClock>,
    user: UserId,
    session: SessionId,
}

impl Decorator for OthersEndMeanwhile {
    type Port = Faulty<MemoryAccounts>;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        if ["update_account", "delete_account"].contains(&operation) {
            let (kept, at) = (Some(self.session), self.clock.now());
            self.accounts
                .end_all(self.user, kept, EndReason::SignedOut, at)
                .await?;
        }
        work(&self.accounts).await
    }
}

#[tokio::test]
async fn a_reauthentication_that_is_voided_meanwhile_changes_and_deletes_nothing() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let ports = ServicePorts {
        users: Arc::new(OthersEndMeanwhile {
            accounts: world.accounts.clone(),
            clock: world.clock.clone(),
            user: ann.user,
            session: ann.session,
        }),
        ..world.ports.clone()
    };
    let meanwhile = UseCases::new(&ports);
    let caller = ann.reauthenticated("ann").await;
    let update = meanwhile
        .update_details
        .execute(&caller, to_new_address(None));
    let updated = update.await;
    assert!(
        matches!(updated, Err(UpdateDetailsError::ReauthenticationRequired)),
        "got {updated:?}"
    );
    let caller = ann.reauthenticated("ann").await;
    let deleted = meanwhile.delete_account.execute(&caller).await;
    assert!(
        matches!(deleted, Err(DeleteAccountError::ReauthenticationRequired)),
        "got {deleted:?}"
    );
    let me = world.me.execute(&caller.id_token).await;
    let me = me.expect("account and session are still there");
    assert_eq!(me.email.as_str(), "ann@example.org");
    let name = UpdateDetailsRequest {
        change: DetailsChange {
            name: Some(Label::lossy("Ann")),
            ..DetailsChange::default()
        },
        current_password: None,
    };
    let renamed = meanwhile.update_details.execute(&caller, name).await;
    renamed.expect("a change that needs no password has none to be voided");
}

/// A white list whose rotation comes after the session was signed out in both stores.
struct SignedOutMeanwhile {
    tokens: Arc<Faulty<MemoryTokens>>,
    accounts: Arc<Faulty<MemoryAccounts>>,
    clock: Arc<FakeClock>,
    user: UserId,
    session: SessionId,
}

impl Decorator for SignedOutMeanwhile {
    type Port = Faulty<MemoryTokens>;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a Self::Port) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        if operation == "rotate" {
            let (reason, at) = (EndReason::SignedOut, self.clock.now());
            SessionRepository::end(&*self.accounts, self.user, self.session, reason, at).await?;
            self.tokens.end(self.user, &[self.session]).await?;
        }
        work(&self.tokens).await
    }
}

#[tokio::test]
async fn a_refresh_that_comes_second_to_a_sign_out_hears_why() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    world.advance(LATE);
    let ports = ServicePorts {
        tokens: Arc::new(SignedOutMeanwhile {
            tokens: world.tokens.clone(),
            accounts: world.accounts.clone(),
            clock: world.clock.clone(),
            user: ann.user,
            session: ann.session,
        }),
        ..world.ports.clone()
    };
    let refused = UseCases::new(&ports)
        .refresh
        .execute(ann.request(&ann.refresh_token))
        .await;
    assert_eq!(
        refusal(refused),
        Refusal::SessionRevoked,
        "the row says so by now"
    );
}
