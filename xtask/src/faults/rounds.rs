//! The rounds of one fault: their seeds, how far they are, and what came of them.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use fastrand::Rng;
use indicatif::ProgressBar;

use super::{catalog::Row, findings::Verdict};
use crate::harness::journal::Journal;

/// So many violations of a row are told as they come.
const TOLD: usize = 5;

/// One round. All of its choices follow from its seed.
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    notes: Arc<Notes>,
}

/// What is known of a round, also if it breaks off.
struct Notes {
    seed: u64,
    verdict: Mutex<Verdict>,
    journals: Mutex<Vec<Journal>>,
}

impl Round {
    pub(super) fn new(seed: u64) -> Self {
        let notes = Notes {
            seed,
            verdict: Mutex::default(),
            journals: Mutex::default(),
        };
        Self {
            seed,
            rng: Rng::with_seed(seed),
            notes: Arc::new(notes),
        }
    }

    /// One of them after the other, as rounds go on; a round that is replayed by its seed takes the same again.
    pub(super) fn turn<T: Copy>(&self, among: &[T]) -> T {
        let index = self.seed % u64::try_from(among.len()).unwrap_or(1).max(1);
        among[usize::try_from(index).unwrap_or_default()]
    }

    /// Writes into the verdict.
    pub(super) fn note<T>(&self, write: impl FnOnce(&mut Verdict) -> T) -> T {
        note(&self.notes.verdict, write)
    }

    /// Somebody's journal, to be shown if something does not hold.
    pub(super) fn keep(&self, journal: Journal) {
        self.notes
            .journals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(journal);
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
    /// The one that has begun and was not judged yet.
    current: Option<Arc<Notes>>,
    /// What came of those that were played.
    pub(super) played: u64,
    pub(super) total: Verdict,
}

impl Rounds {
    pub(super) fn new(
        row: Row,
        seed: u64,
        count: u64,
        until: Option<Instant>,
        progress: ProgressBar,
    ) -> Self {
        Self {
            row,
            seed,
            count,
            begun: 0,
            until,
            progress,
            current: None,
            played: 0,
            total: Verdict::default(),
        }
    }

    /// The next one, if there is one and time for it; the first always is.
    pub(super) fn next(&mut self) -> Option<Round> {
        let late = self.begun > 0 && self.until.is_some_and(|until| Instant::now() >= until);
        (self.begun < self.count && !late).then(|| {
            self.begun += 1;
            let round = Round::new(self.seed.wrapping_add(self.begun - 1));
            self.current = Some(Arc::clone(&round.notes));
            round
        })
    }

    /// The end of a round.
    pub(super) fn judge(&mut self, round: Round) {
        let Round { notes, .. } = round;
        self.current = None;
        self.played += 1;
        self.progress.inc(1);
        let told = self.total.violations().len() >= TOLD;
        self.count(&notes, told);
    }

    /// The end of all rounds by an error. What the round had found by then counts and is told.
    pub(super) fn break_off(&mut self, error: &anyhow::Error) {
        let why = format!("broke off: {error:#}");
        let Some(notes) = self.current.take() else {
            self.progress
                .suspend(|| eprintln!("{}: {why}", self.row.name()));
            return self.total.violate(why);
        };
        note(&notes.verdict, |verdict| verdict.violate(why));
        self.count(&notes, false);
    }

    fn count(&mut self, notes: &Notes, told: bool) {
        let verdict = note(&notes.verdict, std::mem::take);
        if !verdict.violations().is_empty() && !told {
            self.progress.suspend(|| {
                for line in self.words(notes, &verdict) {
                    eprintln!("{line}");
                }
            });
        }
        self.total.merge(verdict);
    }

    /// What failed, what people did, and how to have the same again. Why a round broke off comes last, and is always told.
    fn words(&self, notes: &Notes, verdict: &Verdict) -> Vec<String> {
        let row = self.row.name();
        let mut lines = vec![format!("{row}, round {}: FAILED", self.begun)];
        let violations = verdict.violations();
        let skipped = violations.len().saturating_sub(TOLD);
        lines.extend(
            violations
                .iter()
                .enumerate()
                .filter(|(at, _)| *at < TOLD - 1 || *at >= TOLD - 1 + skipped)
                .map(|(_, why)| format!("  {why}")),
        );
        for journal in notes
            .journals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            lines.push("    somebody:".to_owned());
            lines.extend(
                journal
                    .lines()
                    .into_iter()
                    .map(|line| format!("    {line}")),
            );
        }
        lines.push(format!(
            "  the same choices again: cargo xtask faults --only {row} --rounds 1 --seed {}",
            notes.seed
        ));
        lines
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
        let seeds: Vec<_> = std::iter::from_fn(|| all.next())
            .map(|mut round| (round.seed, round.rng.u64(..), round.turn(&[1, 2])))
            .collect();
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
            all.judge(round);
        }
        assert_eq!(
            (
                all.played,
                all.total.violations().len(),
                all.total.checked()["truths"]
            ),
            (2, 1, 2)
        );
    }

    #[test]
    fn a_round_that_breaks_off_keeps_what_it_had_found_and_says_how_to_have_it_again() {
        let mut all = rounds(7, 3, None);
        let first = all.next().unwrap();
        all.judge(first);
        let round = all.next().unwrap();
        let journal = Journal::new();
        round.keep(journal.clone());
        journal.note("sign up");
        round.note(|verdict| {
            verdict.check("truths");
            (0..TOLD * 2).for_each(|lie| verdict.violate(format!("lie {lie}")));
        });
        let notes = Arc::clone(&round.notes);
        let mut verdict = round.note(|verdict| verdict.clone());
        verdict.violate("broke off: it is gone");
        let words = all.words(&notes, &verdict).join("\n");
        for part in [
            "round 2: FAILED",
            "lie 0",
            "sign up",
            "broke off: it is gone",
            "--rounds 1 --seed 8",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(!words.contains("lie 9"), "{words}");
        drop(round);
        all.break_off(&anyhow::anyhow!("it is gone"));
        assert_eq!(
            (
                all.played,
                all.total.violations().len(),
                all.total.checked()["truths"]
            ),
            (1, TOLD * 2 + 1, 1)
        );
        all.break_off(&anyhow::anyhow!("between rounds"));
        assert_eq!(
            all.total.violations().last().unwrap(),
            "broke off: between rounds"
        );
    }
}
