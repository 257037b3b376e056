//! The classifier on latencies.

use std::time::Duration;

/// How well one threshold on the latency separates two classes: the probability that a sample of the first is longer than one of the second,
/// ties counted half (Mann-Whitney). 0.5 is a guess, 0 and 1 are certainty.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(all: impl IntoIterator<Item = u64>) -> Vec<Duration> {
        all.into_iter().map(Duration::from_millis).collect()
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
