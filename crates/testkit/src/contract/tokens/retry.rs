//! A token that was replaced already is presented again.

use super::scene::{LATE, POLICY, TokensScene};
use crate::contract::{TokensSubject, given::secs};
use revolve_domain::rotation::{RetryPolicy, ReusePolicy, Rotation, RotationOutcome};

/// Within the free window the parent gets the same successor, however often, and nothing is counted.
pub async fn a_free_retry_repeats_the_successor(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for generation in 1..=6 {
        let successor = scene.refreshed(scene.rotation(session, generation)).await;
        scene.advance(3).await;
        for _ in 0..3 {
            let retry = Rotation {
                issued_at: successor.issued_at.plus(secs(9)),
                ..scene.rotation(session, generation)
            };
            TokensScene::assert_repeated(scene.apply(retry).await, successor, false);
        }
    }
}

/// After the free window a retry is late. However often a generation is retried, it counts once.
pub async fn a_late_retry_is_charged_once(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let successor = scene.refreshed(scene.rotation(session, 1)).await;
    for _ in 0..2 * POLICY.late_retries {
        scene.advance(LATE).await;
        match scene.rotate(session, 1).await {
            RotationOutcome::Repeated { token, age, late } => {
                assert_eq!(
                    (token, late),
                    (successor, true),
                    "a late retry gets the same successor"
                );
                assert!(
                    age >= secs(LATE),
                    "the successor's age runs from the rotation, got {age:?}"
                );
            }
            other => panic!("expected a late retry, got {other:?}"),
        }
    }
    assert_eq!(
        scene.refreshed(scene.rotation(session, 2)).await,
        scene.rotation(session, 2).successor(),
        "the successor still works"
    );
}

/// `late_retries` generations in a row may be retried late; one more is reuse.
pub async fn late_retries_in_a_row_are_limited(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for generation in 1..=3 {
        let successor = scene.refreshed(scene.rotation(session, generation)).await;
        scene.advance(LATE).await;
        TokensScene::assert_repeated(scene.rotate(session, generation).await, successor, true);
    }
    scene.refreshed(scene.rotation(session, 4)).await;
    TokensScene::assert_repeated(
        scene.rotate(session, 4).await,
        scene.rotation(session, 4).successor(),
        false,
    );
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.rotate(session, 4).await, 5, true);
    TokensScene::assert_reused(scene.rotate(session, 5).await, 5, true);
}

/// Only a generation that was used without a late retry clears the count.
pub async fn a_generation_used_without_a_late_retry_clears_the_count(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let mut generation = 1;
    for _ in 0..2 {
        for _ in 0..POLICY.late_retries {
            let successor = scene.refreshed(scene.rotation(session, generation)).await;
            scene.advance(LATE).await;
            TokensScene::assert_repeated(scene.rotate(session, generation).await, successor, true);
            generation += 1;
        }
        // Two rotations: the first still follows a charged generation, the second follows one that was not retried.
        scene.refreshed(scene.rotation(session, generation)).await;
        scene.advance(LATE).await;
        scene
            .refreshed(scene.rotation(session, generation + 1))
            .await;
        generation += 2;
    }
}

/// A generation that was charged already has no longer window.
pub async fn a_charged_generation_is_still_held_to_the_window(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let successor = scene.refreshed(scene.rotation(session, 1)).await;
    scene.advance(300).await;
    TokensScene::assert_repeated(scene.rotate(session, 1).await, successor, true);
    scene.advance(360).await;
    TokensScene::assert_reused(scene.rotate(session, 1).await, 2, true);
}

/// After the retry window the parent is reuse.
pub async fn no_retry_after_the_window(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    scene.refreshed(scene.rotation(session, 1)).await;
    scene.advance(660).await;
    match scene.rotate(session, 1).await {
        RotationOutcome::Reused { live, age, revoked } => {
            assert_eq!(
                (live.number(), revoked),
                (2, true),
                "the live generation, and that it was removed"
            );
            assert!(
                age >= secs(660),
                "the live token's age runs from its rotation, got {age:?}"
            );
        }
        other => panic!("expected reuse after the window, got {other:?}"),
    }
    scene.assert_live(&[]).await;
}

