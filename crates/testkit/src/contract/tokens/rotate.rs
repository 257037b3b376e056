//! Use of the live token, or of one that proves that the store lost a rotation.

use super::scene::{LATE, LIFE, TokensScene};
use crate::contract::{
    TokensSubject,
    given::{START, secs, session_id},
};
use revolve_domain::{
    model::{Generation, Timestamp},
    ports::NewLiveSession,
    rotation::{LiveToken, Rotation, RotationOutcome},
};

/// A use of the live token replaces it; the used token is no longer live.
pub async fn the_live_token_is_rotated(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (session, other) = (scene.begun().await, scene.begun().await);
    for generation in 1..=5 {
        let rotation = scene.rotation(session, generation);
        let token = scene.refreshed(rotation).await;
        assert_eq!(
            token,
            rotation.successor(),
            "the successor of generation {generation}"
        );
        assert_eq!(
            scene.live(session).await,
            Some(token),
            "the successor is the live token"
        );
        scene.advance(LATE).await;
    }
    scene.assert_live(&[session, other]).await;
}

/// Generation, times and device of the successor are those that the rotation names.
pub async fn the_successor_is_what_the_rotation_says(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let issued_at = Timestamp::from_seconds(1_234_567_890);
    let rotation = Rotation {
        issued_at,
        expires_at: issued_at.plus(secs(4321)),
        ..scene.shown(session, 1)
    };
    let expected = LiveToken {
        generation: Generation::FIRST.next(),
        issued_at,
        expires_at: issued_at.plus(secs(4321)),
        device: Some(scene.owner),
    };
    assert_eq!(scene.refreshed(rotation).await, expected, "the successor");
}

/// A session that never began is unknown, and stays so.
pub async fn an_unknown_session_is_unknown(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let other = scene.begun().await;
    for generation in [1, 7] {
        assert_eq!(
            scene.rotate(session_id(), generation).await,
            RotationOutcome::Unknown,
            "a session that never began"
        );
    }
    scene.assert_live(&[other]).await;
}

/// Once its entry has expired, a session is unknown, whatever the generation.
pub async fn an_expired_entry_is_unknown(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    scene.refreshed_to(session, 2).await;
    scene.advance(LIFE + 60).await;
    for generation in [1, 2, 3, 4] {
        assert_eq!(
            scene.rotate(session, generation).await,
            RotationOutcome::Unknown,
            "generation {generation} after the end of life"
        );
    }
    scene.assert_live(&[]).await;
}

/// Each rotation has a lifetime of its own.
pub async fn a_rotation_renews_the_life(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for generation in 1..=3 {
        scene.advance(LIFE - 60).await;
        scene.refreshed(scene.rotation(session, generation)).await;
    }
    let short = Rotation {
        expires_at: START.plus(secs(300)),
        issued_at: START,
        ..scene.rotation(session, 4)
    };
    scene.refreshed(short).await;
    scene.advance(360).await;
    assert_eq!(
        scene.rotate(session, 5).await,
        RotationOutcome::Unknown,
        "a short life is over sooner"
    );
}

/// The times of the claims are only passed on: an entry's lifetime is their difference, from the current time of the store's clock.
pub async fn expiry_runs_on_the_store_clock(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for issued_at in [
        Timestamp::from_seconds(1_000_000_000),
        Timestamp::from_seconds(4_000_000_000),
    ] {
        let new = scene.new_session();
        let token = LiveToken {
            issued_at,
            expires_at: issued_at.plus(secs(LIFE)),
            ..new.token
        };
        scene.begin(NewLiveSession { token, ..new }).await;
        scene.advance(LIFE - 60).await;
        assert_eq!(
            scene.live(new.session).await,
            Some(token),
            "alive for its whole life on the store's clock"
        );
        let rotation = Rotation {
            presented_issued_at: issued_at,
            issued_at,
            expires_at: issued_at.plus(secs(LIFE)),
            ..scene.rotation(new.session, 1)
        };
        scene.refreshed(rotation).await;
        scene.advance(LIFE + 60).await;
        assert_eq!(
            scene.rotate(new.session, 2).await,
            RotationOutcome::Unknown,
            "dead after it"
        );
    }
}

