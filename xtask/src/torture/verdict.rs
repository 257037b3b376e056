//! The findings of a round, of a case, and of all, and when they meet the verdict.

use std::fmt::Write as _;

use serde::Serialize;

/// What is counted. All counts but that of `ByDesign` must be zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RoundFinding {
    /// An honest client holds no token that works any more, and has to sign in again.
    Ended,
    /// A call of an honest client was refused; its session may go on.
    Refused,
    /// A thief was not detected.
    Undetected,
    /// A token of a session that was ended still worked.
    Survivor,
    /// An honest client was signed out by the rules: a retry after the window.
    ByDesign,
    /// Another answer than promised, such as another code.
    Other,
    /// The round could not begin: nothing was tried, and the service is not judged.
    SetUp,
}

/// The findings of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    counts: [u32; 7],
    /// Chains of tokens that lived side by side; `None` where the session is meant to be over.
    branches: Option<u32>,
    remarks: Vec<String>,
}

impl Verdict {
    /// Counts one more, and says why.
    pub(crate) fn count(&mut self, finding: RoundFinding, why: impl Into<String>) {
        self.counts[finding as usize] += 1;
        if finding != RoundFinding::ByDesign {
            self.remarks.push(why.into());
        }
    }

    /// Records how many chains lived; the highest number of a round counts.
    pub(crate) fn branches(&mut self, branches: u32) {
        if branches > 1 {
            self.remarks.push(format!("{branches} live branches"));
        }
        self.branches = self.branches.max(Some(branches));
    }

    pub(crate) fn of(&self, finding: RoundFinding) -> u32 {
        self.counts[finding as usize]
    }

    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }

    pub(crate) fn is_met(&self) -> bool {
        let mut totals = Totals::default();
        totals.add(self);
        totals.is_met()
    }
}

/// The findings of many rounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) rounds: u32,
    /// The score goes by this one.
    pub(crate) sessions_ended: u32,
    pub(crate) calls_refused: u32,
    /// The highest number of any round.
    pub(crate) branches: Option<u32>,
    pub(crate) undetected: u32,
    pub(crate) survivors: u32,
    pub(crate) by_design: u32,
    pub(crate) other: u32,
    pub(crate) set_up: u32,
    /// Attempts that were too slow for the windows to decide anything, and were repeated.
    pub(crate) repeated: u32,
}

impl Totals {
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        self.rounds += 1;
        self.sessions_ended += verdict.of(RoundFinding::Ended);
        self.calls_refused += verdict.of(RoundFinding::Refused);
        self.branches = self.branches.max(verdict.branches);
        self.undetected += verdict.of(RoundFinding::Undetected);
        self.survivors += verdict.of(RoundFinding::Survivor);
        self.by_design += verdict.of(RoundFinding::ByDesign);
        self.other += verdict.of(RoundFinding::Other);
        self.set_up += verdict.of(RoundFinding::SetUp);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.sessions_ended += other.sessions_ended;
        self.calls_refused += other.calls_refused;
        self.branches = self.branches.max(other.branches);
        self.undetected += other.undetected;
        self.survivors += other.survivors;
        self.by_design += other.by_design;
        self.other += other.other;
        self.set_up += other.set_up;
        self.repeated += other.repeated;
    }

    pub(crate) fn is_met(&self) -> bool {
        let faults = [
            self.sessions_ended,
            self.calls_refused,
            self.undetected,
            self.survivors,
            self.other,
            self.set_up,
        ];
        faults.iter().all(|count| *count == 0) && self.branches.is_none_or(|branches| branches == 1)
    }

    pub(crate) fn score(&self) -> String {
        let branches = self.branches.unwrap_or_default();
        let noun = if branches == 1 { "branch" } else { "branches" };
        let mut line = format!(
            "score: {} rounds, {} sessions ended / {branches} {noun} / {} undetected / {} survivors",
            self.rounds, self.sessions_ended, self.undetected, self.survivors
        );
        for (count, what) in [
            (self.calls_refused, "calls refused"),
            (self.other, "other faults"),
            (self.set_up, "rounds not begun"),
        ] {
            if count > 0 {
                let _ = write!(line, "; {count} {what}");
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(verdicts: &[Verdict]) -> Totals {
        let mut totals = Totals::default();
        for verdict in verdicts {
            totals.add(verdict);
        }
        totals
    }

    fn with(finding: RoundFinding) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.branches(1);
        verdict.count(finding, "because");
        verdict
    }

    #[test]
    fn what_is_by_design_is_shown_and_harms_nothing() {
        let totals = totals(&[with(RoundFinding::ByDesign), with(RoundFinding::ByDesign)]);
        assert!(totals.is_met());
        assert_eq!((totals.by_design, totals.sessions_ended), (2, 0));
        assert_eq!(
            totals.score(),
            "score: 2 rounds, 0 sessions ended / 1 branch / 0 undetected / 0 survivors"
        );
    }

    #[test]
    fn one_count_in_any_other_finding_fails_the_case() {
        for finding in [
            RoundFinding::Ended,
            RoundFinding::Refused,
            RoundFinding::Undetected,
            RoundFinding::Survivor,
            RoundFinding::Other,
            RoundFinding::SetUp,
        ] {
            let verdict = with(finding);
            assert!(!verdict.is_met(), "{finding:?}");
            assert_eq!(verdict.remarks(), ["because"]);
            assert!(
                !totals(&[Verdict::default(), verdict]).is_met(),
                "{finding:?}"
            );
        }
    }

    #[test]
    fn a_refused_call_is_no_session_that_ended() {
        let totals = totals(&[with(RoundFinding::Refused), with(RoundFinding::Refused)]);
        assert_eq!((totals.sessions_ended, totals.calls_refused), (0, 2));
        assert_eq!(
            totals.score(),
            "score: 2 rounds, 0 sessions ended / 1 branch / 0 undetected / 0 survivors; 2 calls refused"
        );
    }

    #[test]
    fn the_worst_round_says_how_many_branches_lived() {
        let mut forked = Verdict::default();
        forked.branches(3);
        forked.branches(1);
        assert_eq!(forked.branches, Some(3));
        let mut all = totals(&[with(RoundFinding::ByDesign), forked, Verdict::default()]);
        assert!(!all.is_met());
        assert_eq!(
            all.score(),
            "score: 3 rounds, 0 sessions ended / 3 branches / 0 undetected / 0 survivors"
        );
        // No branch where one should live fails; where the session is meant to be over, none is recorded.
        let mut none = Verdict::default();
        none.branches(0);
        assert!(!none.is_met());
        assert!(Verdict::default().is_met());
        all.merge(&totals(&[with(RoundFinding::Other)]));
        assert_eq!((all.rounds, all.other, all.branches), (4, 1, Some(3)));
        assert!(all.score().ends_with("; 1 other faults"), "{}", all.score());
    }
}
