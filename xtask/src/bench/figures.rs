//! Everything that was measured, by name.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::harness::statistics::median;

/// CPU time and latencies are in microseconds, memory in bytes.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    /// Values that were measured once, and medians of rounds.
    values: BTreeMap<String, f64>,
    /// The values of each round.
    rounds: BTreeMap<String, Vec<f64>>,
    /// Latency against load.
    pub(super) curves: Vec<Curve>,
    /// The cost of a refresh against live sessions.
    pub(super) sizes: Vec<SessionCost>,
    /// Those of the comparison, as its rows.
    pub(super) systems: Vec<System>,
}

/// A system of the comparison: its name among the values, and in words.
#[derive(Debug, Serialize)]
pub(super) struct System {
    pub(super) key: String,
    pub(super) what: String,
}

/// Latency of one kind of request against its rate.
#[derive(Debug, Serialize)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    pub(super) points: Vec<Point>,
}

/// A point of a curve: an open loop of so many requests per second.
#[derive(Debug, Serialize)]
pub(super) struct Point {
    /// The share of the rate of a closed loop.
    pub(super) load: f64,
    pub(super) rate: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
    pub(super) failed: u64,
}

/// The cost of a refresh with so many live sessions.
#[derive(Debug, Serialize)]
pub(super) struct SessionCost {
    pub(super) sessions: usize,
    pub(super) service: f64,
    pub(super) redis: f64,
    pub(super) postgres: f64,
}

impl SessionCost {
    pub(super) fn all(&self) -> f64 {
        self.service + self.redis + self.postgres
    }
}

impl Figures {
    pub(super) fn put(&mut self, name: impl Into<String>, value: f64) {
        self.values.insert(name.into(), value);
    }

    pub(super) fn get(&self, name: &str) -> Option<f64> {
        self.values.get(name).copied()
    }

    /// The sum, if all of them were measured.
    pub(super) fn sum(&self, names: &[&str]) -> Option<f64> {
        names.iter().map(|name| self.get(name)).sum()
    }

    /// The median over the rounds of the sum of some by the sum of others: other load in a round affects both.
    pub(super) fn ratio(&self, these: &[&str], others: &[&str]) -> Option<f64> {
        let rounds = |names: &[&str]| {
            names
                .iter()
                .map(|name| self.rounds.get(*name))
                .collect::<Option<Vec<_>>>()
        };
        let (these, others) = (rounds(these)?, rounds(others)?);
        let count = these
            .iter()
            .chain(&others)
            .map(|values| values.len())
            .min()?;
        let sum =
            |all: &[&Vec<f64>], round: usize| all.iter().map(|values| values[round]).sum::<f64>();
        let ratios: Vec<f64> = (0..count)
            .map(|round| sum(&these, round) / sum(&others, round))
            .collect();
        (!ratios.is_empty()).then(|| median(&ratios))
    }

    /// A figure, its ratio to the sum of floors round by round, and that sum.
    pub(super) fn beside(&self, name: &str, floors: &[&str]) -> Option<((f64, f64), f64)> {
        Some((
            (self.get(name)?, self.ratio(&[name], floors)?),
            self.sum(floors)?,
        ))
    }

    /// Takes the values of rounds.
    pub(super) fn settle(&mut self, samples: Samples) {
        for (name, values) in samples.0 {
            self.put(name.clone(), median(&values));
            self.rounds.insert(name, values);
        }
    }
}

/// Values by round.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<String, Vec<f64>>);

impl Samples {
    pub(super) fn add(&mut self, name: impl Into<String>, value: f64) {
        self.0.entry(name.into()).or_default().push(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_round_does_not_move_the_median() {
        let (mut figures, mut samples) = (Figures::default(), Samples::default());
        for value in [1.0, 2.0, 30.0] {
            samples.add("a", value);
        }
        figures.settle(samples);
        assert_eq!(figures.get("a"), Some(2.0));
    }

    #[test]
    fn a_sum_of_what_was_not_measured_is_nothing() {
        let mut figures = Figures::default();
        figures.put("a", 1.0);
        figures.put("b", 2.0);
        assert_eq!(figures.sum(&["a", "b"]), Some(3.0));
        assert_eq!(figures.sum(&["a", "c"]), None);
        assert_eq!(
            figures.ratio(&["a"], &["b"]),
            None,
            "measured once, not in rounds"
        );
    }

    #[test]
    fn a_ratio_is_made_in_each_round() {
        let (mut figures, mut samples) = (Figures::default(), Samples::default());
        // In the second round the machine is three times slower.
        for (actual, floor, rest) in [(10.0, 4.0, 1.0), (30.0, 12.0, 3.0), (11.0, 4.0, 1.0)] {
            samples.add("actual", actual);
            samples.add("floor", floor);
            samples.add("rest", rest);
        }
        figures.settle(samples);
        assert_eq!(figures.ratio(&["actual"], &["floor", "rest"]), Some(2.0));
    }
}
