//! The table, the failures and the score, for people and as JSON.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{cases::Case, plan::Round, verdict::Tally};

/// So many failures are told in full.
const TOLD: usize = 10;

/// A round that is worth telling of, above all one that did not meet its verdict.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) round: Round,
    /// Where it was played, and what brings it there again.
    pub(crate) place: String,
    pub(crate) again: String,
    pub(crate) met: bool,
    pub(crate) remarks: Vec<String>,
    pub(crate) journal: Vec<String>,
}

/// One part of the table.
#[derive(Debug)]
struct Part {
    name: String,
    rows: Vec<(Case, Tally)>,
    notes: Vec<String>,
}

/// What came out of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    seed: u64,
    parts: Vec<Part>,
    failures: Vec<Told>,
}

impl Report {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// A part for a site: its cases, and what is left out there and why.
    pub(crate) fn part(&mut self, name: &str, cases: &[Case], notes: Vec<String>) {
        self.parts.push(Part {
            name: name.to_owned(),
            rows: cases.iter().map(|case| (*case, Tally::default())).collect(),
            notes,
        });
    }

    pub(crate) fn add(&mut self, round: &Round, verdict: &super::verdict::Verdict, repeated: u32) {
        let rows = self
            .parts
            .get_mut(round.site)
            .into_iter()
            .flat_map(|part| &mut part.rows);
        for (_, tally) in rows.filter(|(case, _)| *case == round.case) {
            tally.add(verdict);
            tally.repeated += repeated;
        }
    }

    pub(crate) fn fail(&mut self, failure: Told) {
        self.failures.push(failure);
    }

    /// Tells of a round as it ends; only the first failures step by step, unless `all` are.
    pub(crate) fn tell(&self, told: &Told, all: bool) {
        let Told {
            round,
            place,
            again,
            met,
            remarks,
            journal,
        } = told;
        let (case, how) = (round.case.name(), if *met { "passed" } else { "FAILED" });
        eprintln!("round {} {how}: {case}, {place}", round.number);
        for remark in remarks {
            eprintln!("  {remark}");
        }
        if all || self.failures.len() < TOLD {
            for line in journal {
                eprintln!("    {line}");
            }
        }
        if !met {
            eprintln!(
                "  the same choices again: cargo xtask torture {again} --only {case} --rounds 1 --seed {}",
                round.seed
            );
        }
    }

    /// All rounds together.
    pub(crate) fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.parts
            .iter()
            .flat_map(|part| &part.rows)
            .for_each(|(_, tally)| total.merge(tally));
        total
    }

    /// The table and the score.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let _ = write!(text, "{}\n{:14}", part.name, "");
            for column in [
                "rounds",
                "lost",
                "branches",
                "undetected",
                "survivors",
                "other",
                "by design",
            ] {
                let _ = write!(text, "{column:>12}");
            }
            text.push('\n');
            for (case, tally) in &part.rows {
                let _ = write!(
                    text,
                    "  {:<12}{:>12}{:>12}",
                    case.name(),
                    tally.rounds,
                    tally.lost
                );
                let branches = tally
                    .branches
                    .map_or_else(|| "-".to_owned(), |branches| branches.to_string());
                let _ = write!(
                    text,
                    "{branches:>12}{:>12}{:>12}{:>12}{:>12}",
                    tally.undetected, tally.survivors, tally.other, tally.by_design
                );
                text.push_str(match tally.rounds {
                    0 => "  not played",
                    _ if tally.is_met() => "  pass",
                    _ => "  FAIL",
                });
                if tally.hits > 0 {
                    let _ = write!(text, ", {} hit between step and answer", tally.hits);
                }
                text.push('\n');
            }
            for note in &part.notes {
                let _ = writeln!(text, "  left out: {note}");
            }
            text.push('\n');
        }
        let total = self.total();
        if total.repeated > 0 {
            let _ = writeln!(
                text,
                "{} attempts were too slow for the windows to prove anything, and were made again",
                total.repeated
            );
        }
        let _ = writeln!(text, "seed: {}\n{}", self.seed, total.score());
        text
    }

    /// Writes all of it as JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| {
                let cases = part.rows.iter().map(|(case, tally)| json!({ "case": case.name(), "met": tally.is_met(), "counts": tally }));
                json!({ "name": part.name, "cases": cases.collect::<Vec<_>>(), "leftOut": part.notes })
            })
            .collect();
        let failures: Vec<_> = self
            .failures
            .iter()
            .map(|failure| {
                let case = failure.round.case.name();
                json!({ "case": case, "place": failure.place, "again": failure.again, "seed": failure.round.seed, "why": failure.remarks, "what": failure.journal })
            })
            .collect();
        let total = self.total();
        let all = json!({ "seed": self.seed, "score": total.score(), "met": self.is_met(), "total": total, "parts": parts, "failures": failures });
        fs::write(file, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("could not write {}", file.display()))
    }

    /// Whether every case met its verdict, and at least one was played.
    pub(crate) fn is_met(&self) -> bool {
        self.total().rounds > 0
            && self
                .parts
                .iter()
                .flat_map(|part| &part.rows)
                .all(|(_, tally)| tally.is_met())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::{
        plan,
        verdict::{Column, Verdict},
    };

    #[test]
    fn one_bad_round_fails_its_case_and_the_run() {
        let cases = [Case::Tabs, Case::Parent];
        let mut report = Report::new(3);
        report.part(
            "embedded (SQLite)",
            &cases,
            vec!["outage: nothing to cut".to_owned()],
        );
        assert!(!report.is_met(), "nothing was played");
        let rounds = plan::draw(3, 4, &[cases.to_vec()]);
        for round in &rounds {
            let mut verdict = Verdict::default();
            verdict.branches(1);
            if round.number == 3 {
                verdict.count(Column::Lost, "a tab was refused");
            }
            report.add(round, &verdict, 0);
            assert_eq!(report.is_met(), round.number < 3);
        }
        let failed = rounds[3].case.name();
        let table = report.table();
        let verdicts: Vec<_> = table
            .lines()
            .filter(|line| line.ends_with("pass") || line.ends_with("FAIL"))
            .collect();
        assert_eq!(verdicts.len(), 2, "{table}");
        assert!(
            verdicts
                .iter()
                .all(|line| line.ends_with("FAIL") == line.contains(failed)),
            "{table}"
        );
        assert!(
            table.contains("left out: outage: nothing to cut"),
            "{table}"
        );
        assert!(
            table.ends_with(
                "seed: 3\nscore: 4 rounds, 1 lost / 1 branch / 0 undetected / 0 survivors\n"
            ),
            "{table}"
        );
    }

    #[test]
    fn the_same_comes_as_json() {
        let mut report = Report::new(3);
        report.part("somebody's", &[Case::Tabs], Vec::new());
        let mut verdict = Verdict::default();
        verdict.branches(4);
        let round = plan::draw(3, 1, &[vec![Case::Tabs]])[0];
        report.add(&round, &verdict, 1);
        let (remarks, journal) = (verdict.remarks().to_vec(), vec!["+0 ms".to_owned()]);
        report.fail(Told {
            round,
            place: "there".to_owned(),
            again: String::new(),
            met: false,
            remarks,
            journal,
        });
        let file = tempfile::NamedTempFile::new().unwrap();
        report.write(file.path()).unwrap();
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        assert_eq!(
            (json["met"].as_bool(), json["total"]["branches"].as_u64()),
            (Some(false), Some(4))
        );
        assert_eq!(json["failures"][0]["why"][0], "4 live branches");
        assert_eq!(json["parts"][0]["cases"][0]["counts"]["repeated"], 1);
    }
}
