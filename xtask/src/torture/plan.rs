//! Which rounds are run: every case equally often, in an order and with choices that follow from the seed.

use fastrand::Rng;

use super::cases::Case;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlannedRound {
    pub(crate) number: usize,
    /// The index of the servers.
    pub(crate) servers: usize,
    pub(crate) case: Case,
    /// All of its choices follow from this.
    pub(crate) seed: u64,
    /// How many run at a time.
    pub(crate) parallel: usize,
}

/// Draws rounds over groups of servers on which these cases can run. The first round has the seed itself, so that a single round can be
/// replayed.
pub(crate) fn draw(seed: u64, rounds: usize, groups: &[Vec<Case>]) -> Vec<PlannedRound> {
    let mut order = Rng::with_seed(seed);
    let mut decks: Vec<Vec<Case>> = vec![Vec::new(); groups.len()];
    let runnable: Vec<usize> = (0..groups.len())
        .filter(|&servers| !groups[servers].is_empty())
        .collect();
    let mut drawn = Vec::new();
    for number in 0..rounds {
        let Some(&servers) = runnable.get(number.checked_rem(runnable.len()).unwrap_or_default())
        else {
            break;
        };
        if decks[servers].is_empty() {
            decks[servers].clone_from(&groups[servers]);
            order.shuffle(&mut decks[servers]);
        }
        let Some(case) = decks[servers].pop() else {
            break;
        };
        drawn.push(PlannedRound {
            number,
            servers,
            case,
            seed: seed.wrapping_add(number as u64),
            parallel: 1,
        });
    }
    drawn
}

/// Splits rounds into stages of so many at a time, since a crowd hides races that a few rounds show. A stage with more at a time gets more
/// rounds, by 1 + log2, or the stage with one at a time would take up nearly all of the run.
pub(crate) fn stages(rounds: Vec<PlannedRound>, levels: &[usize]) -> Vec<Vec<PlannedRound>> {
    let weight = |level: usize| 1 + level.max(1).ilog2() as usize;
    let (all, total) = (
        levels.iter().map(|&level| weight(level)).sum(),
        rounds.len(),
    );
    let mut rest = rounds.into_iter();
    let (mut passed, mut taken) = (0_usize, 0);
    let mut stages = Vec::new();
    for &level in levels {
        passed += weight(level);
        let end = (total * passed).div_ceil(all);
        let stage = rest.by_ref().take(end - taken).map(|round| PlannedRound {
            parallel: level.max(1),
            ..round
        });
        stages.push(stage.collect());
        taken = end;
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [Case; 3] = [Case::Tabs, Case::Dropped, Case::Stolen];

    #[test]
    fn a_seed_draws_the_same_again_and_every_case_gets_its_turn() {
        let groups = [CASES.to_vec(), vec![], vec![Case::Tabs]];
        let rounds = draw(7, 60, &groups);
        assert_eq!(rounds, draw(7, 60, &groups));
        assert_ne!(rounds, draw(8, 60, &groups));
        let on = |servers: usize| rounds.iter().filter(move |round| round.servers == servers);
        for case in CASES {
            assert_eq!(on(0).filter(|round| round.case == case).count(), 10);
        }
        assert_eq!(on(2).count(), 30);
    }

    #[test]
    fn a_round_can_be_replayed_by_its_own_seed() {
        let round = draw(7, 60, &[CASES.to_vec()])[41];
        let again = draw(round.seed, 1, &[vec![round.case]])[0];
        assert_eq!((again.seed, again.case), (round.seed, round.case));
    }

    #[test]
    fn every_round_has_its_stage_and_crowds_have_most() {
        for count in [0, 1, 3, 10, 200] {
            let rounds = draw(7, count, &[CASES.to_vec()]);
            let stages = stages(rounds.clone(), &[1, 4, 32]);
            let again: Vec<_> = stages.iter().flatten().map(|round| round.seed).collect();
            let seeds: Vec<_> = rounds.iter().map(|round| round.seed).collect();
            assert_eq!(again, seeds);
            for (stage, level) in stages.iter().zip([1, 4, 32]) {
                assert!(stage.iter().all(|round| round.parallel == level));
            }
            if count == 200 {
                let sizes: Vec<_> = stages.iter().map(Vec::len).collect();
                assert_eq!(sizes, [20, 60, 120]);
            }
        }
    }

    #[test]
    fn nothing_that_can_run_is_no_round() {
        assert_eq!(draw(1, 10, &[vec![], vec![]]), []);
    }
}
