//! One user of a white list under test, with helpers for their sessions.

use crate::contract::{
    TokensSubject,
    given::{START, device_id, secs, session_id, user_id},
};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    ports::{LiveSession, NewLiveSession, TokenRepository},
    rotation::{DeviceProof, LiveToken, RetryPolicy, ReusePolicy, Rotation, RotationOutcome},
};
use std::sync::Arc;

/// A token's life in the cases, in seconds.
pub(super) const LIFE: u64 = 7200;

/// Far above what a case needs.
pub(super) const CEILING: usize = 100;

/// The windows of the cases: 10 s free, 10 min late, 1 h late when bound, 3 in a row, reuse revokes.
pub(super) const POLICY: RetryPolicy = RetryPolicy {
    retry_free: secs(10),
    retry_window: secs(600),
    bound_retry_window: secs(3600),
    late_retries: 3,
    reuse: ReusePolicy::Revoke,
};

/// Between two windows' edges: after the free one, long before the end of the late one.
pub(super) const LATE: u64 = 60;

pub(super) struct TokensScene<'a> {
    subject: &'a dyn TokensSubject,
    pub(super) tokens: Arc<dyn TokenRepository>,
    pub(super) user: UserId,
    pub(super) owner: DeviceId,
}

impl<'a> TokensScene<'a> {
    pub(super) fn new(subject: &'a dyn TokensSubject) -> Self {
        Self {
            subject,
            tokens: subject.repository(),
            user: user_id(),
            owner: device_id(),
        }
    }

    pub(super) async fn advance(&self, seconds: u64) {
        self.subject.advance(self.user, secs(seconds)).await;
    }

    pub(super) fn new_session(&self) -> NewLiveSession {
        let token = LiveToken {
            generation: Generation::FIRST,
            issued_at: START,
            expires_at: START.plus(secs(LIFE)),
            device: None,
        };
        NewLiveSession {
            user: self.user,
            session: session_id(),
            token,
            epoch: Epoch::FIRST,
            ceiling: CEILING,
        }
    }

    /// Begins a session and answers the others.
    pub(super) async fn begin(&self, new: NewLiveSession) -> Vec<LiveSession> {
        self.tokens.begin(new).await.expect("begin works")
    }

    /// A new session in the white list.
    pub(super) async fn begun(&self) -> SessionId {
        let new = self.new_session();
        self.begin(new).await;
        new.session
    }

    /// An attempt to refresh with the token of that generation, without a credential. Each generation's successor has
    /// times of its own, so that no two are equal by chance.
    pub(super) fn rotation(&self, session: SessionId, presented: u64) -> Rotation {
        let issued_at = Self::issued_at(presented + 1);
        Rotation {
            user: self.user,
            session,
            presented: Generation::new(presented).expect("a generation"),
            presented_issued_at: Self::issued_at(presented),
            expired: false,
            issued_at,
            expires_at: issued_at.plus(secs(LIFE)),
            epoch: Epoch::FIRST,
            device: DeviceProof {
                owner: self.owner,
                shown: None,
                bound: false,
            },
            policy: POLICY,
        }
    }

    /// The `iat` of the token of that generation.
    pub(super) fn issued_at(generation: u64) -> Timestamp {
        START.plus(secs((generation - 1) % 1_000_000 * 7))
    }

    /// An attempt to refresh with another token of that generation, as only a store that lost writes lets it come to be.
    pub(super) fn another(&self, session: SessionId, presented: u64) -> Rotation {
        let rotation = self.rotation(session, presented);
        Rotation {
            presented_issued_at: rotation.presented_issued_at.plus(secs(1)),
            ..rotation
        }
    }

    /// The same by the client that holds the owner's credential.
    pub(super) fn shown(&self, session: SessionId, presented: u64) -> Rotation {
        let device = DeviceProof {
            owner: self.owner,
            shown: Some(self.owner),
            bound: false,
        };
        Rotation {
            device,
            ..self.rotation(session, presented)
        }
    }

    pub(super) async fn apply(&self, rotation: Rotation) -> RotationOutcome {
        self.tokens.rotate(&rotation).await.expect("rotate works")
    }

    pub(super) async fn rotate(&self, session: SessionId, presented: u64) -> RotationOutcome {
        self.apply(self.rotation(session, presented)).await
    }

    /// Refreshes with the live token and answers the successor.
    pub(super) async fn refreshed(&self, rotation: Rotation) -> LiveToken {
        match self.apply(rotation).await {
            RotationOutcome::Rotated(token) => token,
            other => panic!("expected the live token to be rotated, got {other:?}"),
        }
    }

    /// Uses the tokens of the generations `1 ..= last`, one after the other.
    pub(super) async fn refreshed_to(&self, session: SessionId, last: u64) -> LiveToken {
        for presented in 1..last {
            self.refreshed(self.rotation(session, presented)).await;
        }
        self.refreshed(self.rotation(session, last)).await
    }

    pub(super) async fn list(&self) -> Vec<LiveSession> {
        self.tokens.list(self.user).await.expect("list works")
    }

    /// The white-listed token of a session.
    pub(super) async fn live(&self, session: SessionId) -> Option<LiveToken> {
        self.list()
            .await
            .into_iter()
            .find(|live| live.session == session)
            .map(|live| live.token)
    }

    /// Asserts which sessions are live.
    pub(super) async fn assert_live(&self, expected: &[SessionId]) {
        assert_sessions(&self.list().await, expected, "the live sessions");
    }

    /// Asserts that a retry answered that token, late or not.
    pub(super) fn assert_repeated(
        outcome: RotationOutcome,
        expected: LiveToken,
        expected_late: bool,
    ) {
        match outcome {
            RotationOutcome::Repeated { token, late, .. } => {
                assert_eq!(token, expected, "a retry gets the same successor");
                assert_eq!(
                    late, expected_late,
                    "late says whether the free window was over"
                );
            }
            other => panic!("expected the retry to get the successor again, got {other:?}"),
        }
    }

    /// Asserts that an attempt was reuse.
    pub(super) fn assert_reused(
        outcome: RotationOutcome,
        expected_live: u64,
        expected_revoked: bool,
    ) {
        match outcome {
            RotationOutcome::Reused { live, revoked, .. } => {
                assert_eq!(
                    live.number(),
                    expected_live,
                    "reuse names the generation that was alive"
                );
                assert_eq!(
                    revoked, expected_revoked,
                    "reuse says whether the session was removed"
                );
            }
            other => panic!("expected reuse, got {other:?}"),
        }
    }
}

/// Asserts which sessions are in a list, in any order.
pub(super) fn assert_sessions(live: &[LiveSession], expected: &[SessionId], what: &str) {
    let sorted = |mut ids: Vec<SessionId>| {
        ids.sort_unstable();
        ids
    };
    let found = sorted(live.iter().map(|live| live.session).collect());
    assert_eq!(found, sorted(expected.to_vec()), "{what}");
}
