//! The end of entries, and the list of the live ones.

use super::scene::{LATE, LIFE, TokensScene};
use crate::contract::{
    TokensSubject,
    given::{secs, session_id},
};
use revolve_domain::{
    model::{Epoch, SessionId},
    ports::NewLiveSession,
    rotation::{Rotation, RotationOutcome},
};

async fn begun_under(scene: &TokensScene<'_>, epoch: u32) -> SessionId {
    let new = NewLiveSession {
        epoch: Epoch::new(epoch),
        ..scene.new_session()
    };
    scene.begin(new).await;
    new.session
}

/// `end` removes the named entries, of whatever generation, and no others.
pub async fn end_removes_these_sessions_only(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let sessions = [
        scene.begun().await,
        scene.begun().await,
        scene.begun().await,
    ];
    scene.refreshed_to(sessions[0], 3).await;
    scene
        .tokens
        .end(scene.user, &sessions[..2])
        .await
        .expect("end works");
    for generation in 1..=5 {
        assert_eq!(
            scene.rotate(sessions[0], generation).await,
            RotationOutcome::Unknown,
            "generation {generation} after the end"
        );
    }
    scene.assert_live(&sessions[2..]).await;
    scene.refreshed(scene.rotation(sessions[2], 1)).await;
}

/// `end` of no session, of unknown sessions and of ended ones is no error.
pub async fn end_passes_over_the_unknown(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    scene
        .tokens
        .end(scene.user, &[session_id()])
        .await
        .expect("end of a stranger's session works");
    let (session, other) = (scene.begun().await, scene.begun().await);
    scene
        .tokens
        .end(scene.user, &[])
        .await
        .expect("end of nothing works");
    for _ in 0..2 {
        scene
            .tokens
            .end(scene.user, &[session_id(), session, session])
            .await
            .expect("end again works");
        scene.assert_live(&[other]).await;
    }
}

/// `end_older` removes entries of older epochs and no others, however often it is called.
pub async fn end_older_spares_the_same_and_newer_epochs(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    scene
        .tokens
        .end_older(scene.user, Epoch::new(1), None)
        .await
        .expect("end_older of nothing works");
    let sessions = [
        begun_under(&scene, 0).await,
        begun_under(&scene, 1).await,
        begun_under(&scene, 2).await,
        begun_under(&scene, 10).await,
    ];
    scene.refreshed_to(sessions[0], 2).await;
    for _ in 0..2 {
        scene
            .tokens
            .end_older(scene.user, Epoch::new(2), None)
            .await
            .expect("end_older works");
        scene.assert_live(&sessions[2..]).await;
    }
    assert_eq!(
        scene.rotate(sessions[0], 3).await,
        RotationOutcome::Unknown,
        "an older epoch's token after the end"
    );
    scene
        .refreshed(Rotation {
            epoch: Epoch::new(2),
            ..scene.rotation(sessions[2], 1)
        })
        .await;
    scene
        .tokens
        .end_older(scene.user, Epoch::new(u32::MAX), None)
        .await
        .expect("end_older works");
    scene.assert_live(&[]).await;
}

/// `end_older` keeps the named session, whatever its epoch.
pub async fn end_older_keeps_the_kept(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (kept, gone, newer) = (
        begun_under(&scene, 0).await,
        begun_under(&scene, 0).await,
        begun_under(&scene, 3).await,
    );
    let live = scene.refreshed_to(kept, 2).await;
    scene
        .tokens
        .end_older(scene.user, Epoch::new(3), Some(kept))
        .await
        .expect("end_older works");
    scene.assert_live(&[kept, newer]).await;
    assert_eq!(
        scene.live(kept).await,
        Some(live),
        "the kept session's token is untouched"
    );
    assert_eq!(
        scene.rotate(gone, 1).await,
        RotationOutcome::Unknown,
        "the others are gone"
    );
    scene
        .tokens
        .end_older(scene.user, Epoch::new(3), Some(session_id()))
        .await
        .expect("end_older works");
    scene.assert_live(&[newer]).await;
}

/// A rotation stores the epoch of the session's row.
pub async fn a_rotated_entry_carries_the_epoch_of_its_row(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (session, other) = (begun_under(&scene, 0).await, begun_under(&scene, 0).await);
    scene
        .refreshed(Rotation {
            epoch: Epoch::new(5),
            ..scene.rotation(session, 1)
        })
        .await;
    scene
        .tokens
        .end_older(scene.user, Epoch::new(5), None)
        .await
        .expect("end_older works");
    scene.assert_live(&[session]).await;
    assert_eq!(scene.live(other).await, None, "the other one was older");
}

/// The list has each live session once, with its token and the time of its last rotation on the store's clock.
pub async fn list_shows_live_sessions(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    scene.assert_live(&[]).await;
    let (quiet, busy) = (scene.begun().await, scene.begun().await);
    scene.advance(LATE).await;
    let token = scene.refreshed_to(busy, 3).await;
    // A retry is no rotation.
    scene.advance(LATE).await;
    scene.rotate(busy, 3).await;
    let list = scene.list().await;
    scene.assert_live(&[quiet, busy]).await;
    let find = |session| {
        list.iter()
            .find(|live| live.session == session)
            .expect("it was asserted to be there")
    };
    assert_eq!(
        find(quiet).token,
        scene.new_session().token,
        "the first token"
    );
    assert_eq!(find(busy).token, token, "the live token");
    let apart = find(busy).refreshed_at.since(find(quiet).refreshed_at);
    assert!(
        apart >= secs(LATE - 10) && apart <= secs(LATE + 30),
        "rotated {LATE} s after the other began, got {apart:?}"
    );
}

/// Expired entries are not listed.
pub async fn list_leaves_out_the_dead(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    scene.begun().await;
    scene.advance(LIFE / 2).await;
    let younger = scene.begun().await;
    scene.advance(LIFE / 2 + 60).await;
    scene.assert_live(&[younger]).await;
    scene.advance(LIFE).await;
    scene.assert_live(&[]).await;
}

/// `ping` succeeds while the store works.
pub async fn the_white_list_answers(subject: &dyn TokensSubject) {
    subject
        .repository()
        .ping()
        .await
        .expect("a store that works answers");
}
