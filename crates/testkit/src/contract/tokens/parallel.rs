//! Concurrent calls: every method is atomic with respect to every other.

use super::scene::TokensScene;
use crate::contract::{
    TokensSubject,
    given::{BoxedCall, at_once, secs},
};
use revolve_domain::{
    ports::NewLiveSession,
    rotation::{RetryPolicy, Rotation, RotationOutcome},
};
/// Of a hundred refreshes with one token, one rotates and all others get its successor.
pub async fn parallel_refreshes_rotate_once(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    // A slow machine must not make one of them late.
    let policy = RetryPolicy {
        retry_free: secs(600),
        ..scene.rotation(session, 1).policy
    };
    let outcomes = at_once((0..100).map(|tab| {
        let (tokens, rotation) = (scene.tokens.clone(), scene.rotation(session, 1));
        // Each tab's replica has a clock of its own.
        let rotation = Rotation {
            issued_at: rotation.issued_at.plus(secs(tab)),
            policy,
            ..rotation
        };
        async move { tokens.rotate(&rotation).await.expect("rotate works") }
    }))
    .await;
    let rotated: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            RotationOutcome::Rotated(token) => Some(*token),
            _ => None,
        })
        .collect();
    assert_eq!(
        rotated.len(),
        1,
        "exactly one of them rotates, got {rotated:?}"
    );
    for outcome in outcomes
        .into_iter()
        .filter(|outcome| !matches!(outcome, RotationOutcome::Rotated(_)))
    {
        TokensScene::assert_repeated(outcome, rotated[0], false);
    }
    assert_eq!(
        scene.live(session).await,
        Some(rotated[0]),
        "the one successor is alive"
    );
}

/// None of many concurrent sign-ins is lost.
pub async fn parallel_begins_are_all_there(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let new: Vec<_> = (0..30).map(|_| scene.new_session()).collect();
    at_once(new.iter().map(|&new| {
        let tokens = scene.tokens.clone();
        async move { drop(tokens.begin(new).await.expect("begin works")) }
    }))
    .await;
    scene
        .assert_live(&new.iter().map(|new| new.session).collect::<Vec<_>>())
        .await;
}

/// With many concurrent sign-ins the ceiling holds.
pub async fn parallel_begins_keep_the_ceiling(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let others = at_once((0..30).map(|_| {
        let (tokens, new) = (
            scene.tokens.clone(),
            NewLiveSession {
                ceiling: 5,
                ..scene.new_session()
            },
        );
        async move { tokens.begin(new).await.expect("begin works").len() }
    }))
    .await;
    assert!(
        others.iter().all(|&others| others <= 4),
        "no answer names more than the ceiling allows, got {others:?}"
    );
    assert_eq!(
        scene.list().await.len(),
        5,
        "as many entries as the ceiling allows"
    );
}

/// After the end of a session no entry of it is left, whatever refreshes ran concurrently.
pub async fn a_refresh_does_not_outlive_an_end(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for _ in 0..10 {
        let (session, other) = (scene.begun().await, scene.begun().await);
        let user = scene.user;
        let refreshes = (0..8).map(|_| {
            let (tokens, rotation) = (scene.tokens.clone(), scene.rotation(session, 1));
            Box::pin(async move {
                tokens.rotate(&rotation).await.expect("rotate works");
            }) as BoxedCall
        });
        let tokens = scene.tokens.clone();
        let end = Box::pin(async move { tokens.end(user, &[session]).await.expect("end works") })
            as BoxedCall;
        at_once(refreshes.chain([end])).await;
        scene.assert_live(&[other]).await;
        scene.tokens.end(user, &[other]).await.expect("end works");
    }
}

/// The same for the end of all older sessions.
pub async fn a_refresh_does_not_outlive_end_older(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for _ in 0..10 {
        let session = scene.begun().await;
        let newer = NewLiveSession {
            epoch: scene.new_session().epoch.next(),
            ..scene.new_session()
        };
        let user = scene.user;
        let refreshes = (0..8).map(|_| {
            let (tokens, rotation) = (scene.tokens.clone(), scene.rotation(session, 1));
            Box::pin(async move {
                tokens.rotate(&rotation).await.expect("rotate works");
            }) as BoxedCall
        });
        let tokens = scene.tokens.clone();
        let begin = Box::pin(async move { drop(tokens.begin(newer).await.expect("begin works")) })
            as BoxedCall;
        let tokens = scene.tokens.clone();
        let end = Box::pin(async move {
            tokens
                .end_older(user, newer.epoch, None)
                .await
                .expect("end_older works");
        }) as BoxedCall;
        at_once(refreshes.chain([begin, end])).await;
        scene.assert_live(&[newer.session]).await;
        scene
            .tokens
            .end(user, &[newer.session])
            .await
            .expect("end works");
    }
}
