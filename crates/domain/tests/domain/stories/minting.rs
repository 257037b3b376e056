//! Pairs of tokens: what is in them, what replaces what, and that nothing is handed out that is not stored.

use super::{DAY, LATE, assert_passes, refusal, secs};
use revolve_domain::{
    model::{Generation, TokenId},
    policy::SessionPolicy,
    ports::Clock,
    use_cases::{Refusal, SignInError},
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
};
use secrecy::ExposeSecret;
use std::time::Duration;

#[tokio::test]
async fn when_storing_fails_no_token_is_handed_out_and_the_previous_one_is_untouched() {
    for fault in [Fault::Before, Fault::After] {
        let world = World::new();
        let mut ann = world.signed_up("ann").await;
        let before = ann.entry();
        world.events.take();

        world.tokens.fail_on("begin_entry", fault);
        match world
            .try_sign_in("ann")
            .await
            .err()
            .expect("no session without its entry")
        {
            SignInError::Failed(failure) => assert_passes(&failure),
            other => panic!("expected a failure of the white list, got {other:?}"),
        }
        world.tokens.recover();
        assert!(world.events.take().is_empty(), "nothing happened");
        assert_eq!(
            world.accounts.inner().rows(ann.user).len(),
            1,
            "no row of a session that failed"
        );
        assert_eq!(ann.entry(), before, "the previous token is as it was");
        ann.refresh().await.expect("and still refreshes");
    }
}

#[tokio::test]
async fn when_the_white_list_fails_at_a_refresh_the_token_still_refreshes_later() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let before = ann.entry();
    world.tokens.fail(Fault::Before);
    super::assert_unavailable(ann.refresh().await);
    assert_eq!(ann.entry(), before, "nothing was replaced");
    world.tokens.recover();
    ann.refresh().await.expect("the token is as good as before");
}

#[tokio::test]
async fn without_a_previous_token_nothing_is_revoked() {
    let world = World::new();
    let mut first = world.signed_up("ann").await;
    world.events.take();
    let mut second = world.signed_in("ann").await;
    assert_eq!(
        world.events.take_names(),
        ["session.begun"],
        "a sign-in on a new device ends nothing"
    );
    first.refresh().await.expect("the first session goes on");
    second.refresh().await.expect("so does the second");
}

#[tokio::test]
async fn a_replaced_token_no_longer_refreshes_and_the_new_one_does() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let previous = ann.refresh_token.clone();
    ann.refresh().await.expect("the first refresh");
    ann.refresh().await.expect("the new token refreshes");
    assert_eq!(
        refusal(ann.present(&previous).await),
        Refusal::TokenStale,
        "its successor was used"
    );
    ann.refresh().await.expect("a slow sibling harms nobody");

    let previous = ann.refresh_token.clone();
    ann.refresh().await.expect("another refresh");
    world.advance(world.policy.retry.retry_window + LATE);
    assert_eq!(
        refusal(ann.present(&previous).await),
        Refusal::TokenReused,
        "the retry window is over"
    );
}

#[tokio::test]
async fn the_claims_say_who_and_when_and_nothing_else() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let began = world.clock.now().as_seconds();
    world.advance(secs(100));
    let refreshed = ann.refresh().await.expect("the session lives");
    let now = world.clock.now().as_seconds();

    let id = TestCodec::read(&ann.id_token);
    assert_eq!(id["sub"], ann.user.to_string(), "sub");
    assert_eq!(id["sid"], ann.session.to_string(), "sid");
    assert_eq!(id["epoch"], 0, "epoch");
    assert_eq!(
        id["auth_time"], began,
        "auth_time is the sign-in's, not the refresh's"
    );
    assert_eq!(
        (&id["iat"], &id["exp"]),
        (&now.into(), &(now + 15 * 60).into()),
        "15 minutes"
    );
    assert_eq!(id["user"]["email"], "ann@example.org", "the details");
    assert_eq!(
        refreshed.tokens.id_expires_at.as_seconds(),
        now + 15 * 60,
        "the answer says the same"
    );

    let refresh = TestCodec::read(&ann.refresh_token);
    let second = Generation::FIRST.next();
    assert_eq!(refresh["uid"], ann.user.to_string(), "uid");
    assert_eq!(refresh["sid"], ann.session.to_string(), "sid");
    assert_eq!(
        (&refresh["gen"], &refresh["jti"]),
        (
            &2.into(),
            &TokenId::of(ann.session, second).to_string().into()
        ),
        "gen and jti"
    );
    assert_eq!(
        (&refresh["iat"], &refresh["exp"]),
        (&now.into(), &(now + 3 * 24 * 3600).into()),
        "3 days"
    );
    assert!(
        refresh.get("did").is_none(),
        "no did while the session is not bound"
    );
    assert_eq!(
        refreshed.tokens.refresh_expires_at.as_seconds(),
        now + 3 * 24 * 3600,
        "the answer says the same"
    );

    let entry = ann.entry().expect("the session lives").token;
    assert_eq!(
        (entry.issued_at.as_seconds(), entry.expires_at.as_seconds()),
        (now, now + 3 * 24 * 3600),
        "the stored times are the claims'"
    );
    for token in [&ann.id_token, &ann.refresh_token] {
        let text = format!("{} {}", token.expose_secret(), TestCodec::read(token));
        assert!(
            !text.contains("password") && !text.contains("ann's"),
            "no password is in a token"
        );
    }
}

#[tokio::test]
async fn no_token_outlives_its_session() {
    let policy = SessionPolicy {
        session_lifetime: 5 * DAY,
        ..SessionPolicy::default()
    };
    let world = World::with_policy(policy);
    let mut ann = world.signed_up("ann").await;
    let end = world.clock.now().as_seconds() + 5 * 24 * 3600;
    for _ in 0..2 {
        world.advance(2 * DAY);
        ann.refresh().await.expect("refreshed in time");
    }
    assert_eq!(
        TestCodec::read(&ann.refresh_token)["exp"],
        end,
        "the refresh token ends with the session"
    );
    world.advance(secs(24 * 3600 - 300));
    ann.refresh().await.expect("the last minutes");
    assert_eq!(
        TestCodec::read(&ann.id_token)["exp"],
        end,
        "the ID token ends with the session"
    );
    world.advance(secs(300));
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::SessionExpired,
        "the session reached its end"
    );
    assert_eq!(
        refusal(world.me.execute(&ann.id_token).await),
        Refusal::TokenExpired,
        "and so did its ID token"
    );
}

#[tokio::test]
async fn a_retry_gets_the_same_refresh_token_and_an_id_token_that_lives() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let first = ann
        .present(&ann.refresh_token)
        .await
        .expect("the first try")
        .tokens;
    let repeat = async |after| {
        world.advance(after);
        let again = ann
            .present(&ann.refresh_token)
            .await
            .expect("a retry")
            .tokens;
        assert_eq!(
            again.refresh_token.expose_secret(),
            first.refresh_token.expose_secret(),
            "byte for byte the same refresh token"
        );
        again
    };
    let soon = repeat(secs(5)).await;
    assert_eq!(
        soon.id_token.expose_secret(),
        first.id_token.expose_secret(),
        "the same ID token while more than half of its life is left"
    );
    let late = repeat(secs(8 * 60)).await;
    let id = TestCodec::read(&late.id_token);
    assert_eq!(
        id["iat"],
        world.clock.now().as_seconds(),
        "a fresh one later"
    );
    assert_eq!(
        late.id_expires_at,
        world
            .clock
            .now()
            .whole_second()
            .plus(Duration::from_mins(15)),
        "with a whole life"
    );
}
