//! Estimates how long hashes take: first by a rule of thumb for each algorithm, then by what was measured in this process.

use crate::{
    argon2::hash::demand::{Effort, HashAlgorithm},
    fair_queue::average::MovingAverage,
};
use std::time::Duration;

/// The measured time as a multiple of the rule of thumb, for each algorithm.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimeEstimator([MovingAverage; HashAlgorithm::ALL.len()]);

/// The times of many hashes by rule of thumb, summed for each algorithm. So an estimate for all of them looks at none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NominalTimes([Duration; HashAlgorithm::ALL.len()]);

impl NominalTimes {
    pub(super) fn add(&mut self, algorithm: HashAlgorithm, time: Duration) {
        self.0[algorithm as usize] += time;
    }

    pub(super) fn subtract(&mut self, algorithm: HashAlgorithm, time: Duration) {
        self.0[algorithm as usize] -= time;
    }

    #[cfg(test)]
    pub(super) fn sum(&self) -> Duration {
        self.0.iter().sum()
    }
}

impl TimeEstimator {
    pub(super) fn learn(&mut self, effort: Effort, took: Duration) {
        let now = took.as_secs_f64() / effort.nominal.as_secs_f64();
        self.0[effort.algorithm() as usize].add(now);
    }

    pub(super) fn time(&self, effort: Effort) -> Duration {
        let seconds = effort.nominal.as_secs_f64() * factor(self.0[effort.algorithm() as usize]);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// In seconds.
    pub(super) fn sum(&self, times: &NominalTimes) -> f64 {
        let times = times.0.iter().zip(self.0);
        times
            .map(|(nominal, measured)| nominal.as_secs_f64() * factor(measured))
            .sum()
    }
}

fn factor(measured: MovingAverage) -> f64 {
    measured.get().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argon2::hash::demand::HashParameters;

    fn argon2(memory_kib: u32) -> Effort {
        Effort::of(HashParameters::Argon2 {
            memory_kib,
            passes: 1,
        })
    }

    #[test]
    fn what_was_measured_replaces_the_rule_of_thumb_and_outliers_count_little() {
        let (mut estimator, effort) = (TimeEstimator::default(), argon2(40_000));
        assert_eq!(estimator.time(effort), Duration::from_millis(20));
        estimator.learn(effort, Duration::from_millis(40));
        assert_eq!(estimator.time(effort), Duration::from_millis(40));
        estimator.learn(effort, Duration::from_millis(400));
        assert_eq!(estimator.time(effort).as_millis(), 76);
        assert_eq!(
            estimator.time(argon2(80_000)).as_millis(),
            152,
            "twice the effort takes twice the time"
        );
        assert_eq!(
            estimator
                .time(Effort::of(HashParameters::Bcrypt { cost: 4 }))
                .as_micros(),
            960,
            "of the others nothing is known yet"
        );
        assert!(
            estimator.time(Effort::of(HashParameters::Scrypt {
                log_n: 63,
                r: u32::MAX,
                p: u32::MAX
            })) > Duration::from_secs(10),
            "no overflow"
        );
    }
}
