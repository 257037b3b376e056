//! What was revoked while an ID token of it may still be alive: which reads of the user database saw it, and how it is
//! stated for services that verify offline, as a whole or as what came since they last heard.

mod by_commit;
mod log;
mod snapshot;
mod statement;
mod version;

pub use log::RevocationLog;
pub use snapshot::CommitSnapshot;
pub use statement::{EndsOfMinute, LivingOnly, PackedStatement, RevocationStatement};
pub use version::{FeedVersion, InvalidVersion};

use crate::model::{AccountVersion, Epoch, SessionId, Timestamp, UserId};
use std::{collections::BTreeMap, time::Duration};

/// How far the time of an end, or of a token, may be from that of its commit by the clock of another replica: a minute for
/// clocks that differ, and a minute for calls under way.
pub const SLACK: Duration = Duration::from_mins(2);

/// How far back a statement reaches for ID tokens of that life, in whole seconds: older ends concern no token that is alive.
pub const fn window(id_lifetime: Duration) -> Duration {
    let rounded_up = id_lifetime.saturating_add(Duration::from_nanos(999_999_999));
    Duration::from_secs(rounded_up.as_secs()).saturating_add(SLACK)
}

/// An end that is younger than this is never collapsed into what lives.
pub const SETTLED: Duration = Duration::from_mins(4);

/// Rows of ended sessions are kept this long, however many there are: until every reader has seen them or knows by what
/// lives that they are over.
pub const KEPT: Duration = Duration::from_mins(5);

/// A user with so many ends in the window is stated by what lives. At most the smallest
/// [`max_ended`](crate::policy::SessionPolicy::max_ended) that there can be.
pub const CROWDED: usize = 10;

/// The longest statement, in bytes, that is served and that a relying service takes: some 1,500,000 ends.
pub const LONGEST_STATEMENT: usize = 32 * 1024 * 1024;

/// The longest statement in the plain form, in bytes: older relying services take no more.
pub const LONGEST_PLAIN_STATEMENT: usize = 4 * 1024 * 1024;

/// An account whose tokens are outdated takes as much room in a packed statement as so many ids.
pub const IDS_OF_OUTDATED: usize = 2;

/// About the length of a packed statement of so many ids, in bytes.
pub const fn packed_length(ids: usize) -> usize {
    // 16 bytes each in base64; around them a signed object.
    ids.saturating_mul(64).div_ceil(3).saturating_add(2048)
}

/// The length of a plain statement of so many ends, and so many raised epochs and outdated accounts, in bytes, at most.
pub const fn plain_length(ends: usize, of_users: usize) -> usize {
    // `["…36 characters…",1900000000],` and `["…",1,"…"],` in base64; around them a signed object.
    let ends = ends.saturating_mul(72);
    ends.saturating_add(of_users.saturating_mul(124))
        .saturating_add(1024)
}

/// A session that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionEnd {
    /// The session.
    pub session: SessionId,
    /// Its user.
    pub user: UserId,
    /// When, by the clock of the replica that ended it.
    pub at: Timestamp,
    /// The number of the commit; 0 for one that every snapshot saw.
    pub commit: u64,
}

/// A user whose epoch rose: every session of an older epoch has ended, but for `kept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RaisedEpoch {
    /// The user.
    pub user: UserId,
    /// The new epoch.
    pub epoch: Epoch,
    /// The session that continues although its epoch is older.
    pub kept: Option<SessionId>,
    /// When it last rose.
    pub at: Timestamp,
}

/// An account of which services refuse ID tokens of an older version: operators have changed what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutdatedTokens {
    /// The account.
    pub user: UserId,
    /// Tokens of a version before this one are outdated.
    pub before: AccountVersion,
    /// When that was, by the clock of the process that changed it.
    pub at: Timestamp,
    /// The number of the commit; 0 for one that every snapshot saw.
    pub commit: u64,
}

/// What is asked of the user database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationQuery {
    /// Ends, raised epochs and outdated accounts from then on.
    pub since: Timestamp,
    /// Only ends and outdated accounts that this snapshot did not see, with the epochs of the users whose sessions ended and nothing about
    /// crowded users; `None` reads everything.
    pub unseen_by: Option<CommitSnapshot>,
    /// From how many ends on a user is crowded.
    pub crowded: usize,
}

/// What one read of the user database saw, in one consistent view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    /// The commits that it saw.
    pub snapshot: CommitSnapshot,
    /// Each session that ended, whatever the reason, once and in any order.
    pub ends: Vec<SessionEnd>,
    /// Each user whose epoch rose and whose account exists, once and in any order.
    pub raised: Vec<RaisedEpoch>,
    /// The sessions that have not ended of each crowded user; of some none.
    pub living: BTreeMap<UserId, Vec<SessionId>>,
    /// Each account whose tokens were outdated, by the last change, once and in any order.
    pub outdated: Vec<OutdatedTokens>,
}

/// A read and what it was asked.
#[derive(Clone, Debug)]
pub struct RevocationRead {
    /// When it began, in whole seconds: later ends may be missing.
    pub as_of: Timestamp,
    /// How far back it reaches, in whole seconds.
    pub window: Duration,
    /// Whether it covers the whole window, and not only what an earlier read had not seen.
    pub whole: bool,
    /// What it saw.
    pub revocations: Revocations,
}