/// With a retry window of zero every retry after the free window is reuse.
pub async fn a_strict_policy_allows_no_late_retry(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let policy = RetryPolicy {
        retry_window: secs(0),
        bound_retry_window: secs(0),
        ..POLICY
    };
    for shown in [false, true] {
        let session = scene.begun().await;
        let rotation = if shown {
            scene.shown(session, 1)
        } else {
            scene.rotation(session, 1)
        };
        let rotation = Rotation { policy, ..rotation };
        let successor = scene.refreshed(rotation).await;
        TokensScene::assert_repeated(scene.apply(rotation).await, successor, false);
        scene.advance(LATE).await;
        TokensScene::assert_reused(scene.apply(rotation).await, 2, true);
    }
}

/// With no late retries allowed the first one is reuse.
pub async fn a_policy_without_late_retries_allows_none(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let rotation = Rotation {
        policy: RetryPolicy {
            late_retries: 0,
            ..POLICY
        },
        ..scene.rotation(session, 1)
    };
    let successor = scene.refreshed(rotation).await;
    TokensScene::assert_repeated(scene.apply(rotation).await, successor, false);
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.apply(rotation).await, 2, true);
}

/// With the device's credential the retry window is longer.
pub async fn a_shown_device_has_the_longer_window(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let successor = scene.refreshed(scene.shown(session, 1)).await;
    scene.advance(1800).await;
    TokensScene::assert_repeated(scene.apply(scene.shown(session, 1)).await, successor, true);
    scene.advance(1860).await;
    TokensScene::assert_reused(scene.apply(scene.shown(session, 1)).await, 2, true);
}

/// Once the successor was used its parent is stale at first and reuse later.
pub async fn no_retry_once_the_successor_was_used(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    scene.refreshed_to(session, 2).await;
    assert_eq!(
        scene.rotate(session, 1).await,
        RotationOutcome::Stale,
        "a rotation happened just now"
    );
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.rotate(session, 1).await, 3, true);
}

/// An older token within the free window changes nothing: a concurrent request of the same client.
pub async fn a_slow_sibling_is_stale(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let live = scene.refreshed_to(session, 4).await;
    scene.advance(3).await;
    for generation in 1..=3 {
        assert_eq!(
            scene.rotate(session, generation).await,
            RotationOutcome::Stale,
            "generation {generation} is a slow sibling"
        );
    }
    assert_eq!(scene.live(session).await, Some(live), "nothing changed");
    TokensScene::assert_repeated(scene.rotate(session, 4).await, live, false);
}

/// Reuse removes the session and no other.
pub async fn reuse_revokes(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (session, other) = (scene.begun().await, scene.begun().await);
    scene.refreshed_to(session, 3).await;
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.rotate(session, 1).await, 4, true);
    // Until the session is cleared every attempt is reuse, so that no lost answer hides the finding.
    for generation in 1..=6 {
        TokensScene::assert_reused(scene.rotate(session, generation).await, 4, true);
    }
    scene.assert_live(&[other]).await;
    scene
        .tokens
        .end(scene.user, &[session])
        .await
        .expect("end works");
    assert_eq!(
        scene.rotate(session, 4).await,
        RotationOutcome::Unknown,
        "nothing is left after the clearing"
    );
}

/// If the policy is to reject, reuse is answered and the session continues unchanged.
pub async fn reuse_can_be_rejected(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let live = scene.refreshed_to(session, 3).await;
    scene.advance(LATE).await;
    let policy = RetryPolicy {
        reuse: ReusePolicy::Reject,
        ..POLICY
    };
    for generation in [1, 2, 1] {
        TokensScene::assert_reused(
            scene
                .apply(Rotation {
                    policy,
                    ..scene.rotation(session, generation)
                })
                .await,
            4,
            false,
        );
    }
    assert_eq!(scene.live(session).await, Some(live), "the session is kept");
    TokensScene::assert_repeated(scene.rotate(session, 3).await, live, true);
    scene.refreshed(scene.rotation(session, 4)).await;
}
