//! Statements of what was revoked, before they are signed.

use super::{FeedVersion, OutdatedTokens, RaisedEpoch};
use crate::model::{AccountVersion, SessionId, Timestamp, UserId};
use std::time::Duration;

/// The plain form: every end, every raised epoch and every outdated account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationStatement {
    /// The time at which the read of the user database began, in whole seconds (the `iat` claim). Later ends are not in the
    /// statement.
    pub as_of: Timestamp,
    /// How far back it reaches, in whole seconds: at least the life of an ID token. The statement itself is valid as long.
    pub window: Duration,
    /// Each session that ended, with the time, sorted by id, so that the same content has the same bytes.
    pub sessions: Vec<(SessionId, Timestamp)>,
    /// Each user whose epoch rose, sorted by id.
    pub users: Vec<RaisedEpoch>,
    /// Each account whose tokens before a version are outdated, sorted by id.
    pub outdated: Vec<(UserId, AccountVersion)>,
}

impl RevocationStatement {
    /// When it expires (the `exp` claim): every token that it revokes has expired by then.
    pub fn expires_at(&self) -> Timestamp {
        self.as_of.plus(self.window)
    }
}

/// The packed form: the ids of ended sessions, of crowded users those that live, and outdated accounts. The whole window, or what came
/// since an earlier statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedStatement {
    /// As [`RevocationStatement::as_of`].
    pub as_of: Timestamp,
    /// As [`RevocationStatement::window`].
    pub window: Duration,
    /// What the reader covers that has this statement and the one that it continues.
    pub version: FeedVersion,
    /// The statement that this one continues; `None` if it is whole.
    pub since: Option<FeedVersion>,
    /// The sessions that ended, by the minute of their end.
    pub ends: Vec<EndsOfMinute>,
    /// The sessions that live of users with many ends; whole statements only.
    pub only: LivingOnly,
    /// The accounts whose tokens are outdated; one may be there twice, with another version.
    pub outdated: Vec<OutdatedTokens>,
}

impl PackedStatement {
    /// When it expires (the `exp` claim): every token that it revokes has expired by then.
    pub fn expires_at(&self) -> Timestamp {
        self.as_of.plus(self.window)
    }
}

/// Sessions that ended within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndsOfMinute {
    /// The end of that minute.
    pub before: Timestamp,
    /// The sessions.
    pub sessions: Vec<SessionId>,
}

/// Users of whom only the sessions named here live, among those with tokens from before an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LivingOnly {
    /// Tokens that were issued from then on are not concerned: their sessions may have begun after the read.
    pub issued_before: Timestamp,
    /// The users, each with the sessions that live.
    pub users: Vec<(UserId, Vec<SessionId>)>,
}
