//! Every refusal has a stable code, from the token, the row and the white list.

use super::{DAY, LATE, refusal, secs};
use revolve_domain::{
    model::{EndReason, Ending, Epoch, Session, SessionRecord, Standing, User},
    policy::SessionPolicy,
    ports::{Clock, SessionRepository},
    use_cases::{ChangePasswordRequest, Refusal, SignOutScope},
};
use revolve_testkit::{World, world::TestClient};
use std::collections::HashSet;

/// The refusal of a refresh.
async fn told(client: &mut TestClient<'_>) -> Refusal {
    refusal(client.refresh().await)
}

#[tokio::test]
async fn what_the_token_says() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    for token in ["", "garbage", "refresh.e30.x"] {
        assert_eq!(
            refusal(ann.present(&token.into()).await),
            Refusal::TokenInvalid,
            "{token:?} was not signed here"
        );
    }
    assert_eq!(
        refusal(ann.present(&ann.id_token).await),
        Refusal::TokenInvalid,
        "an ID token is no refresh token"
    );
    assert_eq!(
        refusal(world.me.execute(&ann.refresh_token).await),
        Refusal::TokenInvalid,
        "nor the other way round"
    );
    world.advance(secs(15 * 60));
    assert_eq!(
        refusal(world.me.execute(&ann.id_token).await),
        Refusal::TokenExpired,
        "an ID token lives for 15 minutes"
    );
}

#[tokio::test]
async fn what_the_row_says() {
    let policy = SessionPolicy {
        max_per_user: 2,
        session_lifetime: 2 * DAY,
        ..SessionPolicy::default()
    };
    let signed_out = async |world: &World, ann: &TestClient<'_>| {
        world
            .sign_out
            .execute(&ann.caller(), SignOutScope::This)
            .await
            .expect("signing out works");
    };
    let signed_out_everywhere = async |world: &World, ann: &TestClient<'_>| {
        world
            .sign_out
            .execute(&ann.caller(), SignOutScope::Everywhere)
            .await
            .expect("signing out works");
    };
    let password_changed = async |world: &World, _: &TestClient<'_>| {
        let request = ChangePasswordRequest {
            current: Some(World::password("ann's password")),
            new: World::password("another password"),
        };
        let other = world.signed_in("ann").await;
        world
            .change_password
            .execute(&other.caller(), request)
            .await
            .expect("the password is hers");
    };
    let deleted = async |world: &World, ann: &TestClient<'_>| {
        world
            .delete_account
            .execute(&ann.reauthenticated("ann").await)
            .await
            .expect("she has shown her password");
    };
    let disabled = async |world: &World, ann: &TestClient<'_>| {
        world.accounts.inner().disable(ann.user, world.clock.now());
    };
    let replaced = async |_: &World, ann: &TestClient<'_>| {
        drop(
            ann.sign_in_again("ann")
                .await
                .expect("the credential is hers"),
        );
    };
    let evicted = async |world: &World, _: &TestClient<'_>| {
        for _ in 0..2 {
            world.advance(secs(60));
            world.signed_in("ann").await;
        }
    };
    let expired = async |world: &World, _: &TestClient<'_>| world.advance(2 * DAY);

    macro_rules! assert_told {
        ($($ending:ident => $expected:ident),+ $(,)?) => {$(
            let world = World::with_policy(policy);
            let mut ann = world.signed_up("ann").await;
            let before = ann.entry();
            $ending(&world, &ann).await;
            assert_eq!(told(&mut ann).await, Refusal::$expected, "{}", stringify!($ending));
            // The row has the last word, also over a white list from an old file.
            world.tokens.inner().restore(ann.user, ann.session, before);
            assert_eq!(told(&mut ann).await, Refusal::$expected, "{} again", stringify!($ending));
        )+};
    }
    assert_told! {
        signed_out => SessionRevoked,
        signed_out_everywhere => SessionRevoked,
        password_changed => SessionRevoked,
        deleted => SessionRevoked,
        disabled => SessionRevoked,
        replaced => SessionReplaced,
        evicted => SessionEvicted,
        expired => SessionExpired,
    }
}

#[tokio::test]
async fn what_the_white_list_says() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let old = ann.refresh_token.clone();
    ann.refresh().await.expect("the session lives");
    ann.refresh().await.expect("the session lives");
    assert_eq!(
        refusal(ann.present(&old).await),
        Refusal::TokenStale,
        "a slow sibling"
    );
    ann.shows_credential = true;
    ann.refresh().await.expect("this binds the session");
    ann.shows_credential = false;
    assert_eq!(
        told(&mut ann).await,
        Refusal::DeviceMismatch,
        "no credential"
    );
    ann.shows_credential = true;
    world.advance(LATE);
    assert_eq!(
        refusal(ann.present(&old).await),
        Refusal::TokenReused,
        "an old token"
    );
    assert_eq!(
        told(&mut ann).await,
        Refusal::TokenReused,
        "and the newest one after it"
    );

    let mut forgotten = world.signed_in("ann").await;
    world
        .tokens
        .inner()
        .restore(forgotten.user, forgotten.session, None);
    assert_eq!(
        told(&mut forgotten).await,
        Refusal::SessionUnknown,
        "the white list lost the session"
    );
    let mut idle = world.signed_in("ann").await;
    world.advance(4 * DAY);
    assert_eq!(
        told(&mut idle).await,
        Refusal::TokenExpired,
        "not refreshed in time"
    );
}

