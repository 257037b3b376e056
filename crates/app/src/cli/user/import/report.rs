//! The report of an import: refused rows as they come and a progress bar on standard error, the totals on standard output.

use super::row::RowRefusal;
use anyhow::Result;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use revolve_domain::use_cases::ImportOutcome;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Collects what became of the rows.
pub(super) struct Report {
    dry_run: bool,
    begun: Instant,
    bar: ProgressBar,
    imported: u64,
    present: u64,
    refusals: Vec<RefusedRow>,
}

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
    seconds: f64,
    rows_per_second: f64,
    refusals: &'a [RefusedRow],
}

impl Report {
    /// Of so many bytes, if that is known. The bar shows on a terminal only.
    pub(super) fn new(dry_run: bool, bytes: Option<u64>) -> Self {
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
            begun: Instant::now(),
            bar,
            imported: 0,
            present: 0,
            refusals: Vec::new(),
        }
    }

    /// So much was read.
    pub(super) fn read(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    pub(super) fn outcome(&mut self, line: u64, outcome: ImportOutcome) {
        match outcome {
            ImportOutcome::Imported => self.imported += 1,
            ImportOutcome::Present => self.present += 1,
            ImportOutcome::EmailTaken => {
                return self.refuse(
                    line,
                    RowRefusal::new("email_taken", "email: another account has this address"),
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
        self.bar.suspend(|| eprintln!("line {line}: {reason}"));
        self.refusals.push(RefusedRow { line, code, reason });
        self.show();
    }

    fn rows(&self) -> u64 {
        self.imported + self.present + self.refusals.len() as u64
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
                self.refusals.len()
            ));
        }
    }

    /// Prints the sum; how many rows were refused.
    pub(super) fn finish(mut self, json: bool) -> Result<u64> {
        self.bar.finish_and_clear();
        self.refusals.sort_by_key(|refused| refused.line);
        let (rows, refused, seconds) = (
            self.rows(),
            self.refusals.len() as u64,
            self.begun.elapsed().as_secs_f64(),
        );
        let Self {
            dry_run,
            imported,
            present,
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
                seconds,
                rows_per_second,
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
        }
        Ok(refused)
    }
}
