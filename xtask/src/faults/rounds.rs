//! The rounds of one fault: their seeds, their progress and their findings.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use fastrand::Rng;
use indicatif::ProgressBar;

use super::findings::Findings;
use crate::harness::journal::Journal;

/// The longest that a request may take while something fails that it does not need.
const ANSWER: Duration = Duration::from_secs(2);
/// So many violations of a fault are printed as they occur.
const PRINTED: usize = 5;

/// One round. All of its choices follow from its seed.
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) rng: Rng,
    notes: Arc<RoundNotes>,
}

/// What is known of a round, even if it fails.
struct RoundNotes {
    seed: u64,
    findings: Mutex<Findings>,
    journals: Mutex<Vec<Journal>>,
}

impl Round {
    pub(super) fn new(seed: u64) -> Self {
        let notes = RoundNotes {
            seed,
            findings: Mutex::default(),
            journals: Mutex::default(),
        };
        Self {
            seed,
            rng: Rng::with_seed(seed),
            notes: Arc::new(notes),
        }
    }

    /// One of the choices, in turn from round to round; a round that is replayed by its seed takes the same one.
    pub(super) fn in_turn<T: Copy>(&self, among: &[T]) -> T {
        let index = self.seed % u64::try_from(among.len()).unwrap_or(1).max(1);
        among[usize::try_from(index).unwrap_or_default()]
    }

    /// Edits the findings.
    pub(super) fn record<T>(&self, change: impl FnOnce(&mut Findings) -> T) -> T {
        edit(&self.notes.findings, change)
    }

    /// Requires that every request was answered as if nothing had failed, and as soon. The machine stood still for so long.
    pub(super) fn require_unimpeded(&self, stalled: Duration, because: &str) {
        self.record(|findings| {
            findings.answered_within(ANSWER + stalled);
            let unavailable = findings.unavailable();
            findings.require("times of trouble without a 503", unavailable == 0, || {
                format!("{unavailable} requests were answered 503 because of {because}")
            });
        });
    }

    /// Keeps a client's journal, to be printed if something is violated.
    pub(super) fn keep_journal(&self, journal: Journal) {
        self.notes
            .journals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(journal);
    }
}

