//! Which commits a read saw.

/// The commits of a database that a read saw.
///
/// A database numbers its writing transactions when they begin, so that one with a low number may commit after one with a
/// high number was seen. A snapshot says of every number whether it was seen, so that what one read missed is exactly what
/// the next one must ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CommitSnapshot {
    source: u64,
    all_below: u64,
    none_from: u64,
    /// In order, each from `all_below` to below `none_from`.
    unseen: Vec<u64>,
}

impl CommitSnapshot {
    /// The most single commits that are told apart, more than most servers have connections. If more are under way, those from
    /// the last of them on count as unseen, and are told twice.
    pub const MAX_UNSEEN: usize = 512;

    /// A read that saw all commits below `all_below`, and those below `none_from` that are not in `unseen`. Numbers of
    /// different sources can't be compared: a source is one run of one database server.
    pub fn new(
        source: u64,
        all_below: u64,
        none_from: u64,
        unseen: impl IntoIterator<Item = u64>,
    ) -> Self {
        let all_below = all_below.max(1);
        let mut none_from = none_from.max(all_below);
        let mut unseen: Vec<u64> = unseen
            .into_iter()
            .filter(|commit| (all_below..none_from).contains(commit))
            .collect();
        unseen.sort_unstable();
        unseen.dedup();
        if let Some(&first_left_out) = unseen.get(Self::MAX_UNSEEN) {
            unseen.truncate(Self::MAX_UNSEEN);
            none_from = first_left_out;
        }
        Self {
            source,
            all_below,
            none_from,
            unseen,
        }
    }

    /// For a database that commits in the order of the numbers: `last` and all before it were seen.
    pub fn serial(source: u64, last: u64) -> Self {
        Self::new(source, last.saturating_add(1), 0, [])
    }

    /// The run of the database server.
    pub fn source(&self) -> u64 {
        self.source
    }

    /// All commits below were seen.
    pub fn all_below(&self) -> u64 {
        self.all_below
    }

    /// No commit from here on was seen.
    pub fn none_from(&self) -> u64 {
        self.none_from
    }

    /// The commits in between that were not seen, in order.
    pub fn unseen(&self) -> &[u64] {
        &self.unseen
    }

    /// Whether this commit, of the same source, was seen.
    pub fn saw(&self, commit: u64) -> bool {
        commit < self.all_below
            || (commit < self.none_from && self.unseen.binary_search(&commit).is_err())
    }

    /// Whether everything was seen that the other one, of the same source, says it saw.
    pub fn covers(&self, other: &Self) -> bool {
        self.none_from >= other.none_from && !self.unseen.iter().any(|commit| other.saw(*commit))
    }

    /// Whether more may have been seen than [`Self::saw`] says, because too many commits were under way to tell them apart.
    pub fn is_cut(&self) -> bool {
        self.unseen.len() == Self::MAX_UNSEEN
    }

    /// Whether the database has gone back: then its numbers say nothing about what this snapshot saw.
    pub fn is_undone_by(&self, later: &Self) -> bool {
        later.source != self.source || later.all_below < self.all_below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_under_way_is_unseen_although_later_ones_were_seen() {
        let snapshot = CommitSnapshot::new(7, 10, 15, [13, 11, 11, 99, 3]);
        let seen: Vec<u64> = (0..20).filter(|commit| snapshot.saw(*commit)).collect();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14]);
        assert!(CommitSnapshot::serial(7, 3).saw(3) && !CommitSnapshot::serial(7, 3).saw(4));
        assert!(CommitSnapshot::serial(7, 0).saw(0) && !CommitSnapshot::serial(7, 0).saw(1));
    }

    #[test]
    fn with_too_many_under_way_more_counts_as_unseen_and_never_less() {
        let unseen: Vec<u64> = (0..1000).map(|n| 1000 + 2 * n).collect();
        let snapshot = CommitSnapshot::new(1, 1000, 5000, unseen.clone());
        assert_eq!(snapshot.unseen().len(), CommitSnapshot::MAX_UNSEEN);
        assert!(unseen.iter().all(|commit| !snapshot.saw(*commit)));
        assert!(snapshot.saw(1001) && !snapshot.saw(4999) && snapshot.is_cut());
    }

    #[test]
    fn a_snapshot_covers_what_saw_no_more() {
        let snapshot = CommitSnapshot::new(1, 10, 20, [10, 12]);
        for (other, covered) in [
            (snapshot.clone(), true),
            (CommitSnapshot::serial(1, 9), true),
            (CommitSnapshot::new(1, 10, 15, [10, 12, 14]), true),
            (CommitSnapshot::new(1, 10, 20, [10]), false),
            (CommitSnapshot::serial(1, 10), false),
            (CommitSnapshot::new(1, 10, 21, [10, 12]), false),
        ] {
            assert_eq!(snapshot.covers(&other), covered, "{other:?}");
        }
    }

    #[test]
    fn another_source_and_lower_numbers_undo_a_snapshot() {
        let snapshot = CommitSnapshot::new(1, 10, 20, [12]);
        for (later, undone) in [
            (CommitSnapshot::new(1, 10, 20, [12]), false),
            (CommitSnapshot::new(1, 12, 25, []), false),
            (CommitSnapshot::new(2, 12, 25, []), true),
            (CommitSnapshot::new(1, 9, 25, []), true),
        ] {
            assert_eq!(snapshot.is_undone_by(&later), undone, "{later:?}");
        }
    }
}
