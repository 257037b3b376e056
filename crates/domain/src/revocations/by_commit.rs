//! What reads have seen, in the order of its commits.

use super::{CommitSnapshot, OutdatedTokens, SessionEnd};
use crate::model::Timestamp;
use uuid::Uuid;

/// What a commit says about a session or an account.
pub(super) trait Committed {
    /// The number of the commit; 0 for one that every snapshot saw.
    fn commit(&self) -> u64;
    /// What it is about.
    fn about(&self) -> Uuid;
    /// When it was.
    fn at(&self) -> Timestamp;
}

impl Committed for SessionEnd {
    fn commit(&self) -> u64 {
        self.commit
    }

    fn about(&self) -> Uuid {
        *self.session.as_uuid()
    }

    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Committed for OutdatedTokens {
    fn commit(&self) -> u64 {
        self.commit
    }

    fn about(&self) -> Uuid {
        *self.user.as_uuid()
    }

    fn at(&self) -> Timestamp {
        self.at
    }
}

/// Entries by commit and what they are about, each once.
#[derive(Clone, Debug)]
pub(super) struct ByCommit<T>(Vec<T>);

impl<T> Default for ByCommit<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

fn order(entry: &impl Committed) -> (u64, Uuid) {
    (entry.commit(), entry.about())
}

impl<T: Committed> ByCommit<T> {
    /// Adds entries; answers whether some of them were not there yet.
    pub(super) fn add(&mut self, mut new: Vec<T>) -> bool {
        let Some(first) = new.iter().map(order).min() else {
            return false;
        };
        // Almost always a few at the end.
        let before = self.0.len();
        let mut last = self
            .0
            .split_off(self.0.partition_point(|entry| order(entry) < first));
        last.append(&mut new);
        last.sort_unstable_by_key(order);
        last.dedup_by_key(|entry| order(entry));
        self.0.append(&mut last);
        self.0.len() != before
    }

    /// Those from an instant on.
    pub(super) fn since(&self, since: Timestamp) -> impl Iterator<Item = &T> {
        self.0.iter().filter(move |entry| entry.at() >= since)
    }

    /// Those from an instant on that a reader lacks which has one of these snapshots and is to have the other.
    pub(super) fn between<'s>(
        &'s self,
        known: &'s CommitSnapshot,
        upto: &'s CommitSnapshot,
        since: Timestamp,
    ) -> impl Iterator<Item = &'s T> {
        // What came after the read of `upto` is told with a later version, or all of it would be told twice. But a version that is
        // cut never says of some commits that they were read, for as long as others stay open: all that is known is told then.
        let is_told = move |entry: &&T| upto.saw(entry.commit()) || upto.is_cut();
        let unseen = self.unseen(known).filter(is_told);
        unseen.filter(move |entry| entry.at() >= since)
    }

    /// Only what the snapshot did not see: a transaction that stays open holds back `all_below` for as long.
    fn unseen<'s>(&'s self, snapshot: &'s CommitSnapshot) -> impl Iterator<Item = &'s T> {
        let from = |commit| self.0.partition_point(|entry| entry.commit() < commit);
        let late = snapshot.unseen().iter();
        let late = late.flat_map(move |&commit| &self.0[from(commit)..from(commit + 1)]);
        late.chain(&self.0[from(snapshot.none_from())..])
    }

    /// Forgets those from before an instant.
    pub(super) fn forget(&mut self, before: Timestamp) {
        self.0.retain(|entry| entry.at() >= before);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
