//! The begin of a session.

use super::scene::{LIFE, TokensScene, assert_sessions};
use crate::contract::{TokensSubject, given::secs};
use revolve_domain::{ports::NewLiveSession, rotation::LiveToken};

/// `begin` stores the token unchanged.
pub async fn begin_white_lists_the_first_token(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let unbound = scene.new_session();
    let bound = scene.new_session();
    let bound = NewLiveSession {
        token: LiveToken {
            device: Some(scene.owner),
            ..bound.token
        },
        ..bound
    };
    for new in [unbound, bound] {
        scene.begin(new).await;
        assert_eq!(
            scene.live(new.session).await,
            Some(new.token),
            "the first token is white-listed as given"
        );
    }
}

/// `begin` answers the user's other live sessions, with their tokens and times, and not the new one.
pub async fn begin_answers_the_other_live_sessions(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let (first, second) = (scene.new_session(), scene.new_session());
    assert_sessions(
        &scene.begin(first).await,
        &[],
        "a first session has no others",
    );
    assert_sessions(
        &scene.begin(second).await,
        &[first.session],
        "the others of a second session",
    );
    let successor = scene.refreshed(scene.rotation(first.session, 1)).await;
    let before = scene.list().await;
    let others = scene.begin(scene.new_session()).await;
    assert_sessions(
        &others,
        &[first.session, second.session],
        "the others of a third session",
    );
    for other in &others {
        assert!(
            before.contains(other),
            "the answer says of {:?} what the list says",
            other.session
        );
    }
    assert!(
        others.iter().any(|other| other.token == successor),
        "the answer has the white-listed token of a refreshed session"
    );
}

/// Calling `begin` again with the same session replaces its entry.
pub async fn begin_again_replaces_the_entry(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let other = scene.begun().await;
    let new = scene.new_session();
    scene.begin(new).await;
    scene.refreshed(scene.rotation(new.session, 1)).await;
    let again = NewLiveSession {
        token: LiveToken {
            expires_at: new.token.expires_at.plus(secs(60)),
            ..new.token
        },
        ..new
    };
    assert_sessions(
        &scene.begin(again).await,
        &[other],
        "a session is not among its own others",
    );
    assert_eq!(
        scene.live(new.session).await,
        Some(again.token),
        "the entry is the one of the last begin"
    );
    scene.assert_live(&[other, new.session]).await;
}

/// Expired entries are neither answered nor kept.
pub async fn begin_drops_the_dead(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    scene.begun().await;
    scene.advance(LIFE / 2).await;
    let alive = scene.begun().await;
    scene.advance(LIFE / 2 + 60).await;
    let new = scene.new_session();
    assert_sessions(&scene.begin(new).await, &[alive], "the dead are no others");
    scene.assert_live(&[alive, new.session]).await;
}

/// Over the ceiling the least recently rotated entries are removed; expired ones do not count.
pub async fn begin_keeps_the_ceiling(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    let mut sessions = Vec::new();
    for _ in 0..3 {
        sessions.push(scene.begun().await);
        scene.advance(60).await;
    }
    scene.refreshed(scene.rotation(sessions[0], 1)).await;
    scene.advance(60).await;
    let new = NewLiveSession {
        ceiling: 3,
        ..scene.new_session()
    };
    let others = scene.begin(new).await;
    assert_sessions(
        &others,
        &[sessions[0], sessions[2]],
        "those over the ceiling are gone before the answer",
    );
    scene
        .assert_live(&[sessions[0], sessions[2], new.session])
        .await;

    let again = NewLiveSession { ceiling: 3, ..new };
    scene.begin(again).await;
    scene
        .assert_live(&[sessions[0], sessions[2], new.session])
        .await;

    scene.advance(LIFE + 60).await;
    let (late, later) = (scene.new_session(), scene.new_session());
    scene.begin(NewLiveSession { ceiling: 2, ..late }).await;
    scene
        .begin(NewLiveSession {
            ceiling: 2,
            ..later
        })
        .await;
    scene.assert_live(&[late.session, later.session]).await;
}

/// The new session stays, whatever the ceiling.
pub async fn begin_never_evicts_the_new_session(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for _ in 0..4 {
        scene.begun().await;
    }
    let new = NewLiveSession {
        ceiling: 1,
        ..scene.new_session()
    };
    scene.begin(new).await;
    scene.assert_live(&[new.session]).await;
}

/// The sessions of one user do not affect another's.
pub async fn users_do_not_meet(subject: &dyn TokensSubject) {
    let (ann, bob) = (TokensScene::new(subject), TokensScene::new(subject));
    let session = ann.begun().await;
    let new = NewLiveSession {
        ceiling: 1,
        ..bob.new_session()
    };
    assert_sessions(
        &bob.begin(new).await,
        &[],
        "another user's sessions are no others",
    );
    let stranger = bob.rotate(session, 1).await;
    assert_eq!(
        stranger,
        revolve_domain::rotation::RotationOutcome::Unknown,
        "another user's session is not known"
    );
    bob.tokens
        .end(bob.user, &[session])
        .await
        .expect("end works");
    bob.tokens
        .end_older(bob.user, new.epoch.next(), None)
        .await
        .expect("end_older works");
    ann.assert_live(&[session]).await;
    bob.assert_live(&[]).await;
}
