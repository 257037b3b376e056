//! The table at the end: what ran, what was checked, and what was violated.

use std::{fmt::Write as _, time::Duration};

use super::{findings::Findings, rounds::Rounds};

pub(super) enum FaultOutcome {
    Ran {
        rounds: u64,
        total: Findings,
        took: Duration,
    },
    Skipped(String),
}

/// The outcomes of all faults.
pub(super) struct FaultReport {
    seed: u64,
    faults: Vec<(&'static str, FaultOutcome)>,
}

impl FaultReport {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            faults: Vec::new(),
        }
    }

    pub(super) fn ran(&mut self, rounds: Rounds, took: Duration) {
        self.faults.push((
            rounds.name,
            FaultOutcome::Ran {
                rounds: rounds.finished,
                total: rounds.total,
                took,
            },
        ));
    }

    pub(super) fn skipped(&mut self, fault: &'static str, why: String) {
        self.faults.push((fault, FaultOutcome::Skipped(why)));
    }

    pub(super) fn violations(&self) -> usize {
        self.faults
            .iter()
            .map(|(_, outcome)| {
                if let FaultOutcome::Ran { total, .. } = outcome {
                    total.violations().len()
                } else {
                    0
                }
            })
            .sum()
    }

    /// Whether something ran, and nothing was violated.
    pub(super) fn is_met(&self) -> bool {
        self.violations() == 0
            && self
                .faults
                .iter()
                .any(|(_, outcome)| matches!(outcome, FaultOutcome::Ran { rounds: 1.., .. }))
    }

    /// As Markdown.
    pub(super) fn table(&self) -> String {
        let mut text =
            "| fault | rounds | seconds | p99 of 503 | recovery at most | violations | checked |\n"
                .to_owned();
        text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
        let millis = |time: Option<Duration>| {
            time.map_or_else(|| "–".to_owned(), |time| format!("{} ms", time.as_millis()))
        };
        for (name, outcome) in &self.faults {
            match outcome {
                FaultOutcome::Ran {
                    rounds,
                    total,
                    took,
                } => {
                    let checked = total.checked().iter();
                    let longest = total.longest().iter();
                    let checked = checked
                        .map(|(what, many)| format!("{many} {what}"))
                        .chain(
                            longest.map(|(what, took)| format!("{what} {} ms", took.as_millis())),
                        )
                        .collect::<Vec<_>>()
                        .join(", ");
                    let (p99, recovery) = (millis(total.p99()), millis(total.recovery()));
                    let violations = total.violations().len();
                    let _ = writeln!(
                        text,
                        "| `{name}` | {rounds} | {:.0} | {p99} | {recovery} | {violations} | {checked} |",
                        took.as_secs_f64()
                    );
                }
                FaultOutcome::Skipped(why) => {
                    let _ = writeln!(text, "| `{name}` | – | – | – | – | – | skipped: {why} |");
                }
            }
        }
        let _ = writeln!(
            text,
            "\nseed {}, {} violations",
            self.seed,
            self.violations()
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::*;

    fn ran(violations: usize) -> Rounds {
        let mut rounds = Rounds::new("paused", 3, 1, None, ProgressBar::hidden());
        let round = rounds.next().unwrap();
        round.record(|findings| {
            findings.count("sign-outs", 4);
            for millis in [7, 9, 8] {
                findings.add_time("slowest mail", Duration::from_millis(millis));
            }
            (0..violations).for_each(|_| findings.violate("it came back"));
        });
        rounds.finish(round);
        rounds
    }

    #[test]
    fn a_run_in_which_nothing_ran_is_not_met_and_a_violation_fails_it() {
        let mut report = FaultReport::new(3);
        report.skipped("versions", "no release before this one".to_owned());
        assert!(!report.is_met());
        report.ran(ran(0), Duration::from_secs(1));
        assert!(report.is_met());
        report.ran(ran(2), Duration::from_secs(1));
        assert!(!report.is_met());
        let table = report.table();
        assert!(
            table.contains("| `paused` | 1 | 1 | – | – | 2 | 4 sign-outs, slowest mail 9 ms |"),
            "{table}"
        );
        assert!(
            table.contains("skipped: no release before this one")
                && table.ends_with("seed 3, 2 violations\n"),
            "{table}"
        );
    }
}
