//! The durable facts of sessions: begun, bound, ended.

use super::StoreError;
use crate::model::{EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId};
use async_trait::async_trait;
use std::time::Duration;

/// A sign-in that wants to commit.
#[derive(Clone, Debug)]
pub struct BeginSession {
    /// The new session; its epoch is the one that was read with the password hash.
    pub session: Session,
    /// The user's other sessions in the white list and when each was last refreshed.
    pub refreshed: Vec<(SessionId, Timestamp)>,
    /// How many live sessions the user may have, this one included; at least 1.
    pub max_live: usize,
    /// How many rows of ended sessions are kept for the user at most.
    pub max_ended: usize,
    /// How many devices that the user has signed in on are remembered at most, this one included; at least 1.
    pub max_devices: usize,
    /// A row without a white-list entry that began longer ago than this has not been refreshed in time.
    pub idle: Duration,
}

/// How a sign-in came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// The session is there.
    Begun {
        /// Sessions of the same device that it replaced.
        replaced: Vec<SessionId>,
        /// Sessions that had to go because there were too many.
        evicted: Vec<SessionId>,
    },
    /// The user's epoch has moved, or the account is gone or disabled. Nothing changed.
    Superseded,
}

/// How ending a session came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// It is over from now on.
    Ended,
    /// It was over already; its reason stays.
    AlreadyEnded,
    /// The user has no such session.
    NotFound,
}

/// What an ID token's verifier must know to refuse what was ended: the sessions that ended since some instant, and the
/// users whose epoch rose since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    /// Each session that ended, and when.
    pub sessions: Vec<(SessionId, Timestamp)>,
    /// Each user whose epoch rose.
    pub users: Vec<RaisedEpoch>,
}

/// A user whose epoch rose: every session of an older epoch is over, but for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RaisedEpoch {
    /// Whose.
    pub user: UserId,
    /// The epoch now.
    pub epoch: Epoch,
    /// The session that goes on although its epoch is older.
    pub kept: Option<SessionId>,
}

/// Keeps the rows of sessions.
///
/// The same promises as [`super::UserRepository`]. The row is the last word: once `ended_at` is committed, no token of
/// the session is worth anything, whatever the white list says.
///
/// The contract suite is `revolve_testkit::contract::sessions`.
#[async_trait]
pub trait SessionRepository: Send + Sync {
    /// Reads a session and its user at once. MUST be `None` for another user's session.
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError>;

    /// Commits a sign-in, if the user's epoch still is the session's: ends the live sessions of the same device
    /// ([`EndReason::Replaced`]), then those that were not refreshed in time ([`EndReason::Expired`], not named), then as
    /// many of the least recently refreshed as there are too many ([`EndReason::Evicted`]), and drops the oldest rows of
    /// ended sessions over `max_ended`. Remembers that the user has signed in on the device at the session's `began_at`, and
    /// forgets those over `max_devices` that were signed in on the longest ago. MUST be serial per user.
    async fn begin(&self, begin: &BeginSession) -> Result<BeginOutcome, StoreError>;

    /// Records that the session is bound, once; later calls change nothing.
    async fn bind(&self, user: UserId, session: SessionId, at: Timestamp)
    -> Result<(), StoreError>;

    /// Ends one session. The first reason stays.
    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<EndOutcome, StoreError>;

    /// Ends every session of the user but `kept`, raises the epoch by one and records `kept`, in one commit; answers the
    /// new epoch, or `None` if there is no such account or `kept` is no longer live.
    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
    ) -> Result<Option<Epoch>, StoreError>;

    /// The user's sessions that have not ended and survive the epoch, the newest first.
    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// All sessions whose end was recorded at `since` or later, whatever the reason, and all users whose epoch was raised
    /// at `since` or later and whose account exists, each once and in any order. MUST be one consistent view: an end is
    /// seen whole or not at all. Times are those that came with the calls that ended, raised or replaced.
    async fn revoked_since(&self, since: Timestamp) -> Result<Revocations, StoreError>;

    /// Forgets up to `limit` devices that their user last signed in on before `before`; answers how many it forgot.
    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Deletes up to `limit` rows of sessions that ended, or reached their absolute end, before `before`; answers how
    /// many it deleted.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
