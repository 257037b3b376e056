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
        });
    }
    drawn
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
    fn nothing_that_can_run_is_no_round() {
        assert_eq!(draw(1, 10, &[vec![], vec![]]), []);
    }
}
