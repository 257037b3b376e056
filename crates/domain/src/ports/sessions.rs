//! The rows of sessions: begun, bound, ended.

use super::StoreError;
use crate::{
    journal::Tell,
    model::{DeviceId, EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId},
    revocations::{RevocationQuery, Revocations},
};
use async_trait::async_trait;
use std::time::Duration;

/// The commit of a sign-in.
#[derive(Clone, Debug)]
pub struct BeginSession {
    /// The new session, with the epoch that was read with the password hash.
    pub session: Session,
    /// The other devices whose credentials the client shows. They are this session's device under other ids.
    pub former_devices: Vec<DeviceId>,
    /// The user's other sessions in the white list and when each was last refreshed.
    pub refreshed: Vec<(SessionId, Timestamp)>,
    /// The most live sessions of the user, this one included; at least 1.
    pub max_live: usize,
    /// The most rows of sessions of the user that ended before `settled`.
    pub max_ended: usize,
    /// Rows of sessions that ended from then on are not dropped, however many they are: readers of the revocations may not
    /// have seen them yet.
    pub settled: Timestamp,
    /// The most devices of the user that are remembered, this one included; at least 1.
    pub max_devices: usize,
    /// A session without a white-list entry that began longer ago than this was not refreshed in time.
    pub idle: Duration,
    /// Whether the session must not begin if the account has a factor set up by now: none was shown.
    pub unless_factor: bool,
}

impl BeginSession {
    /// The device whose credential the client keeps: the session is bound to it from the beginning.
    pub fn kept_device(&self) -> Option<DeviceId> {
        self.session.bound_at.map(|_| self.session.device)
    }
}

/// The outcome of [`SessionRepository::begin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeginOutcome {
    /// The session is committed.
    Begun {
        /// Sessions of the same device and client that it replaced.
        replaced: Vec<SessionId>,
        /// Sessions that ended because they were not refreshed in time.
        expired: Vec<SessionId>,
        /// Sessions that ended because there were too many.
        evicted: Vec<SessionId>,
    },
    /// The user's epoch has risen, the account is deleted or disabled or has got a factor that was not shown, or the device that the client keeps
    /// has ceased to be current. Nothing changed.
    Superseded,
}

/// The outcome of [`SessionRepository::end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOutcome {
    /// It has ended now.
    Ended,
    /// It had ended before; its reason stays.
    AlreadyEnded,
    /// The user has no such session.
    NotFound,
}

/// Keeps the rows of sessions.
///
/// The same guarantees as [`super::UserRepository`]. The row decides: once `ended_at` is committed, no token of the session is
/// valid, whatever the white list has.
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

    /// Commits a sign-in, if the user's epoch is still the session's, and the [kept device](BeginSession::kept_device), if there is
    /// one, is still current (signed in on under that epoch, and no reuse found on it since), and [`crate::factors::may_begin`] says so: ends the live sessions of the same device or a former
    /// one whose client has the same origin, or none either ([`EndReason::Replaced`]), then those that were not refreshed in
    /// time ([`EndReason::Expired`]), then as many of the least recently refreshed as there are too many
    /// ([`EndReason::Evicted`]), and drops the oldest rows of ended sessions over `max_ended`, of those that ended before
    /// `settled`.
    ///
    /// Remembers that the user has signed in on the device at the session's `began_at` and under its epoch, and forgets the
    /// former devices, and those over `max_devices` that were signed in on the longest ago. A device on which reuse was
    /// found meanwhile MUST NOT become current again. MUST be serial per user.
    async fn begin(
        &self,
        begin: &BeginSession,
        tell: &Tell<BeginOutcome>,
    ) -> Result<BeginOutcome, StoreError>;

    /// Binds a session that is not bound yet to one of these devices: its own, else the first that its user has signed in on
    /// under the session's epoch or a later one, and on which no reuse was found since; that becomes its own. Answers the
    /// device that the session is bound to now; `None` if that is none of them. A session stays bound to the first device,
    /// and since the first time.
    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
        tell: &Tell<Option<DeviceId>>,
    ) -> Result<Option<DeviceId>, StoreError>;

    /// Ends one session. The first reason stays. With [`EndReason::Reused`] the session's device MUST cease to be current in
    /// the same commit, also if the session had ended before: a sign-in on the device may have replaced it since reuse was found.
    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<EndOutcome>,
    ) -> Result<EndOutcome, StoreError>;

    /// Ends every session of the user but `kept`, raises the epoch by one and records `kept`, in one commit; answers the
    /// new epoch, or `None` if there is no such account or `kept` is no longer live.
    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<Option<Epoch>>,
    ) -> Result<Option<Epoch>, StoreError>;

    /// The user's sessions that have not ended and survive the epoch, the newest first.
    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;

    /// What was revoked from an instant on, or what of it an earlier read has not seen. MUST be one consistent view: an end
    /// is seen whole or not at all, and the snapshot says exactly which ends were seen, those of commits still under way
    /// excepted. Of a source other than that of the query's snapshot anything may be left out. Times are those of the calls
    /// that ended, raised or replaced.
    async fn revoked(&self, query: &RevocationQuery) -> Result<Revocations, StoreError>;

    /// Forgets up to `limit` devices that their user last signed in on before `before`; answers how many it forgot.
    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Deletes up to `limit` rows of sessions that ended, or reached their absolute end, before `before`; answers how
    /// many it deleted.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
