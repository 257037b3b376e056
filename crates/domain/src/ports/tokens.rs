//! The white list: the hot state of rotation.

use super::StoreError;
use crate::{
    model::{Epoch, SessionId, Timestamp, UserId},
    rotation::{LiveToken, Rotation, RotationOutcome},
};
use async_trait::async_trait;

/// A session that is about to begin, as the white list needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewLiveSession {
    /// Whose session.
    pub user: UserId,
    /// Which session.
    pub session: SessionId,
    /// Its first token.
    pub token: LiveToken,
    /// The epoch that it carries.
    pub epoch: Epoch,
    /// The most entries that the user may have afterwards. Entries over it go, the least recently rotated first, this
    /// one never. Entries whose token was found reused neither count nor go: their end is about to be committed. It is a
    /// ceiling far above `max_per_user` against what failed sign-ins leave behind.
    pub ceiling: usize,
}

/// A live session as the white list sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Which session.
    pub session: SessionId,
    /// Its white-listed token.
    pub token: LiveToken,
    /// When it was last refreshed (or begun), on the store's clock.
    pub refreshed_at: Timestamp,
}

/// Keeps exactly one white-listed refresh token per live session.
///
/// Every method is one atomic step among the user's own entries, in time proportional to their number, whatever else
/// the store holds. Windows and expiry run on the store's own clock. Entries past their life never count, and sessions
/// whose token was found reused are not live. On an error
/// the caller must assume that the step may or may not have happened; every method can be called again safely.
///
/// The contract suite is `revolve_testkit::contract::tokens`.
#[async_trait]
pub trait TokenRepository: Send + Sync {
    /// White-lists the first token of a session.
    ///
    /// MUST keep every other live entry of the user but those over the ceiling, MUST drop the dead ones, and MUST answer
    /// the user's *other* live sessions, in any order. Calling it again with the same session replaces its entry.
    async fn begin(&self, session: NewLiveSession) -> Result<Vec<LiveSession>, StoreError>;

    /// Applies one attempt to refresh: MUST have the same outcome and leave the same state as [`crate::rotation::step`]
    /// and be atomic with respect to every other method.
    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError>;

    /// Removes these sessions' entries. Unknown ones are passed over.
    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError>;

    /// Removes every entry of the user whose epoch is below `epoch`, but for `kept`. MUST NOT touch entries of that
    /// epoch or a newer one, so that a late clearing never meets a newer session.
    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// The user's live sessions, in any order.
    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError>;

    /// Answers once the store can be used.
    async fn ping(&self) -> Result<(), StoreError>;
}
