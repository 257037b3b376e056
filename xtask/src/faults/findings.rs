//! The findings of a round: what was checked how often, what was violated, and how long responses and recoveries took.

use std::{collections::BTreeMap, time::Duration};

use crate::harness::statistics::percentile;

/// The longest that a recovery may take.
pub(super) const RECOVERY: Duration = Duration::from_secs(5);

/// The findings of one round or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Findings {
    checked: BTreeMap<&'static str, u64>,
    violations: Vec<String>,
    /// Times of the 503 responses that overlap a fault.
    unavailable: Vec<Duration>,
    /// The slowest of the other responses that overlap a fault.
    slowest: Option<Duration>,
    recovery: Option<Duration>,
    /// The longest of other times.
    longest: BTreeMap<&'static str, Duration>,
}

impl Findings {
    pub(super) fn check(&mut self, what: &'static str) {
        self.count(what, 1);
    }

    pub(super) fn count(&mut self, what: &'static str, many: u64) {
        if many > 0 {
            *self.checked.entry(what).or_default() += many;
        }
    }

    pub(super) fn violate(&mut self, why: impl Into<String>) {
        self.violations.push(why.into());
    }

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

    /// Adds a 503 that overlaps a fault.
    pub(super) fn add_unavailable(&mut self, took: Duration) {
        self.unavailable.push(took);
    }

    /// Adds another response that overlaps a fault.
    pub(super) fn add_answered(&mut self, took: Duration) {
        self.slowest = self.slowest.max(Some(took));
    }

    /// Requires a 503 during the fault; otherwise the fault had no effect.
    pub(super) fn require_unavailable(&mut self) {
        let seen = !self.unavailable.is_empty();
        self.require("faults with an effect", seen, || {
            "there was no 503 while the fault lasted".to_owned()
        });
    }

    /// Adds the time from the end of a fault until the service served again.
    pub(super) fn add_recovery(&mut self, took: Duration) {
        self.check("recoveries");
        self.recovery = self.recovery.max(Some(took));
        if took > RECOVERY {
            self.violate(format!(
                "it served again only after {:.1} s",
                took.as_secs_f64()
            ));
        }
    }

    /// Adds a time of which the longest is reported.
    pub(super) fn add_time(&mut self, what: &'static str, took: Duration) {
        let longest = self.longest.entry(what).or_default();
        *longest = took.max(*longest);
    }

    pub(super) fn longest(&self) -> &BTreeMap<&'static str, Duration> {
        &self.longest
    }

    /// Requires that the p99 of the 503 responses is within a bound.
    pub(super) fn unavailable_within(&mut self, bound: Duration) {
        if let Some(p99) = self.p99().filter(|p99| *p99 > bound) {
            self.violate(format!(
                "the p99 of the 503 was {} ms, more than {} ms",
                p99.as_millis(),
                bound.as_millis()
            ));
        }
    }

    /// Requires that all responses that overlap the fault are within a bound, also those that hung until it was over.
    pub(super) fn answered_within(&mut self, bound: Duration) {
        self.unavailable_within(bound);
        if let Some(slowest) = self.slowest.filter(|slowest| *slowest > bound) {
            self.violate(format!(
                "a response hung for {} ms during the fault, more than {} ms",
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

    /// The number of 503 responses that overlap a fault.
    pub(super) fn unavailable(&self) -> usize {
        self.unavailable.len()
    }

    /// The time that 99 of 100 of the 503 responses do not exceed.
    pub(super) fn p99(&self) -> Option<Duration> {
        let mut unavailable = self.unavailable.clone();
        unavailable.sort_unstable();
        (!unavailable.is_empty()).then(|| percentile(&unavailable, 990))
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (what, many) in other.checked {
            self.count(what, many);
        }
        self.violations.extend(other.violations);
        self.unavailable.extend(other.unavailable);
        self.slowest = self.slowest.max(other.slowest);
        self.recovery = self.recovery.max(other.recovery);
        for (what, took) in other.longest {
            self.add_time(what, took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_p99_is_the_rank_that_99_of_100_do_not_exceed() {
        let mut findings = Findings::default();
        assert_eq!(findings.p99(), None);
        (1..=200)
            .rev()
            .for_each(|millis| findings.add_unavailable(Duration::from_millis(millis)));
        assert_eq!(findings.p99(), Some(Duration::from_millis(198)));
        findings.unavailable_within(Duration::from_millis(198));
        assert!(findings.violations().is_empty());
        findings.unavailable_within(Duration::from_millis(197));
        assert_eq!(findings.violations().len(), 1);
    }

    #[test]
    fn one_response_that_hung_is_a_violation_whatever_it_was_and_however_many_did_not() {
        let (bound, mut findings) = (Duration::from_secs(2), Findings::default());
        (0..1000).for_each(|_| findings.add_answered(Duration::from_millis(3)));
        findings.add_answered(bound);
        findings.answered_within(bound);
        assert!(findings.violations().is_empty());
        let mut hung = Findings::default();
        hung.add_answered(Duration::from_millis(2500));
        findings.merge(hung);
        findings.unavailable_within(bound);
        assert!(
            findings.violations().is_empty(),
            "only the times of 503 are required here"
        );
        findings.answered_within(bound);
        assert_eq!(findings.violations().len(), 1);
    }

    #[test]
    fn a_fault_without_a_503_had_no_effect() {
        let mut findings = Findings::default();
        findings.add_answered(Duration::from_millis(3));
        findings.require_unavailable();
        assert_eq!(findings.violations().len(), 1);
        findings.add_unavailable(Duration::from_millis(3));
        findings.require_unavailable();
        assert_eq!(findings.violations().len(), 1);
    }

    #[test]
    fn one_slow_recovery_is_a_violation_and_the_worst_is_kept() {
        let mut findings = Findings::default();
        findings.add_recovery(RECOVERY);
        assert!(findings.violations().is_empty());
        let mut slow = Findings::default();
        slow.add_recovery(RECOVERY * 2);
        assert_eq!(slow.violations().len(), 1);
        findings.merge(slow);
        assert_eq!(
            (
                findings.recovery(),
                findings.violations().len(),
                findings.checked()["recoveries"]
            ),
            (Some(RECOVERY * 2), 1, 2)
        );
    }

    #[test]
    fn a_requirement_is_counted_and_reported_only_if_it_is_violated() {
        let mut findings = Findings::default();
        findings.require("truths", true, || unreachable!());
        findings.require("truths", false, || "a lie".to_owned());
        assert_eq!(
            (findings.checked()["truths"], findings.violations()),
            (2, &["a lie".to_owned()][..])
        );
    }
}
