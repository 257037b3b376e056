//! Percentiles, the classifier, and the table of goals.

use std::{fmt, time::Duration};

/// The sample that so much of all is at most, 0.0 to 1.0, by the nearest rank. The samples are sorted.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a rank"
)]
pub(super) fn percentile(sorted: &[Duration], part: f64) -> Duration {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted
        .get(rank.max(1) - 1)
        .or(sorted.last())
        .copied()
        .unwrap_or_default()
}

/// How well one threshold on the latency tells two classes apart: the chance that a sample of the first is longer than one of the second, ties
/// counted half (Mann-Whitney). 0.5 is a guess, 0 and 1 are certainty.
#[expect(clippy::cast_precision_loss, reason = "counts of samples")]
pub(super) fn auc(first: &[Duration], second: &[Duration]) -> f64 {
    let mut second = second.to_vec();
    second.sort_unstable();
    let above = |sample: &Duration| {
        let (below, upto) = (
            second.partition_point(|other| other < sample),
            second.partition_point(|other| other <= sample),
        );
        (below + upto) as f64 / 2.0
    };
    first.iter().map(above).sum::<f64>() / (first.len() as f64 * second.len() as f64)
}

/// What was to be reached, and what was.
#[derive(Debug, Default)]
pub(super) struct Goals {
    notes: Vec<String>,
    rows: Vec<(String, String, String, bool)>,
}

impl Goals {
    /// A figure that is no goal.
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

    pub(super) fn are_met(&self) -> bool {
        self.rows.iter().all(|(.., met)| *met)
    }
}

impl fmt::Display for Goals {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(all: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        all.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_ranks() {
        let all = millis(1..=200);
        assert_eq!(percentile(&all, 0.5), Duration::from_millis(100));
        assert_eq!(percentile(&all, 0.99), Duration::from_millis(198));
        assert_eq!(percentile(&all, 1.0), Duration::from_millis(200));
        assert_eq!(percentile(&[], 0.99), Duration::ZERO);
    }

    #[test]
    fn the_classifier_knows_what_can_be_known() {
        let auc = |first: Vec<Duration>, second: Vec<Duration>| {
            format!("{:.3}", super::auc(&first, &second))
        };
        assert_eq!(auc(millis(1..=100), millis(1..=100)), "0.500");
        assert_eq!(auc(millis(101..=200), millis(1..=100)), "1.000");
        assert_eq!(auc(millis(1..=100), millis(101..=200)), "0.000");
        assert_eq!(auc(millis([1, 3]), millis([2, 2])), "0.500");
        assert_eq!(auc(millis([2, 3]), millis([2, 2])), "0.750");
    }
}
