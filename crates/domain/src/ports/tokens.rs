//! The white list: the state of rotation.

use super::StoreError;
use crate::{
    model::{Epoch, SessionId, Timestamp, UserId},
    rotation::{LiveToken, Rotation, RotationOutcome},
};
use async_trait::async_trait;

/// The white-list entry of a session that is about to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLiveSession {
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// Its first token.
    pub token: LiveToken,
    /// The session's epoch.
    pub epoch: Epoch,
    /// The most entries that the user may have afterwards. Entries over it are removed, the least recently rotated first, never this
    /// one. Entries whose token was reused neither count nor are removed: their end is about to be committed. The ceiling is far above
    /// `max_per_user`; it bounds the entries of failed sign-ins.
    pub ceiling: usize,
}

/// A live session in the white list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// The session.
    pub session: SessionId,
    /// Its white-listed token.
    pub token: LiveToken,
    /// When it was last refreshed (or begun), on the store's clock.
    pub refreshed_at: Timestamp,
}

/// Keeps exactly one white-listed refresh token per live session.
///
/// Every method is one atomic step among the user's own entries, in time proportional to their number, whatever else
/// the store has. Windows and expiry run on the store's own clock. Expired entries never count, and sessions whose token was reused
/// are not live. After an error the step may or may not have happened; every method can be called again safely.
///
/// The contract suite is `revolve_testkit::contract::tokens`.
#[async_trait]
pub trait TokenRepository: Send + Sync {
    /// White-lists the first token of a session.
    ///
    /// MUST keep every other live entry of the user but those over the ceiling, MUST drop the expired ones, and MUST answer
    /// the user's *other* live sessions, in any order. Calling it again with the same session replaces its entry.
    async fn begin(&self, session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError>;

    /// Applies one attempt to refresh: MUST have the same outcome and leave the same state as [`crate::rotation::step`]
    /// and be atomic with respect to every other method.
    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError>;

    /// Removes these sessions' entries. Unknown sessions are ignored.
    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError>;

    /// Removes every entry of the user whose epoch is below `epoch`, but for `kept`. MUST NOT touch entries of that
    /// epoch or a newer one, so that a late clearing never removes a newer session.
    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// The user's live sessions, in any order.
    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError>;

    /// Answers `Ok` if the store can be used.
    async fn ping(&self) -> Result<(), StoreError>;
}
