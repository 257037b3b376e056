//! The report of an import: refused rows as they come and a progress bar on standard error, the totals on standard output.

use super::row::{Row, RowRefusal};
use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use revolve_domain::use_cases::ImportOutcome;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::Write,
    time::{Duration, Instant},
};

/// How many refusals are told one by one; of more of them there are only numbers.
const TOLD: usize = 10_000;

/// Collects what became of the rows.
pub(super) struct Report {
    dry_run: bool,
    /// What rows are numbered by.
    unit: &'static str,
    begun: Instant,
    bar: ProgressBar,
    imported: u64,
    present: u64,
    refused: u64,
    without_password: u64,
    refusals: Vec<RefusedRow>,
    refused_by: Counts,
    left_out: Counts,
}

/// How often there was what.
type Counts = BTreeMap<&'static str, u64>;

#[derive(Serialize)]
struct RefusedRow {
    line: u64,
    code: &'static str,
    reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    dry_run: bool,
    rows: u64,
    imported: u64,
    present: u64,
    refused: u64,
    /// Imported so.
    without_password: u64,
    seconds: f64,
    rows_per_second: f64,
    refused_by: &'a Counts,
    left_out: &'a Counts,
    refusals: &'a [RefusedRow],
}

impl Report {
    /// Of so many bytes, if that is known. The bar shows on a terminal only.
    pub(super) fn new(dry_run: bool, unit: &'static str, bytes: Option<u64>) -> Self {
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{bar:30} {percent:>3} %  {msg}  {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
        };
        let bar = bar.with_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            dry_run,
            unit,
            begun: Instant::now(),
            bar,
            imported: 0,
            present: 0,
            refused: 0,
            without_password: 0,
            refusals: Vec::new(),
            refused_by: Counts::new(),
            left_out: Counts::new(),
        }
    }

    /// So much was read.
    pub(super) fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// What is no account.
    pub(super) fn other(&mut self) {
        *self.left_out.entry("other object").or_default() += 1;
    }

    pub(super) fn outcome(&mut self, line: u64, row: &Row, outcome: ImportOutcome) {
        match outcome {
            ImportOutcome::Imported => {
                self.imported += 1;
                self.without_password += u64::from(!row.has_password());
                for what in &row.left_out {
                    *self.left_out.entry(what).or_default() += 1;
                }
            }
            ImportOutcome::Present => self.present += 1,
            ImportOutcome::EmailTaken => {
                return self.refuse(
                    line,
                    RowRefusal::new(
                        "email_taken",
                        "email: another account has this address, or can take it back",
                    ),
                );
            }
            ImportOutcome::IdTaken => {
                return self.refuse(
                    line,
                    RowRefusal::new("uid_taken", "uid: another account has this id"),
                );
            }
        }
        self.show();
    }

    pub(super) fn refuse(&mut self, line: u64, RowRefusal { code, reason }: RowRefusal) {
        self.refused += 1;
        *self.refused_by.entry(code).or_default() += 1;
        if self.refusals.len() < TOLD {
            let unit = self.unit;
            self.bar.suspend(|| eprintln!("{unit} {line}: {reason}"));
            self.refusals.push(RefusedRow { line, code, reason });
        }
        self.show();
    }

    fn rows(&self) -> u64 {
        self.imported + self.present + self.refused
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn per_second(&self) -> f64 {
        self.rows() as f64 / self.begun.elapsed().as_secs_f64().max(0.001)
    }

    fn show(&self) {
        let rows = self.rows();
        if rows.is_multiple_of(64) && !self.bar.is_hidden() {
            self.bar.set_message(format!(
                "{} rows, {:.0}/s, {} refused",
                HumanCount(rows),
                self.per_second(),
                self.refused
            ));
        }
    }

    /// Whether no row was one of Revolve's own.
    pub(super) fn has_only_foreign_rows(&self) -> bool {
        let foreign = ["unknown_member", "malformed"];
        let counts = foreign.iter().filter_map(|code| self.refused_by.get(code));
        self.rows() > 0 && counts.sum::<u64>() == self.rows()
    }

    /// Prints the sum; how many rows were refused.
    pub(super) fn finish(mut self, json: bool) -> Result<u64> {
        self.bar.finish_and_clear();
        self.refusals.sort_by_key(|refused| refused.line);
        let (rows, seconds) = (self.rows(), self.begun.elapsed().as_secs_f64());
        let Self {
            dry_run,
            imported,
            present,
            refused,
            without_password,
            ..
        } = self;
        if json {
            let rows_per_second = self.per_second();
            let summary = Summary {
                dry_run,
                rows,
                imported,
                present,
                refused,
                without_password,
                seconds,
                rows_per_second,
                refused_by: &self.refused_by,
                left_out: &self.left_out,
                refusals: &self.refusals,
            };
            println!("{}", serde_json::to_string_pretty(&summary)?);
        } else {
            let would = if dry_run {
                "would be imported"
            } else {
                "imported"
            };
            let speed = self.per_second();
            println!(
                "{rows} rows: {imported} {would}, {present} present already, {refused} refused, in {seconds:.1} s ({speed:.0} rows/s)"
            );
            if without_password > 0 {
                println!("without a password: {without_password}");
            }
            for (title, counts) in [("refused", &self.refused_by), ("left out", &self.left_out)] {
                if !counts.is_empty() {
                    println!("{title}: {}", listed(counts));
                }
            }
        }
        Ok(refused)
    }
}

/// `3 phone number, 1 roles`, the most first.
fn listed(counts: &Counts) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut text = String::new();
    for (what, count) in counts {
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a text does not fail.
        let _ = write!(text, "{comma}{count} {what}");
    }
    text
}
