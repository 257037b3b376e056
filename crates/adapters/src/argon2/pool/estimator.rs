//! How long hashes take: first by a rule of thumb for each algorithm, then by what was measured here, under the load that there is.

use crate::argon2::hash::demand::Effort;
use std::time::Duration;

/// So much does the last measured time count against all before.
const NEWS: f64 = 0.1;

/// For each kind, how much longer than by rule of thumb a hash takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace([Option<f64>; 3]);

impl Pace {
    pub(super) fn learn(&mut self, effort: Effort, took: Duration) {
        let now = took.as_secs_f64() / effort.nominal.as_secs_f64();
        let known = &mut self.0[effort.kind as usize];
        *known = Some(known.map_or(now, |known| known + NEWS * (now - known)));
    }

    pub(super) fn time(&self, effort: Effort) -> Duration {
        let seconds = effort.nominal.as_secs_f64() * self.0[effort.kind as usize].unwrap_or(1.0);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::argon2::hash::demand::Kind;

    #[test]
    fn what_was_measured_replaces_the_rule_of_thumb_and_outliers_count_little() {
        let (mut pace, effort) = (Pace::default(), Effort::new(Kind::Argon2, 40_000));
        assert_eq!(pace.time(effort), Duration::from_millis(20));
        pace.learn(effort, Duration::from_millis(40));
        assert_eq!(pace.time(effort), Duration::from_millis(40));
        pace.learn(effort, Duration::from_millis(400));
        assert_eq!(pace.time(effort).as_millis(), 76);
        assert_eq!(
            pace.time(Effort::new(Kind::Argon2, 80_000)).as_millis(),
            152,
            "twice the effort takes twice the time"
        );
        assert_eq!(
            pace.time(Effort::new(Kind::Bcrypt, 1)).as_micros(),
            60,
            "of the others nothing is known yet"
        );
        assert!(
            pace.time(Effort::new(Kind::Scrypt, u64::MAX)) > Duration::from_secs(10),
            "no overflow"
        );
    }
}
