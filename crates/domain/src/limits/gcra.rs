//! One step of one bucket.

use super::Rate;
use std::time::Duration;

/// What a store keeps of a bucket that is not full. A full one has no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// When the bucket will be full again.
    pub full_at: i64,
    /// Until then refusals are not told apart any more: the first one of this window has been.
    pub told_until: i64,
}

impl State {
    /// From when on the state says nothing any more: the store forgets it then.
    pub fn dies_at(&self) -> i64 {
        self.full_at.max(self.told_until)
    }
}

/// One was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// What the store keeps.
    pub state: State,
    /// How many are left.
    pub remaining: u32,
    /// After what time the bucket is full again.
    pub full_after: Duration,
}

/// There was nothing to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What the store keeps: different from before only if this is the first refusal.
    pub state: State,
    /// After what time there is one again; more than zero.
    pub retry_after: Duration,
    /// Whether this is the first refusal within a window.
    pub first: bool,
}

/// Takes one from a bucket, at `now`.
///
/// # Errors
/// [`Refused`] if there is none.
pub fn take(found: Option<State>, rate: Rate, now: i64) -> Result<Taken, Refused> {
    let state = sane(found, rate, now);
    let full_at = state.full_at.max(now).saturating_add(rate.interval());
    let missing = full_at - now;
    if missing > rate.depth() {
        let first = state.told_until <= now;
        let told_until = if first {
            now.saturating_add(rate.depth())
        } else {
            state.told_until
        };
        return Err(Refused {
            state: State {
                told_until,
                ..state
            },
            retry_after: micros(missing - rate.depth()),
            first,
        });
    }
    let remaining = u32::try_from((rate.depth() - missing) / rate.interval()).unwrap_or(u32::MAX);
    Ok(Taken {
        state: State { full_at, ..state },
        remaining,
        full_after: micros(missing),
    })
}

/// Puts one back that was taken. `None` if the bucket is full, and nothing need be kept of it.
pub fn give_back(found: State, rate: Rate, now: i64) -> Option<State> {
    let state = sane(Some(found), rate, now);
    let state = State {
        full_at: state.full_at.saturating_sub(rate.interval()),
        ..state
    };
    (state.dies_at() > now).then_some(state)
}

/// No bucket is more than empty: neither a clock that stepped back nor a rate that was changed may keep anybody out for longer
/// than an empty bucket does.
fn sane(found: Option<State>, rate: Rate, now: i64) -> State {
    let latest = now.saturating_add(rate.depth());
    let found = found.unwrap_or(State {
        full_at: now,
        told_until: now,
    });
    State {
        full_at: found.full_at.min(latest),
        told_until: found.told_until.min(latest),
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

    /// Takes so often at one instant; the state after it and what was left each time.
    fn taken(times: usize, mut state: Option<State>, now: i64) -> (Option<State>, Vec<u32>) {
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