/// `expired` has no effect on a token that the store knows.
pub async fn an_expired_claim_does_not_stop_a_live_token(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let expired = |generation| Rotation {
        expired: true,
        ..scene.rotation(session, generation)
    };
    let successor = scene.refreshed(expired(1)).await;
    TokensScene::assert_repeated(scene.apply(expired(1)).await, successor, false);
}

/// A token of a later generation than the store's proves that the store lost a rotation: it is replaced.
pub async fn a_lost_generation_is_healed(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (session, other) = (scene.begun().await, scene.begun().await);
    scene.refreshed(scene.rotation(session, 1)).await;
    let rotation = scene.rotation(session, 6);
    let lost = Generation::FIRST.next();
    let expected = RotationOutcome::Healed {
        token: rotation.successor(),
        lost,
    };
    assert_eq!(
        scene.apply(rotation).await,
        expected,
        "the successor of the presented token, and what the store had"
    );
    assert_eq!(
        scene.live(session).await,
        Some(rotation.successor()),
        "the healed token is the live one"
    );
    TokensScene::assert_repeated(scene.rotate(session, 6).await, rotation.successor(), false);
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.rotate(session, 2).await, 7, true);
    scene.assert_live(&[other]).await;
}

/// A healed entry is like new: a whole life, no late retries counted, the epoch of the row.
pub async fn healing_starts_afresh(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    for generation in 1..=3 {
        let successor = scene.refreshed(scene.rotation(session, generation)).await;
        scene.advance(LATE).await;
        TokensScene::assert_repeated(scene.rotate(session, generation).await, successor, true);
    }
    let epoch = scene.new_session().epoch.next();
    let rotation = Rotation {
        epoch,
        ..scene.rotation(session, 10)
    };
    assert!(
        matches!(scene.apply(rotation).await, RotationOutcome::Healed { .. }),
        "a later generation heals"
    );
    scene
        .tokens
        .end_older(scene.user, epoch, None)
        .await
        .expect("end_older works");
    let mut live = rotation.successor();
    for generation in 10..=12 {
        scene.advance(LATE).await;
        TokensScene::assert_repeated(scene.rotate(session, generation).await, live, true);
        live = scene
            .refreshed(scene.rotation(session, generation + 1))
            .await;
    }
    scene.advance(LATE).await;
    TokensScene::assert_reused(scene.rotate(session, 13).await, 14, true);
}

/// A token past its `exp` does not heal the store.
pub async fn an_expired_token_does_not_heal(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let before = scene.live(session).await;
    let rotation = Rotation {
        expired: true,
        ..scene.rotation(session, 5)
    };
    assert_eq!(
        scene.apply(rotation).await,
        RotationOutcome::Unknown,
        "an expired later generation"
    );
    assert_eq!(scene.live(session).await, before, "nothing changed");
    scene.refreshed(scene.rotation(session, 1)).await;
}

/// Generations are whole numbers up to 2^53 - 1, compared and kept exactly.
pub async fn large_generations_are_exact(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let session = scene.begun().await;
    let last = Generation::MAX.number();
    for presented in [(1 << 31) - 1, (1 << 32) + 1, last - 4] {
        let rotation = scene.rotation(session, presented);
        assert!(
            matches!(scene.apply(rotation).await, RotationOutcome::Healed { .. }),
            "generation {presented} heals"
        );
        assert_eq!(
            scene.live(session).await,
            Some(rotation.successor()),
            "the successor of generation {presented}"
        );
    }
    for presented in [last - 3, last - 2, last - 1] {
        let successor = scene.refreshed(scene.rotation(session, presented)).await;
        assert_eq!(
            successor.generation.number(),
            presented + 1,
            "exactly the next generation"
        );
        TokensScene::assert_repeated(scene.rotate(session, presented).await, successor, false);
        assert_eq!(
            scene.rotate(session, presented - 1).await,
            RotationOutcome::Stale,
            "exactly two generations back"
        );
    }
}
