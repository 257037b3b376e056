//! The rounds of one fault: their seeds, how far they are, and what came of them.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

use fastrand::Rng;
use indicatif::ProgressBar;

use super::{rows::Row, verdict::Verdict};

/// So many violations of a row are told as they come.
const TOLD: usize = 5;

/// One round. All of its choices follow from its seed.
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) verdict: Mutex<Verdict>,
}

impl Round {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, rng: Rng::with_seed(seed), verdict: Mutex::default() }
    }

    /// One of them after the other, as rounds go on; a round that is replayed by its seed takes the same again.
    pub(super) fn turn<T: Copy>(&self, among: &[T]) -> T {
        let index = self.seed % u64::try_from(among.len()).unwrap_or(1).max(1);
        among[usize::try_from(index).unwrap_or_default()]
    }

    /// Writes into the verdict.
    pub(super) fn note<T>(&self, write: impl FnOnce(&mut Verdict) -> T) -> T {
        note(&self.verdict, write)
    }
}

/// Writes into a verdict that several share.
pub(super) fn note<T>(verdict: &Mutex<Verdict>, write: impl FnOnce(&mut Verdict) -> T) -> T {
    write(&mut verdict.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The rounds of a row.
pub(super) struct Rounds {
    pub(super) row: Row,
    seed: u64,
    count: u64,
    begun: u64,
    until: Option<Instant>,
    progress: ProgressBar,
    /// What came of those that were played.
    pub(super) played: u64,
    pub(super) total: Verdict,
}

impl Rounds {
    pub(super) fn new(row: Row, seed: u64, count: u64, until: Option<Instant>, progress: ProgressBar) -> Self {
        Self { row, seed, count, begun: 0, until, progress, played: 0, total: Verdict::default() }
    }

    /// The next one, if there is one and time for it; the first always is.
    pub(super) fn next(&mut self) -> Option<Round> {
        let late = self.begun > 0 && self.until.is_some_and(|until| Instant::now() >= until);
        (self.begun < self.count && !late).then(|| {
            self.begun += 1;
            Round::new(self.seed.wrapping_add(self.begun - 1))
        })
    }

    /// The end of a round.
    pub(super) fn judge(&mut self, round: Round, journal: impl FnOnce() -> Vec<String>) {
        let verdict = round.verdict.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.played += 1;
        self.progress.inc(1);
        if !verdict.violations().is_empty() && self.total.violations().len() < TOLD {
            self.progress.suspend(|| {
                let row = self.row.name();
                eprintln!("{row}, round {}: FAILED", self.begun);
                for violation in verdict.violations().iter().take(TOLD) {
                    eprintln!("  {violation}");
                }
                for line in journal() {
                    eprintln!("    {line}");
                }
                eprintln!("  the same choices again: cargo xtask faults --only {row} --rounds 1 --seed {}", round.seed);
            });
        }
        self.total.merge(verdict);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(seed: u64, count: u64, until: Option<Instant>) -> Rounds {
        Rounds::new(Row::ServiceKill, seed, count, until, ProgressBar::hidden())
    }

    #[test]
    fn a_round_is_replayed_by_its_own_seed() {
        let mut all = rounds(40, 3, None);
        let seeds: Vec<_> =
            std::iter::from_fn(|| all.next()).map(|mut round| (round.seed, round.rng.u64(..), round.turn(&[1, 2]))).collect();
        assert_eq!(seeds.len(), 3);
        for (seed, drawn, turn) in &seeds {
            let mut again = rounds(*seed, 1, None).next().unwrap();
            assert_eq!((again.rng.u64(..), again.turn(&[1, 2])), (*drawn, *turn));
        }
        assert_ne!(seeds[0].2, seeds[1].2, "turns are taken");
    }

    #[test]
    fn time_that_is_up_leaves_one_round() {
        let mut late = rounds(1, 10, Some(Instant::now()));
        assert!(late.next().is_some() && late.next().is_none());
    }

    #[test]
    fn a_violation_stays_in_the_total() {
        let mut all = rounds(1, 2, None);
        while let Some(round) = all.next() {
            round.note(|verdict| verdict.require("truths", round.seed == 1, || "a lie".to_owned()));
            all.judge(round, Vec::new);
        }
        assert_eq!((all.played, all.total.violations().len(), all.total.checked()["truths"]), (2, 1, 2));
    }
}
