//! The step of one bucket (GCRA).

use super::Rate;
use std::time::Duration;

/// What a store keeps of a bucket that is not full. A full one has no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketState {
    /// When the bucket will be full again.
    pub full_at: i64,
    /// A refusal before this instant is not the first one of its window.
    pub reported_until: i64,
}

impl BucketState {
    /// When the bucket is full and no refusal need be remembered: the store forgets it then.
    pub fn dies_at(&self) -> i64 {
        self.full_at.max(self.reported_until)
    }
}

/// One was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the store keeps.
    pub state: BucketState,
    /// How many are left.
    pub remaining: u32,
    /// The time until the bucket is full.
    pub full_after: Duration,
}

/// The bucket was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// What the store keeps; it changes only at the first refusal of a window.
    pub state: BucketState,
    /// The time until one can be taken; more than zero.
    pub retry_after: Duration,
    /// Whether this is the first refusal of its window.
    pub first: bool,
}

/// Takes one from a bucket, at `now`.
///
/// # Errors
/// [`Exhausted`] if there is none.
pub fn take(found: Option<BucketState>, rate: Rate, now: i64) -> Result<Taken, Exhausted> {
    let state = sane(found, rate, now);
    let full_at = state.full_at.max(now).saturating_add(rate.interval());
    let missing = full_at - now;
    if missing > rate.depth() {
        let first = state.reported_until <= now;
        let reported_until = if first {
            now.saturating_add(rate.depth())
        } else {
            state.reported_until
        };
        return Err(Exhausted {
            state: BucketState {
                reported_until,
                ..state
            },
            retry_after: micros(missing - rate.depth()),
            first,
        });
    }
    let remaining = u32::try_from((rate.depth() - missing) / rate.interval()).unwrap_or(u32::MAX);
    Ok(Taken {
        state: BucketState { full_at, ..state },
        remaining,
        full_after: micros(missing),
    })
}

/// Puts one back that was taken. `None`: the bucket is full and needs no state.
pub fn give_back(found: BucketState, rate: Rate, now: i64) -> Option<BucketState> {
    let state = sane(Some(found), rate, now);
    let state = BucketState {
        full_at: state.full_at.saturating_sub(rate.interval()),
        ..state
    };
    (state.dies_at() > now).then_some(state)
}

/// Limits the state to that of an empty bucket: neither a clock that stepped back nor a changed rate may refuse for longer.
fn sane(found: Option<BucketState>, rate: Rate, now: i64) -> BucketState {
    let latest = now.saturating_add(rate.depth());
    let found = found.unwrap_or(BucketState {
        full_at: now,
        reported_until: now,
    });
    BucketState {
        full_at: found.full_at.min(latest),
        reported_until: found.reported_until.min(latest),
    }
}

fn micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_900_000_000_000_000;
    const SECOND: i64 = 1_000_000;

    fn rate() -> Rate {
        "3/30s".parse().unwrap()
    }

    /// Takes several times at one instant; the state after it and what was left each time.
    fn taken(
        times: usize,
        mut state: Option<BucketState>,
        now: i64,
    ) -> (Option<BucketState>, Vec<u32>) {
        let mut left = Vec::new();
        for _ in 0..times {
            let taken = take(state, rate(), now).unwrap();
            state = Some(taken.state);
            left.push(taken.remaining);
        }
        (state, left)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_and_then_one_per_interval() {
        let (state, left) = taken(3, None, NOW);
        assert_eq!(left, [2, 1, 0]);
        let refused = take(state, rate(), NOW).unwrap_err();
        assert_eq!(
            (refused.retry_after, refused.first),
            (Duration::from_secs(10), true)
        );
        let almost = take(state, rate(), NOW + 10 * SECOND - 1).unwrap_err();
        assert_eq!(almost.retry_after, Duration::from_micros(1));
        let (state, left) = taken(1, state, NOW + 10 * SECOND);
        assert_eq!(left, [0]);
        assert!(take(state, rate(), NOW + 10 * SECOND).is_err());
        assert_eq!(
            taken(3, state, NOW + 40 * SECOND).1,
            [2, 1, 0],
            "after its window it is full"
        );
        assert_eq!(
            taken(3, state, NOW + 4000 * SECOND).1,
            [2, 1, 0],
            "and never more than full"
        );
    }

    #[test]
    fn the_first_refusal_within_a_window_is_told_apart() {
        let (state, _) = taken(3, None, NOW);
        let first = take(state, rate(), NOW).unwrap_err();
        let second = take(Some(first.state), rate(), NOW + SECOND).unwrap_err();
        assert_eq!((first.first, second.first), (true, false));
        assert_eq!(second.state, first.state, "later ones change nothing");
        // One comes back every ten seconds and is taken at once: still the same window, then another.
        let mut state = second.state;
        for (after, expected) in [(10, false), (20, false), (30, true), (40, false)] {
            state = take(Some(state), rate(), NOW + after * SECOND)
                .unwrap()
                .state;
            let refused = take(Some(state), rate(), NOW + after * SECOND).unwrap_err();
            assert_eq!(refused.first, expected, "{after} s later");
            state = refused.state;
        }
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let (state, _) = taken(3, None, NOW);
        let back = give_back(state.unwrap(), rate(), NOW);
        assert_eq!(taken(1, back, NOW).1, [0]);
        let (one, _) = taken(1, None, NOW);
        assert_eq!(
            give_back(one.unwrap(), rate(), NOW),
            None,
            "a full bucket has no state"
        );
        let late = give_back(one.unwrap(), rate(), NOW + 100 * SECOND);
        assert_eq!(late, None, "nothing is made out of nothing");
        let refused = take(state, rate(), NOW).unwrap_err();
        let mut told = Some(refused.state);
        for _ in 0..3 {
            told = give_back(told.unwrap(), rate(), NOW);
        }
        assert!(told.is_some(), "a refusal that was told stays told");
    }

    #[test]
    fn neither_a_clock_that_steps_back_nor_a_new_rate_keeps_anybody_out_for_long() {
        let (state, _) = taken(3, None, NOW);
        let refused = take(state, rate(), NOW - 3600 * SECOND).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(10));
        let slow: Rate = "1/1d".parse().unwrap();
        let state = take(None, slow, NOW).unwrap().state;
        let refused = take(Some(state), rate(), NOW).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(10));
    }
}
