//! The table of an attack's goals.

use std::{fmt, time::Duration};

use crate::harness::statistics::percentile;

/// Figures, and the goals that they meet or miss.
#[derive(Debug, Default)]
pub(super) struct AttackGoals {
    notes: Vec<String>,
    rows: Vec<(String, String, String, bool)>,
}

impl AttackGoals {
    /// Adds a line above the table.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub(super) fn add(
        &mut self,
        what: impl Into<String>,
        goal: impl Into<String>,
        figure: impl Into<String>,
        met: bool,
    ) {
        self.rows
            .push((what.into(), goal.into(), figure.into(), met));
    }

    /// Adds the goal that the p99 of refreshes under the attack is at most so many times the quiet one. The samples are sorted.
    pub(super) fn add_slowdown(&mut self, quiet: &[Duration], attacked: &[Duration], most: f64) {
        let p99 = |samples| percentile(samples, 990).as_secs_f64();
        let ratio = p99(attacked) / p99(quiet);
        self.add(
            "p99 of refresh under the attack, by its quiet p99",
            format!("{most:.1}"),
            format!("{ratio:.2}"),
            ratio <= most,
        );
    }

    pub(super) fn are_met(&self) -> bool {
        self.rows.iter().all(|(.., met)| *met)
    }
}

impl fmt::Display for AttackGoals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        writeln!(f, "\n{:<58}{:>26}{:>22}  met", "goal", "at most", "figure")?;
        for (what, goal, figure, met) in &self.rows {
            writeln!(
                f,
                "{what:<58}{goal:>26}{figure:>22}  {}",
                if *met { "yes" } else { "NO" }
            )?;
        }
        Ok(())
    }
}

/// Percentiles of sorted samples in a line.
pub(super) fn latencies(sorted: &[Duration]) -> String {
    let at = |per_mille| percentile(sorted, per_mille).as_secs_f64() * 1000.0;
    format!(
        "p50 {:>7.2} ms   p99 {:>7.2} ms   p99.9 {:>7.2} ms   longest {:>7.2} ms",
        at(500),
        at(990),
        at(999),
        at(1000)
    )
}
