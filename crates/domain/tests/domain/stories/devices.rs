//! Sessions are bound to their device once it has shown its credential.

use super::{LATE, refusal, secs};
use revolve_domain::{
    ports::{Clock, RefreshClaims, SecurityEvent, TokenCodec},
    use_cases::{RefreshRequest, Refusal},
};
use revolve_testkit::{
    World,
    memory::{Fault, TestCodec},
};

#[tokio::test]
async fn showing_the_credential_binds_the_session_for_good() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.refresh()
        .await
        .expect("not bound yet: no credential is needed");
    ann.shows_credential = true;
    world.events.take();
    ann.refresh().await.expect("the credential is hers");
    ann.refresh().await.expect("the credential is hers");
    assert_eq!(world.events.take_names(), ["session.bound"], "bound once");
    let row = world.accounts.inner().rows(ann.user).remove(0);
    assert_eq!(
        row.bound_at,
        Some(world.clock.now()),
        "the row says since when"
    );
    assert_eq!(
        TestCodec::read(&ann.refresh_token)["did"],
        row.device.to_string(),
        "the tokens say it, too"
    );

    ann.shows_credential = false;
    let before = ann.entry();
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::DeviceMismatch,
        "without the credential the token is worth nothing"
    );
    assert_eq!(ann.entry(), before, "nothing changed");
    assert_eq!(
        world.events.take_names(),
        ["device.mismatch"],
        "somebody should know"
    );
    ann.shows_credential = true;
    ann.refresh().await.expect("the session is kept");
}

#[tokio::test]
async fn a_token_from_before_the_binding_is_refused_without_the_credential() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let unbound = ann.refresh_token.clone();
    ann.shows_credential = true;
    ann.refresh().await.expect("this binds the session");
    ann.shows_credential = false;
    assert_eq!(
        refusal(ann.present(&unbound).await),
        Refusal::DeviceMismatch,
        "the row says bound"
    );
    world.advance(LATE);
    assert_eq!(
        refusal(ann.present(&unbound).await),
        Refusal::DeviceMismatch,
        "late or not"
    );
    ann.shows_credential = true;
    ann.refresh().await.expect("the session is kept");
}

#[tokio::test]
async fn forged_and_foreign_credentials_are_as_good_as_none() {
    let world = World::new();
    let (mut ann, bob) = (world.signed_up("ann").await, world.signed_up("bob").await);
    for credential in ["forged".into(), bob.credential.clone()] {
        let request = RefreshRequest {
            device_credentials: vec![credential],
            ..ann.request(&ann.refresh_token)
        };
        world.events.take();
        let refreshed = world.refresh.execute(request).await;
        ann.keep(
            &refreshed
                .expect("not bound yet: no credential is needed")
                .tokens,
        );
        let events = world.events.take();
        assert!(events.is_empty(), "they bind nothing, got {events:?}");
        assert_eq!(ann.entry().and_then(|entry| entry.token.device), None);
    }
    ann.shows_credential = true;
    ann.refresh().await.expect("this binds the session");
    for credential in ["forged".into(), bob.credential.clone()] {
        let request = RefreshRequest {
            device_credentials: vec![credential],
            ..ann.request(&ann.refresh_token)
        };
        world.events.take();
        assert_eq!(
            refusal(world.refresh.execute(request).await),
            Refusal::DeviceMismatch,
            "not this device's credential"
        );
        let events = world.events.take();
        assert!(
            matches!(
                events.as_slice(),
                [SecurityEvent::DeviceMismatch {
                    address: Some(_),
                    ..
                }]
            ),
            "one event, got {events:?}"
        );
    }
    ann.refresh().await.expect("the session is kept");
}

#[tokio::test]
async fn a_sign_in_that_shows_the_credential_is_bound_from_the_start() {
    let world = World::new();
    let ann = world.signed_up("ann").await;
    let mut again = ann
        .sign_in_again("ann")
        .await
        .expect("the credential is hers");
    let row = world
        .accounts
        .inner()
        .rows(ann.user)
        .into_iter()
        .find(|row| row.id == again.session)
        .expect("the row is there");
    assert!(row.bound_at.is_some(), "its row says so");
    assert!(
        TestCodec::read(&again.refresh_token).get("did").is_some(),
        "its first token says so"
    );
    again.shows_credential = false;
    assert_eq!(
        refusal(again.refresh().await),
        Refusal::DeviceMismatch,
        "without the credential it is worth nothing"
    );
    again.shows_credential = true;
    again.refresh().await.expect("with it, it is");
}

#[tokio::test]
async fn a_binding_that_could_not_be_recorded_fails_the_refresh() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let before = ann.entry();
    ann.shows_credential = true;
    world.accounts.fail_on("bind_session", Fault::Before);
    super::assert_unavailable(ann.refresh().await);
    assert_eq!(ann.entry(), before, "the white list is as it was");
    world.accounts.recover();
    ann.refresh().await.expect("later it is recorded");
}

#[tokio::test]
async fn a_bound_client_that_lost_the_answer_in_a_tunnel_comes_back_hours_later() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    ann.shows_credential = true;
    let token = ann.refresh_token.clone();
    ann.present(&token)
        .await
        .expect("the answer to this is lost");
    world.advance(secs(20 * 3600));
    ann.refresh()
        .await
        .expect("a late retry within the bound window");
    ann.refresh().await.expect("the successor works");
}

#[tokio::test]
async fn whichever_says_bound_is_enough() {
    let world = World::new();
    let mut ann = world.signed_up("ann").await;
    let row = world.accounts.inner().rows(ann.user).remove(0);
    let claims = world
        .codec
        .verify_refresh(&ann.refresh_token)
        .expect("it was signed here");
    let bound = world
        .codec
        .sign_refresh(&RefreshClaims {
            device: Some(row.device),
            ..claims
        })
        .expect("signing works");
    assert_eq!(
        refusal(ann.present(&bound).await),
        Refusal::DeviceMismatch,
        "the token's claim alone"
    );

    ann.shows_credential = true;
    world.tokens.fail(Fault::Before);
    super::assert_unavailable(ann.refresh().await);
    world.tokens.recover();
    ann.shows_credential = false;
    assert_eq!(
        ann.entry().and_then(|entry| entry.token.device),
        None,
        "the white list has heard of nothing"
    );
    assert_eq!(
        refusal(ann.refresh().await),
        Refusal::DeviceMismatch,
        "the row alone"
    );
}
