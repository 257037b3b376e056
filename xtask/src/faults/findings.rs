//! What came out of a round: what was checked, how often, what was violated, and how long answers and recovery took.

use std::{collections::BTreeMap, time::Duration};

use crate::harness::statistics::percentile;

/// The longest that a recovery may take.
pub(super) const RECOVERY: Duration = Duration::from_secs(5);

/// What came out of a round, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    checked: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
    /// 503 that a fault met.
    refusals: Vec<Duration>,
    /// The slowest of all other answers that a fault met.
    slowest: Option<Duration>,
    recovery: Option<Duration>,
}

impl Verdict {
    /// One more of these was checked.
    pub(super) fn check(&mut self, what: &'static str) {
        self.checks(what, 1);
    }

    /// So many more of these were checked.
    pub(super) fn checks(&mut self, what: &'static str, many: u64) {
        if many > 0 {
            *self.checked.entry(what).or_default() += many;
        }
    }

    /// Something that must hold did not.
    pub(super) fn violate(&mut self, why: impl Into<String>) {
        self.violations.push(why.into());
    }

    /// Checks something at once.
    pub(super) fn require(
        &mut self,
        what: &'static str,
        holds: bool,
        otherwise: impl FnOnce() -> String,
    ) {
        self.check(what);
        if !holds {
            self.violate(otherwise());
        }
    }

    /// A 503 that a fault met, and how long it took.
    pub(super) fn refused(&mut self, took: Duration) {
        self.refusals.push(took);
    }

    /// Another answer that a fault met, and how long it took.
    pub(super) fn answered(&mut self, took: Duration) {
        self.slowest = self.slowest.max(Some(took));
    }

    /// A fault that nobody has seen a 503 of was none.
    pub(super) fn felt(&mut self) {
        let felt = !self.refusals.is_empty();
        self.require("faults that somebody felt", felt, || {
            "nobody was answered 503 while the fault lasted".to_owned()
        });
    }

    /// How long after the end of a fault it served again.
    pub(super) fn recovered(&mut self, took: Duration) {
        self.check("recoveries");
        self.recovery = self.recovery.max(Some(took));
        if took > RECOVERY {
            self.violate(format!(
                "it served again only after {:.1} s",
                took.as_secs_f64()
            ));
        }
    }

    /// Holds the 503 so far to a bound.
    pub(super) fn refused_within(&mut self, bound: Duration) {
        if let Some(p99) = self.p99().filter(|p99| *p99 > bound) {
            self.violate(format!(
                "the p99 of the 503 was {} ms, more than {} ms",
                p99.as_millis(),
                bound.as_millis()
            ));
        }
    }

    /// Holds all answers that the fault met to a bound: the 503, and whatever hung until the fault was over.
    pub(super) fn answered_within(&mut self, bound: Duration) {
        self.refused_within(bound);
        if let Some(slowest) = self.slowest.filter(|slowest| *slowest > bound) {
            self.violate(format!(
                "an answer hung for {} ms, more than {} ms, by the fault",
                slowest.as_millis(),
                bound.as_millis()
            ));
        }
    }

    pub(super) fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(super) fn checked(&self) -> &BTreeMap<&'static str, u64> {
        &self.checked
    }

    pub(super) fn recovery(&self) -> Option<Duration> {
        self.recovery
    }

    /// How many 503 a fault met.
    pub(super) fn refusals(&self) -> usize {
        self.refusals.len()
    }

    /// Of the 503 that faults met, the time that 99 of 100 stay within.
    pub(super) fn p99(&self) -> Option<Duration> {
        let mut refusals = self.refusals.clone();
        refusals.sort_unstable();
        (!refusals.is_empty()).then(|| percentile(&refusals, 990))
    }

    /// All of another one, too.
    pub(super) fn merge(&mut self, other: Self) {
        for (what, many) in other.checked {
            self.checks(what, many);
        }
        self.violations.extend(other.violations);
        self.refusals.extend(other.refusals);
        self.slowest = self.slowest.max(other.slowest);
        self.recovery = self.recovery.max(other.recovery);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p99_is_the_rank_that_99_of_100_stay_within() {
        let mut verdict = Verdict::default();
        assert_eq!(verdict.p99(), None);
        (1..=200)
            .rev()
            .for_each(|millis| verdict.refused(Duration::from_millis(millis)));
        assert_eq!(verdict.p99(), Some(Duration::from_millis(198)));
        verdict.refused_within(Duration::from_millis(198));
        assert!(verdict.violations().is_empty());
        verdict.refused_within(Duration::from_millis(197));
        assert_eq!(verdict.violations().len(), 1);
    }

    #[test]
    fn one_answer_that_hung_is_enough_whatever_it_said_and_however_many_did_not() {
        let (bound, mut verdict) = (Duration::from_secs(2), Verdict::default());
        (0..1000).for_each(|_| verdict.answered(Duration::from_millis(3)));
        verdict.answered(bound);
        verdict.answered_within(bound);
        assert!(verdict.violations().is_empty());
        let mut hung = Verdict::default();
        hung.answered(Duration::from_millis(2500));
        verdict.merge(hung);
        verdict.refused_within(bound);
        assert!(
            verdict.violations().is_empty(),
            "no 503, whose time alone is asked for"
        );
        verdict.answered_within(bound);
        assert_eq!(verdict.violations().len(), 1);
    }

    #[test]
    fn a_fault_without_a_503_was_not_felt() {
        let mut verdict = Verdict::default();
        verdict.answered(Duration::from_millis(3));
        verdict.felt();
        assert_eq!(verdict.violations().len(), 1);
        verdict.refused(Duration::from_millis(3));
        verdict.felt();
        assert_eq!(verdict.violations().len(), 1);
    }

    #[test]
    fn one_slow_recovery_is_a_violation_and_the_worst_is_kept() {
        let mut verdict = Verdict::default();
        verdict.recovered(RECOVERY);
        assert!(verdict.violations().is_empty());
        let mut slow = Verdict::default();
        slow.recovered(RECOVERY * 2);
        assert_eq!(slow.violations().len(), 1);
        verdict.merge(slow);
        assert_eq!(
            (
                verdict.recovery(),
                verdict.violations().len(),
                verdict.checked()["recoveries"]
            ),
            (Some(RECOVERY * 2), 1, 2)
        );
    }

    #[test]
    fn what_is_required_is_counted_and_said_only_if_it_does_not_hold() {
        let mut verdict = Verdict::default();
        verdict.require("truths", true, || unreachable!());
        verdict.require("truths", false, || "a lie".to_owned());
        assert_eq!(
            (verdict.checked()["truths"], verdict.violations()),
            (2, &["a lie".to_owned()][..])
        );
    }
}
