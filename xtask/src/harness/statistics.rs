//! Percentiles, medians, and numbers as floats.

use std::time::Duration;

/// The smallest sample that so many of a thousand do not exceed (nearest rank). The samples are sorted; zero if there are none.
pub(crate) fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// The middle value, or the mean of the two in the middle; NaN if there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.get(half) {
        Some(upper) if sorted.len().is_multiple_of(2) => f64::midpoint(sorted[half - 1], *upper),
        Some(middle) => *middle,
        None => f64::NAN,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts are below 2^53"
)]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes and counts are below 2^53"
)]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let all: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&all, 500), Duration::from_millis(100));
        assert_eq!(percentile(&all, 990), Duration::from_millis(198));
        assert_eq!(percentile(&all, 1000), Duration::from_millis(200));
        assert_eq!(percentile(&[], 990), Duration::ZERO);
    }

    #[test]
    fn one_outlier_does_not_move_the_median() {
        assert_eq!(median(&[3.0, 1.0, 900.0]).to_bits(), 3.0_f64.to_bits());
        assert_eq!(median(&[4.0, 1.0, 2.0, 900.0]).to_bits(), 3.0_f64.to_bits());
        assert!(median(&[]).is_nan());
    }
}
