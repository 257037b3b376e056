//! The journal: what happened, in the commit of the change that it tells.

use super::StoreError;
use crate::{
    journal::JournalRecord,
    model::{EventId, Timestamp, UserId},
};
use async_trait::async_trait;

/// Which entries to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalQuery {
    /// Only those about this account.
    pub user: Option<UserId>,
    /// Only those of this name.
    pub event: Option<String>,
    /// Only those from this time on.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub to: Option<Timestamp>,
    /// Only those older than this one, which must be about the account and of the name that are asked for; if it is not in the journal, there are
    /// none.
    pub after: Option<EventId>,
    /// How many at most.
    pub limit: u32,
}

impl JournalQuery {
    /// Whether it asks for entries like this one, wherever its page is.
    pub fn admits(&self, entry: &JournalRecord) -> bool {
        self.is_about(entry)
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }

    /// Whether the entry is about the account and of the name.
    pub fn is_about(&self, entry: &JournalRecord) -> bool {
        (self.user.is_none() || self.user == entry.user)
            && self
                .event
                .as_ref()
                .is_none_or(|event| *event == entry.event)
    }
}

/// A place in the order of [`Journal::follow`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct JournalCursor {
    /// The number of a commit, where a store has such.
    pub commit: u64,
    /// The number of an entry within.
    pub number: u64,
}

/// What was written since a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The entries, in the order of the cursor.
    pub entries: Vec<JournalRecord>,
    /// Where to go on.
    pub cursor: JournalCursor,
}

/// Reads the journal of a user database, and writes what changes no other row there. What a change tells is written by the methods of the
/// other ports, which take a [`Tell`](crate::journal::Tell): exactly what is told of the outcome that they answer MUST be committed with the
/// change, all of it or nothing of both. The deletion of an account MUST, in the same commit, remove what identifies a person from all
/// entries about it ([`JournalRecord::scrub`]).
///
/// The contract suite is `revolve_testkit::contract::journal`.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The newest entries that the query asks for, the newest first; of one commit the last that was told first. MUST take time in
    /// proportion to its answer, however many entries there are.
    async fn read(&self, query: &JournalQuery) -> Result<Vec<JournalRecord>, StoreError>;

    /// Up to `limit` entries that were committed after the cursor; without one none, and the cursor of now. Who follows from cursor to
    /// cursor MUST get every entry exactly once, also those of commits that take long; more of a note that was there before is no entry.
    async fn follow(
        &self,
        after: Option<JournalCursor>,
        limit: u32,
    ) -> Result<Followed, StoreError>;

    /// Writes these down, each of another id. One whose id is there already adds its count to that one and changes nothing else. What
    /// identifies a person MUST NOT be written about an account that is deleted.
    async fn note(&self, notes: &[JournalRecord]) -> Result<(), StoreError>;

    /// Deletes up to `limit` entries from before `before`; answers how many it deleted, or how many others it put in order if these were more:
    /// with `limit` there may be more to do.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