#[tokio::test]
async fn a_row_that_was_pruned_leaves_the_tokens_own_times() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    world
        .sign_out
        .execute(&ann.caller(), SignOutScope::This)
        .await
        .expect("signing out works");
    world.advance(3 * DAY);
    assert_eq!(
        world.prune.execute().await.expect("pruning works"),
        0,
        "rows stay a day longer than any token"
    );
    assert_eq!(
        told(&mut ann).await,
        Refusal::SessionRevoked,
        "the row still says why"
    );
    world.advance(2 * DAY);
    assert_eq!(
        world.prune.execute().await.expect("pruning works"),
        1,
        "long over"
    );
    assert_eq!(
        told(&mut ann).await,
        Refusal::TokenExpired,
        "no token of it could be alive"
    );
}

/// The rows of a live session and of its user.
async fn live_rows(world: &World) -> (Session, User) {
    let ann = world.signed_up("ann").await;
    let live = world
        .accounts
        .inner()
        .find(ann.user, ann.session)
        .await
        .expect("the store itself never fails")
        .expect("the row is there");
    (live.session, live.user.expect("the account is there"))
}

#[tokio::test]
async fn how_a_session_stands_follows_from_its_two_rows() {
    let world = World::new();
    let (session, user) = live_rows(&world).await;
    let now = world.clock.now();
    let raised = User {
        epoch: Epoch::new(1),
        ..user.clone()
    };
    let ended = |reason| Session {
        ending: Some(Ending { at: now, reason }),
        ..session.clone()
    };
    let cases = [
        (session.clone(), Some(user.clone()), Standing::Live, None),
        (
            session.clone(),
            None,
            Standing::AccountGone,
            Some(Refusal::SessionRevoked),
        ),
        (
            session.clone(),
            Some(raised.clone()),
            Standing::Superseded,
            Some(Refusal::SessionRevoked),
        ),
        (
            session.clone(),
            Some(User {
                kept_session: Some(session.id),
                ..raised.clone()
            }),
            Standing::Live,
            None,
        ),
        (
            Session {
                epoch: Epoch::new(1),
                ..session.clone()
            },
            Some(raised.clone()),
            Standing::Live,
            None,
        ),
        (
            session.clone(),
            Some(User {
                disabled_at: Some(now),
                ..user.clone()
            }),
            Standing::Disabled,
            Some(Refusal::SessionRevoked),
        ),
        (
            Session {
                ends_at: now,
                ..session.clone()
            },
            Some(user.clone()),
            Standing::Expired,
            Some(Refusal::SessionExpired),
        ),
        // An ending in the row is the most precise reason.
        (
            ended(EndReason::Evicted),
            Some(raised),
            Standing::Ended(EndReason::Evicted),
            Some(Refusal::SessionEvicted),
        ),
        (
            ended(EndReason::Reused),
            None,
            Standing::Ended(EndReason::Reused),
            Some(Refusal::TokenReused),
        ),
        (
            ended(EndReason::Expired),
            Some(user.clone()),
            Standing::Ended(EndReason::Expired),
            Some(Refusal::SessionExpired),
        ),
        (
            ended(EndReason::Replaced),
            Some(user),
            Standing::Ended(EndReason::Replaced),
            Some(Refusal::SessionReplaced),
        ),
    ];
    for (session, user, standing, expected) in cases {
        let record = SessionRecord { session, user };
        assert_eq!(record.standing(now), standing, "{record:?}");
        assert_eq!(
            Refusal::of(standing),
            expected,
            "what {standing:?} is told as"
        );
    }
}

#[test]
fn codes_are_stable_and_distinct() {
    let codes = Refusal::ALL.map(Refusal::code);
    let expected = [
        "token_invalid",
        "token_expired",
        "token_stale",
        "token_reused",
        "session_unknown",
        "session_revoked",
        "session_replaced",
        "session_evicted",
        "session_expired",
        "device_mismatch",
    ];
    assert_eq!(codes, expected, "the codes of the HTTP API");
    let messages: HashSet<_> = Refusal::ALL.map(Refusal::message).into_iter().collect();
    assert_eq!(
        messages.len(),
        codes.len(),
        "each says something of its own"
    );
}
