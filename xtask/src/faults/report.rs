//! The table at the end: what was played, what was checked, and what was violated.

use std::{fmt::Write as _, time::Duration};

use super::{catalog::Row, findings::Verdict, rounds::Rounds};

/// What became of a row.
pub(super) enum Outcome {
    Played {
        rounds: u64,
        total: Verdict,
        took: Duration,
    },
    LeftOut(String),
}

/// All rows.
pub(super) struct Report {
    seed: u64,
    rows: Vec<(Row, Outcome)>,
}

impl Report {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            rows: Vec::new(),
        }
    }

    pub(super) fn played(&mut self, rounds: Rounds, took: Duration) {
        self.rows.push((
            rounds.row,
            Outcome::Played {
                rounds: rounds.played,
                total: rounds.total,
                took,
            },
        ));
    }

    pub(super) fn left_out(&mut self, row: Row, why: String) {
        self.rows.push((row, Outcome::LeftOut(why)));
    }

    /// How many violations there were.
    pub(super) fn violations(&self) -> usize {
        self.rows
            .iter()
            .map(|(_, outcome)| {
                if let Outcome::Played { total, .. } = outcome {
                    total.violations().len()
                } else {
                    0
                }
            })
            .sum()
    }

    /// Whether something was played, and nothing violated.
    pub(super) fn is_met(&self) -> bool {
        self.violations() == 0
            && self
                .rows
                .iter()
                .any(|(_, outcome)| matches!(outcome, Outcome::Played { rounds: 1.., .. }))
    }

    /// As Markdown, which a terminal bears, too.
    pub(super) fn table(&self) -> String {
        let mut text =
            "| fault | rounds | seconds | p99 of 503 | recovery at most | violations | checked |\n"
                .to_owned();
        text.push_str("| --- | ---: | ---: | ---: | ---: | ---: | --- |\n");
        let millis = |time: Option<Duration>| {
            time.map_or_else(|| "–".to_owned(), |time| format!("{} ms", time.as_millis()))
        };
        for (row, outcome) in &self.rows {
            let name = row.name();
            match outcome {
                Outcome::Played {
                    rounds,
                    total,
                    took,
                } => {
                    let checked = total
                        .checked()
                        .iter()
                        .map(|(what, many)| format!("{many} {what}"))
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
                Outcome::LeftOut(why) => {
                    let _ = writeln!(text, "| `{name}` | – | – | – | – | – | left out: {why} |");
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

    fn played(violations: usize) -> Rounds {
        let mut rounds = Rounds::new(Row::Paused, 3, 1, None, ProgressBar::hidden());
        let round = rounds.next().unwrap();
        round.note(|verdict| {
            verdict.checks("sign-outs", 4);
            (0..violations).for_each(|_| verdict.violate("it came back"));
        });
        rounds.judge(round);
        rounds
    }

    #[test]
    fn nothing_played_is_not_met_and_a_violation_fails_the_run() {
        let mut report = Report::new(3);
        report.left_out(Row::Versions, "no release before this one".to_owned());
        assert!(!report.is_met());
        report.played(played(0), Duration::from_secs(1));
        assert!(report.is_met());
        report.played(played(2), Duration::from_secs(1));
        assert!(!report.is_met());
        let table = report.table();
        assert!(
            table.contains("| `paused` | 1 | 1 | – | – | 2 | 4 sign-outs |"),
            "{table}"
        );
        assert!(
            table.contains("left out: no release before this one")
                && table.ends_with("seed 3, 2 violations\n"),
            "{table}"
        );
    }
}
