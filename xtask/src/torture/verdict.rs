//! What came out of a round, of a case, and of all: counting, and what counts as met.

use std::fmt::Write as _;

use serde::Serialize;

/// What a count stands for. All but `ByDesign` must be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// An honest client was signed out.
    Lost,
    /// A thief lived on.
    Undetected,
    /// Something of a session that was ended still worked.
    Survivor,
    /// An honest client was signed out as the rules say: a retry after the window.
    ByDesign,
    /// An answer that no rule has, such as a 401 while a store is down or another code than promised.
    Other,
}

/// What came out of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    counts: [u32; 5],
    /// Chains of tokens that lived side by side; `None` where the session is meant to be over.
    branches: Option<u32>,
    /// Rotations that were made and whose answers were lost to the misfortune of the case, as it is meant to be.
    hits: u32,
    /// Why each count is what it is.
    remarks: Vec<String>,
}

impl Verdict {
    /// Counts one more, and says why.
    pub(crate) fn count(&mut self, column: Column, why: impl Into<String>) {
        self.counts[column as usize] += 1;
        if column != Column::ByDesign {
            self.remarks.push(why.into());
        }
    }

    /// Notes how many chains lived; the worst of a round counts.
    pub(crate) fn branches(&mut self, branches: u32) {
        if branches > 1 {
            self.remarks.push(format!("{branches} live branches"));
        }
        self.branches = self.branches.max(Some(branches));
    }

    /// Notes that the misfortune came between a rotation and its answer.
    pub(crate) fn hit(&mut self) {
        self.hits += 1;
    }

    pub(crate) fn of(&self, column: Column) -> u32 {
        self.counts[column as usize]
    }

    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Whether all is as it must be.
    pub(crate) fn is_met(&self) -> bool {
        let mut tally = Tally::default();
        tally.add(self);
        tally.is_met()
    }
}

/// What came out of many rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Tally {
    pub(crate) rounds: u32,
    pub(crate) lost: u32,
    /// The most that lived side by side in any round.
    pub(crate) branches: Option<u32>,
    pub(crate) undetected: u32,
    pub(crate) survivors: u32,
    pub(crate) by_design: u32,
    pub(crate) other: u32,
    /// Rotations that were made and whose answers were lost to a kill or an outage.
    pub(crate) hits: u32,
    /// Attempts that were too slow for the windows to say anything, and were made again.
    pub(crate) repeated: u32,
}

impl Tally {
    /// One more round.
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        self.rounds += 1;
        self.lost += verdict.of(Column::Lost);
        self.branches = self.branches.max(verdict.branches);
        self.undetected += verdict.of(Column::Undetected);
        self.survivors += verdict.of(Column::Survivor);
        self.by_design += verdict.of(Column::ByDesign);
        self.other += verdict.of(Column::Other);
        self.hits += verdict.hits;
    }

    /// All rounds of another tally, too.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.lost += other.lost;
        self.branches = self.branches.max(other.branches);
        self.undetected += other.undetected;
        self.survivors += other.survivors;
        self.by_design += other.by_design;
        self.other += other.other;
        self.hits += other.hits;
        self.repeated += other.repeated;
    }

    /// Nobody lost, one branch, no thief undetected, nothing survived, and no other answer than promised.
    pub(crate) fn is_met(&self) -> bool {
        let zero = [self.lost, self.undetected, self.survivors, self.other]
            .iter()
            .all(|count| *count == 0);
        zero && self.branches.is_none_or(|branches| branches == 1)
    }

    /// The line at the end.
    pub(crate) fn score(&self) -> String {
        let branches = self.branches.unwrap_or_default();
        let noun = if branches == 1 { "branch" } else { "branches" };
        let mut line = format!(
            "score: {} rounds, {} lost / {branches} {noun} / {} undetected / {} survivors",
            self.rounds, self.lost, self.undetected, self.survivors
        );
        if self.other > 0 {
            let _ = write!(line, " / {} other faults", self.other);
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(verdicts: &[Verdict]) -> Tally {
        let mut tally = Tally::default();
        for verdict in verdicts {
            tally.add(verdict);
        }
        tally
    }

    fn with(column: Column) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.branches(1);
        verdict.count(column, "because");
        verdict
    }

    #[test]
    fn what_is_by_design_is_shown_and_harms_nothing() {
        let tally = tally(&[with(Column::ByDesign), with(Column::ByDesign)]);
        assert!(tally.is_met());
        assert_eq!((tally.by_design, tally.lost), (2, 0));
        assert_eq!(
            tally.score(),
            "score: 2 rounds, 0 lost / 1 branch / 0 undetected / 0 survivors"
        );
    }

    #[test]
    fn one_count_in_any_other_column_fails_the_case() {
        for column in [
            Column::Lost,
            Column::Undetected,
            Column::Survivor,
            Column::Other,
        ] {
            let verdict = with(column);
            assert!(!verdict.is_met(), "{column:?}");
            assert_eq!(verdict.remarks(), ["because"]);
            assert!(
                !tally(&[Verdict::default(), verdict]).is_met(),
                "{column:?}"
            );
        }
    }

    #[test]
    fn the_worst_round_says_how_many_branches_lived() {
        let mut forked = Verdict::default();
        forked.branches(3);
        forked.branches(1);
        assert_eq!(forked.branches, Some(3));
        let mut all = tally(&[with(Column::ByDesign), forked, Verdict::default()]);
        assert!(!all.is_met());
        assert_eq!(
            all.score(),
            "score: 3 rounds, 0 lost / 3 branches / 0 undetected / 0 survivors"
        );
        // None alive where one should be fails, too; where the session is meant to be over, it is no matter.
        let mut none = Verdict::default();
        none.branches(0);
        assert!(!none.is_met());
        assert!(Verdict::default().is_met());
        all.merge(&tally(&[with(Column::Other)]));
        assert_eq!((all.rounds, all.other, all.branches), (4, 1, Some(3)));
        assert!(all.score().ends_with("/ 1 other faults"), "{}", all.score());
    }
}
