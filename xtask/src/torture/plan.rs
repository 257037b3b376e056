//! Which rounds are played: every case comes up equally often, in an order and with choices that follow from the seed.

use fastrand::Rng;

use super::cases::Case;

/// One round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Round {
    pub(crate) number: usize,
    /// Where it is played.
    pub(crate) site: usize,
    pub(crate) case: Case,
    /// How often the case was played there before.
    pub(crate) turn: usize,
    /// All of its choices follow from this.
    pub(crate) seed: u64,
}

/// Draws rounds over sites with these cases each. The first round has the seed itself, so that a single round can be replayed.
pub(crate) fn draw(seed: u64, rounds: usize, sites: &[Vec<Case>]) -> Vec<Round> {
    let mut order = Rng::with_seed(seed);
    let mut decks: Vec<Vec<Case>> = vec![Vec::new(); sites.len()];
    let mut turns = vec![Vec::new(); sites.len()];
    let playable: Vec<usize> = (0..sites.len())
        .filter(|&site| !sites[site].is_empty())
        .collect();
    let mut drawn = Vec::new();
    for number in 0..rounds {
        let Some(&site) = playable.get(number.checked_rem(playable.len()).unwrap_or_default())
        else {
            break;
        };
        if decks[site].is_empty() {
            decks[site].clone_from(&sites[site]);
            order.shuffle(&mut decks[site]);
        }
        let Some(case) = decks[site].pop() else { break };
        let turn = turns[site].iter().filter(|&&played| played == case).count();
        turns[site].push(case);
        drawn.push(Round {
            number,
            site,
            case,
            turn,
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
        let sites = [CASES.to_vec(), vec![], vec![Case::Tabs]];
        let rounds = draw(7, 60, &sites);
        assert_eq!(rounds, draw(7, 60, &sites));
        assert_ne!(rounds, draw(8, 60, &sites));
        for case in CASES {
            let turns: Vec<usize> = rounds
                .iter()
                .filter(|round| round.case == case && round.site == 0)
                .map(|round| round.turn)
                .collect();
            assert_eq!(turns, (0..10).collect::<Vec<_>>());
        }
        assert_eq!(rounds.iter().filter(|round| round.site == 2).count(), 30);
    }

    #[test]
    fn a_round_can_be_replayed_by_its_own_seed() {
        let round = draw(7, 60, &[CASES.to_vec()])[41];
        let again = draw(round.seed, 1, &[vec![round.case]])[0];
        assert_eq!((again.seed, again.case), (round.seed, round.case));
    }

    #[test]
    fn nothing_to_play_is_no_round() {
        assert_eq!(draw(1, 10, &[vec![], vec![]]), []);
    }
}
