//! The table, the failures and the score, as text and as JSON.

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{cases::Case, plan::PlannedRound, verdict::Totals};

/// A round that did not meet its verdict, or one of all with `--verbose`.
#[derive(Debug)]
pub(crate) struct RoundReport {
    pub(crate) round: PlannedRound,
    /// The name of the servers.
    pub(crate) servers: String,
    /// The arguments that lead a replay to the same servers.
    pub(crate) replay_args: String,
    pub(crate) met: bool,
    pub(crate) remarks: Vec<String>,
    pub(crate) journal: Vec<String>,
}

/// The table of one group of servers.
#[derive(Debug)]
struct GroupTable {
    name: String,
    rows: Vec<(Case, Totals)>,
    notes: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct TortureReport {
    seed: u64,
    /// The arguments of the whole run.
    again: String,
    /// Rounds and failures by how many ran at a time.
    levels: BTreeMap<usize, (u32, u32)>,
    /// The kinds of failures whose journal was printed.
    printed: HashSet<String>,
    parts: Vec<GroupTable>,
    failures: Vec<RoundReport>,
}

impl TortureReport {
    pub(crate) fn new(seed: u64, again: String) -> Self {
        Self {
            seed,
            again,
            ..Self::default()
        }
    }

    /// Adds the table of a group of servers: the cases that run there, and notes on those that don't.
    pub(crate) fn add_part(&mut self, name: &str, cases: &[Case], notes: Vec<String>) {
        self.parts.push(GroupTable {
            name: name.to_owned(),
            rows: cases
                .iter()
                .map(|case| (*case, Totals::default()))
                .collect(),
            notes,
        });
    }

    pub(crate) fn add(
        &mut self,
        round: &PlannedRound,
        verdict: &super::verdict::Verdict,
        repeated: u32,
    ) {
        let level = self.levels.entry(round.parallel).or_default();
        level.0 += 1;
        level.1 += u32::from(!verdict.is_met());
        let rows = self
            .parts
            .get_mut(round.servers)
            .into_iter()
            .flat_map(|part| &mut part.rows);
        for (_, totals) in rows.filter(|(case, _)| *case == round.case) {
            totals.add(verdict);
            totals.repeated += repeated;
        }
    }

    pub(crate) fn fail(&mut self, failure: RoundReport) {
        self.failures.push(failure);
    }

    /// Whether no failure of this kind was printed yet.
    fn is_new(&mut self, report: &RoundReport) -> bool {
        self.printed.insert(kind(report))
    }

    /// Prints a round; of each kind of failure only the first one with its journal, unless `all` are.
    pub(crate) fn print(&mut self, report: &RoundReport, all: bool) {
        let with_journal = self.is_new(report) || all;
        let RoundReport {
            round,
            servers,
            replay_args,
            met,
            remarks,
            journal,
        } = report;
        let (case, how) = (round.case.name(), if *met { "passed" } else { "FAILED" });
        let parallel = round.parallel;
        eprintln!(
            "round {} {how}: {case}, {servers}, {parallel} at a time",
            round.number
        );
        for remark in remarks {
            eprintln!("  {remark}");
        }
        if with_journal {
            for line in journal {
                eprintln!("    {line}");
            }
        }
        if !met {
            eprintln!(
                "  again: cargo xtask torture {replay_args} --only {case} --rounds 1 --seed {}",
                round.seed
            );
        }
    }