/// Edits findings that several threads share.
pub(super) fn edit<T>(findings: &Mutex<Findings>, change: impl FnOnce(&mut Findings) -> T) -> T {
    change(&mut findings.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(super) struct Rounds {
    pub(super) name: &'static str,
    seed: u64,
    count: u64,
    begun: u64,
    until: Option<Instant>,
    progress: ProgressBar,
    /// The round that has begun and not ended.
    current: Option<Arc<RoundNotes>>,
    /// Rounds that have ended, and their findings.
    pub(super) finished: u64,
    pub(super) total: Findings,
}

impl Rounds {
    pub(super) fn new(
        name: &'static str,
        seed: u64,
        count: u64,
        until: Option<Instant>,
        progress: ProgressBar,
    ) -> Self {
        Self {
            name,
            seed,
            count,
            begun: 0,
            until,
            progress,
            current: None,
            finished: 0,
            total: Findings::default(),
        }
    }

    /// The next round, if there is one and time for it; there is always time for the first one.
    pub(super) fn next(&mut self) -> Option<Round> {
        let late = self.begun > 0 && self.until.is_some_and(|until| Instant::now() >= until);
        (self.begun < self.count && !late).then(|| {
            self.begun += 1;
            let round = Round::new(self.seed.wrapping_add(self.begun - 1));
            self.current = Some(Arc::clone(&round.notes));
            round
        })
    }

    pub(super) fn finish(&mut self, round: Round) {
        let Round { notes, .. } = round;
        self.current = None;
        self.finished += 1;
        self.progress.inc(1);
        let printed = self.total.violations().len() >= PRINTED;
        self.add(&notes, printed);
    }

    /// Ends all rounds by an error. What the current round found so far counts and is printed.
    pub(super) fn fail(&mut self, error: &anyhow::Error) {
        let why = format!("failed: {error:#}");
        let Some(notes) = self.current.take() else {
            self.progress.suspend(|| eprintln!("{}: {why}", self.name));
            return self.total.violate(why);
        };
        edit(&notes.findings, |findings| findings.violate(why));
        self.add(&notes, false);
    }

    fn add(&mut self, notes: &RoundNotes, printed: bool) {
        let findings = edit(&notes.findings, std::mem::take);
        if !findings.violations().is_empty() && !printed {
            self.progress.suspend(|| {
                for line in self.words(notes, &findings) {
                    eprintln!("{line}");
                }
            });
        }
        self.total.merge(findings);
    }

    /// What was violated, what the clients did, and how to repeat the round. The error that ended a round comes last and is always printed.
    fn words(&self, notes: &RoundNotes, findings: &Findings) -> Vec<String> {
        let name = self.name;
        let mut lines = vec![format!("{name}, round {}: FAILED", self.begun)];
        let violations = findings.violations();
        let skipped = violations.len().saturating_sub(PRINTED);
        lines.extend(
            violations
                .iter()
                .enumerate()
                .filter(|(at, _)| *at < PRINTED - 1 || *at >= PRINTED - 1 + skipped)
                .map(|(_, why)| format!("  {why}")),
        );
        for journal in notes
            .journals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
        {
            lines.push("    client:".to_owned());
            lines.extend(
                journal
                    .lines()
                    .into_iter()
                    .map(|line| format!("    {line}")),
            );
        }
        lines.push(format!(
            "  again: cargo xtask faults --only {name} --rounds 1 --seed {}",
            notes.seed
        ));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(seed: u64, count: u64, until: Option<Instant>) -> Rounds {
        Rounds::new("service-kill", seed, count, until, ProgressBar::hidden())
    }

    #[test]
    fn a_round_is_replayed_by_its_own_seed() {
        let mut all = rounds(40, 3, None);
        let seeds: Vec<_> = std::iter::from_fn(|| all.next())
            .map(|mut round| (round.seed, round.rng.u64(..), round.in_turn(&[1, 2])))
            .collect();
        assert_eq!(seeds.len(), 3);
        for (seed, drawn, turn) in &seeds {
            let mut again = rounds(*seed, 1, None).next().unwrap();
            assert_eq!((again.rng.u64(..), again.in_turn(&[1, 2])), (*drawn, *turn));
        }
        assert_ne!(seeds[0].2, seeds[1].2, "the choices take turns");
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
            round.record(|findings| {
                findings.require("truths", round.seed == 1, || "a lie".to_owned());
            });
            all.finish(round);
        }
        assert_eq!(
            (
                all.finished,
                all.total.violations().len(),
                all.total.checked()["truths"]
            ),
            (2, 1, 2)
        );
    }

    #[test]
    fn a_round_that_fails_keeps_its_findings_and_says_how_to_repeat_it() {
        let mut all = rounds(7, 3, None);
        let first = all.next().unwrap();
        all.finish(first);
        let round = all.next().unwrap();
        let journal = Journal::new();
        round.keep_journal(journal.clone());
        journal.note("sign up");
        round.record(|findings| {
            findings.check("truths");
            (0..PRINTED * 2).for_each(|lie| findings.violate(format!("lie {lie}")));
        });
        let notes = Arc::clone(&round.notes);
        let mut findings = round.record(|findings| findings.clone());
        findings.violate("failed: it is gone");
        let words = all.words(&notes, &findings).join("\n");
        for part in [
            "round 2: FAILED",
            "lie 0",
            "sign up",
            "failed: it is gone",
            "--rounds 1 --seed 8",
        ] {
            assert!(words.contains(part), "{part}: {words}");
        }
        assert!(!words.contains("lie 9"), "{words}");
        drop(round);
        all.fail(&anyhow::anyhow!("it is gone"));
        assert_eq!(
            (
                all.finished,
                all.total.violations().len(),
                all.total.checked()["truths"]
            ),
            (1, PRINTED * 2 + 1, 1)
        );
        all.fail(&anyhow::anyhow!("between rounds"));
        assert_eq!(
            all.total.violations().last().unwrap(),
            "failed: between rounds"
        );
    }
}
