//! Two tokens of one session and generation, which come to be when a store has lost acknowledged writes.

use super::scene::{LATE, POLICY, TokensScene};
use crate::contract::{HistorySubject, StoredToken, TokensSubject, given::secs};
use revolve_domain::{
    model::{Generation, SessionId, Timestamp},
    rotation::{LiveToken, RetryPolicy, ReusePolicy, Rotation, RotationOutcome},
};
use std::collections::BTreeMap;

/// The generation of the live token is not enough: another token of it is reuse at any time, and nobody gets the successor.
pub async fn another_token_of_the_live_generation_is_reuse(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for (generation, seconds) in [(1, 0), (1, LATE), (3, 0), (3, LATE), (3, 7000)] {
        let (session, other) = (scene.begun().await, scene.begun().await);
        for presented in 1..generation {
            scene.refreshed(scene.rotation(session, presented)).await;
        }
        scene.advance(seconds).await;
        for attempt in [
            scene.another(session, generation),
            scene.rotation(session, generation),
        ] {
            TokensScene::assert_reused(scene.apply(attempt).await, generation, true);
        }
        scene.assert_live(&[other]).await;
        scene
            .tokens
            .end(scene.user, &[session, other])
            .await
            .expect("end works");
    }
    // A policy that rejects keeps the session for the token that is live.
    let session = scene.begun().await;
    let attempt = Rotation {
        policy: RetryPolicy {
            reuse: ReusePolicy::Reject,
            ..POLICY
        },
        ..scene.another(session, 1)
    };
    TokensScene::assert_reused(scene.apply(attempt).await, 1, false);
    scene.refreshed(scene.rotation(session, 1)).await;
}

/// The same for the generation that was just replaced, also while a retry would be free.
pub async fn another_token_of_the_replaced_generation_is_reuse(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for (last, seconds) in [(1, 0), (1, LATE), (4, 0), (4, LATE)] {
        let session = scene.begun().await;
        let live = scene.refreshed_to(session, last).await;
        scene.advance(seconds).await;
        // The parent itself is a retry, and a late one does not make the store forget what it was.
        TokensScene::assert_repeated(scene.rotate(session, last).await, live, seconds > 0);
        for attempt in [
            scene.another(session, last),
            scene.rotation(session, last),
            scene.rotation(session, last + 1),
        ] {
            TokensScene::assert_reused(scene.apply(attempt).await, last + 1, true);
        }
        scene.assert_live(&[]).await;
    }
}

/// The same for the generation that healed the store.
pub async fn another_token_of_the_healed_generation_is_reuse(subject: &dyn TokensSubject) {
    let scene = TokensScene::new(subject);
    for (seconds, of) in [(0, 6), (LATE, 6), (0, 7), (LATE, 7)] {
        let session = scene.begun().await;
        assert!(
            matches!(
                scene.rotate(session, 6).await,
                RotationOutcome::Healed { .. }
            ),
            "a later generation heals"
        );
        scene.advance(seconds).await;
        TokensScene::assert_reused(scene.apply(scene.another(session, of)).await, 7, true);
        scene.assert_live(&[]).await;
    }
}

/// A thief has the token that a store of 8 generations holds once more when it has lost the last 1 to 5 of them. Whoever comes first and
/// however far the thief gets, no generation has two tokens that are accepted, the fork is found, and its session ends.
pub async fn after_a_rollback_no_generation_has_two_tokens(subject: &dyn HistorySubject) {
    for lost in 1..=5 {
        // How often the thief refreshes before the client does; up to two generations beyond it.
        for stolen in 0..=lost + 2 {
            Fork::of(subject, lost).await.grow(lost, stolen).await;
        }
    }
}

const NEWEST: u64 = 8;

/// A session whose store has lost writes, and every token that it accepted since.
struct Fork<'a> {
    scene: TokensScene<'a>,
    session: SessionId,
    honest: LiveToken,
    thief: LiveToken,
    accepted: BTreeMap<Generation, Timestamp>,
}

impl<'a> Fork<'a> {
    async fn of(subject: &'a dyn HistorySubject, lost: u64) -> Self {
        let scene = TokensScene::new(subject);
        let session = scene.begun().await;
        let mut chain = vec![scene.live(session).await.expect("it has begun")];
        for presented in 1..NEWEST {
            chain.push(scene.refreshed(scene.rotation(session, presented)).await);
        }
        let honest = chain[chain.len() - 1];
        let kept = usize::try_from(NEWEST - lost).expect("small") - 1;
        let thief = chain[kept];
        let state = StoredToken {
            token: thief,
            parent_issued_at: kept.checked_sub(1).map(|parent| chain[parent].issued_at),
            epoch: scene.new_session().epoch,
            age: secs(LATE),
            remaining: thief.lifetime(),
            late: 0,
            charged: false,
            reused: false,
        };
        subject.roll_back(scene.user, session, Some(state)).await;
        Self {
            scene,
            session,
            honest,
            thief,
            accepted: BTreeMap::new(),
        }
    }

    /// Presents a token some seconds after the one before, so that its successor has times of its own; answers the successor.
    async fn present(&mut self, token: LiveToken) -> Result<LiveToken, RotationOutcome> {
        let generation = token.generation.number();
        let rotation = self.scene.rotation(self.session, generation);
        let attempt = Rotation {
            presented_issued_at: token.issued_at,
            issued_at: rotation.issued_at.plus(secs(1000)),
            expires_at: rotation.expires_at.plus(secs(1000)),
            ..rotation
        };
        match self.scene.apply(attempt).await {
            RotationOutcome::Rotated(next)
            | RotationOutcome::Repeated { token: next, .. }
            | RotationOutcome::Healed { token: next, .. } => {
                let first = *self
                    .accepted
                    .entry(token.generation)
                    .or_insert(token.issued_at);
                assert_eq!(
                    first, token.issued_at,
                    "one token of generation {generation} was accepted, and now another one"
                );
                Ok(next)
            }
            refused => Err(refused),
        }
    }

    async fn grow(mut self, lost: u64, stolen: u64) {
        for _ in 0..stolen {
            let next = self.present(self.thief).await;
            self.thief = next.expect("the store has not seen that token used");
        }
        let (thief, honest) = (self.thief, self.honest);
        if stolen < lost {
            // The client proves a later generation, and the thief is behind.
            let next = self.present(honest).await;
            next.expect("a signed token proves what was lost");
            self.scene.advance(LATE).await;
            self.assert_found(thief, lost, stolen).await;
        } else {
            // The thief has caught up. Two generations back the client could be a slow sibling, for as long as the free window.
            if stolen == lost + 2 {
                self.scene.advance(LATE).await;
            }
            self.assert_found(honest, lost, stolen).await;
        }
        for token in [thief, honest] {
            self.assert_found(token, lost, stolen).await;
        }
        self.scene.assert_live(&[]).await;
    }

    async fn assert_found(&mut self, token: LiveToken, lost: u64, stolen: u64) {
        let outcome = self.present(token).await;
        assert!(
            matches!(outcome, Err(RotationOutcome::Reused { revoked: true, .. })),
            "{lost} lost, {stolen} stolen: expected {token:?} to be reuse, got {outcome:?}"
        );
    }
}