    pub(crate) fn total(&self) -> Totals {
        let mut total = Totals::default();
        self.parts
            .iter()
            .flat_map(|part| &part.rows)
            .for_each(|(_, totals)| total.merge(totals));
        total
    }

    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            let _ = write!(text, "{}\n{:14}", part.name, "");
            for column in [
                "rounds",
                "ended",
                "refused",
                "branches",
                "undetected",
                "survivors",
                "other",
                "set-up",
                "by design",
            ] {
                let _ = write!(text, "{column:>12}");
            }
            text.push('\n');
            for (case, totals) in &part.rows {
                let _ = write!(
                    text,
                    "  {:<12}{:>12}{:>12}{:>12}",
                    case.name(),
                    totals.rounds,
                    totals.sessions_ended,
                    totals.calls_refused
                );
                let branches = totals
                    .branches
                    .map_or_else(|| "-".to_owned(), |branches| branches.to_string());
                let _ = write!(
                    text,
                    "{branches:>12}{:>12}{:>12}{:>12}{:>12}{:>12}",
                    totals.undetected,
                    totals.survivors,
                    totals.other,
                    totals.set_up,
                    totals.by_design
                );
                text.push_str(match totals.rounds {
                    0 => "  not run",
                    _ if totals.is_met() => "  pass",
                    _ => "  FAIL",
                });
                text.push('\n');
            }
            for note in &part.notes {
                let _ = writeln!(text, "  note: {note}");
            }
            text.push('\n');
        }
        let total = self.total();
        if total.repeated > 0 {
            let _ = writeln!(
                text,
                "{} attempts were too slow for the windows to decide anything, and were repeated",
                total.repeated
            );
        }
        for (parallel, (rounds, failed)) in &self.levels {
            let _ = writeln!(
                text,
                "{parallel} at a time: {failed} of {rounds} rounds failed"
            );
        }
        let _ = writeln!(
            text,
            "the same choices again: cargo xtask torture {}",
            self.again
        );
        let _ = writeln!(text, "seed: {}\n{}", self.seed, total.score());
        text
    }

    /// Writes everything as JSON.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(|part| {
                let cases = part.rows.iter().map(|(case, totals)| json!({ "case": case.name(), "met": totals.is_met(), "counts": totals }));
                json!({ "name": part.name, "cases": cases.collect::<Vec<_>>(), "notes": part.notes })
            })
            .collect();
        let failures: Vec<_> = self
            .failures
            .iter()
            .map(|failure| {
                let case = failure.round.case.name();
                json!({ "case": case, "servers": failure.servers, "replayArgs": failure.replay_args, "seed": failure.round.seed, "parallel": failure.round.parallel, "why": failure.remarks, "what": failure.journal })
            })
            .collect();
        let total = self.total();
        let levels: Vec<_> = self
            .levels
            .iter()
            .map(|(parallel, (rounds, failed))| json!({ "parallel": parallel, "rounds": rounds, "failed": failed }))
            .collect();
        let all = json!({ "seed": self.seed, "again": self.again, "levels": levels, "score": total.score(), "met": self.is_met(), "total": total, "parts": parts, "failures": failures });
        fs::write(file, serde_json::to_string_pretty(&all)?)
            .with_context(|| format!("could not write {}", file.display()))
    }

    /// Whether every case met its verdict, and at least one ran.
    pub(crate) fn is_met(&self) -> bool {
        self.total().rounds > 0
            && self
                .parts
                .iter()
                .flat_map(|part| &part.rows)
                .all(|(_, totals)| totals.is_met())
    }
}

/// Failures of one kind have the same case, servers and remarks, whatever the numbers in those.
fn kind(report: &RoundReport) -> String {
    let mut remarks: Vec<String> = report
        .remarks
        .iter()
        .map(|remark| remark.replace(|c: char| c.is_ascii_digit(), ""))
        .collect();
    remarks.sort_unstable();
    remarks.dedup();
    let case = report.round.case.name();
    format!("{case}, {}: {}", report.servers, remarks.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::{
        plan,
        verdict::{RoundFinding, Verdict},
    };

    #[test]
    fn one_bad_round_fails_its_case_and_the_run() {
        let cases = [Case::Tabs, Case::Parent];
        let mut report = TortureReport::new(3, "--tokens t --seed 3".to_owned());
        report.add_part(
            "embedded (SQLite)",
            &cases,
            vec!["processes: one replica".to_owned()],
        );
        assert!(!report.is_met(), "nothing ran");
        let rounds = plan::draw(3, 4, &[cases.to_vec()]);
        for round in &rounds {
            let mut verdict = Verdict::default();
            verdict.branches(1);
            if round.number == 3 {
                verdict.count(RoundFinding::Ended, "a tab was refused");
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
        assert!(table.contains("note: processes: one replica"), "{table}");
        assert!(
            table.ends_with(
                "1 at a time: 1 of 4 rounds failed\nthe same choices again: cargo xtask torture --tokens t --seed 3\n\
                seed: 3\nscore: 4 rounds, 1 sessions ended / 1 branch / 0 undetected / 0 survivors\n"
            ),
            "{table}"
        );
    }

    #[test]
    fn the_first_failure_of_each_kind_keeps_its_journal() {
        let mut report = TortureReport::new(3, String::new());
        let [tabs, parent] = [Case::Tabs, Case::Parent];
        let failure = |case: Case, remark: &str| RoundReport {
            round: plan::draw(3, 1, &[vec![case]])[0],
            servers: "there".to_owned(),
            replay_args: String::new(),
            met: false,
            remarks: vec![remark.to_owned()],
            journal: Vec::new(),
        };
        for _ in 0..20 {
            report.is_new(&failure(tabs, "a tab was refused after 12 ms"));
        }
        assert!(!report.is_new(&failure(tabs, "a tab was refused after 7 ms")));
        assert!(report.is_new(&failure(tabs, "3 live branches")));
        assert!(report.is_new(&failure(parent, "3 live branches")));
    }

    #[test]
    fn the_report_is_written_as_json() {
        let mut report = TortureReport::new(3, String::new());
        report.add_part("ours", &[Case::Tabs], Vec::new());
        let mut verdict = Verdict::default();
        verdict.branches(4);
        let round = plan::draw(3, 1, &[vec![Case::Tabs]])[0];
        report.add(&round, &verdict, 1);
        let (remarks, journal) = (verdict.remarks().to_vec(), vec!["+0 ms".to_owned()]);
        report.fail(RoundReport {
            round,
            servers: "there".to_owned(),
            replay_args: String::new(),
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
