//! Random histories of one bucket, against the pure step.

use super::{Limiter, assert_about, fresh};
use crate::contract::{LimitsSubject, given::random};
use revolve_domain::{
    limits::{self, BucketState},
    ports::TakeOutcome,
};

const HOUR: i64 = 3600 * 1_000_000;

/// Any sequence of taking, giving back and waiting has the outcomes of the step. Time passes in hours
/// here, so that the seconds that a real store takes change nothing.
pub async fn random_histories_of_a_bucket_match_the_step(subject: &dyn LimitsSubject) {
    let limiter = Limiter::new(subject);
    for _ in 0..6 {
        let (take, acts) = (fresh("4/8h"), [random(), random()].concat());
        let (mut state, mut now): (Option<BucketState>, i64) = (None, 0);
        for (step, act) in acts.iter().enumerate() {
            match act % 8 {
                0..=4 => match (
                    limits::take(state, take.rate, now),
                    limiter.take_all(std::slice::from_ref(&take)).await,
                ) {
                    (Ok(expected), TakeOutcome::Allowed(levels)) => {
                        assert_eq!(
                            levels[0].remaining, expected.remaining,
                            "what is left at step {step} of {acts:?}"
                        );
                        assert_about(levels[0].full_after, expected.full_after.as_secs());
                        state = Some(expected.state);
                    }
                    (Err(expected), TakeOutcome::Limited(empty)) => {
                        assert_eq!(
                            empty[0].first, expected.first,
                            "whether step {step} of {acts:?} is the first refusal"
                        );
                        assert_about(empty[0].retry_after, expected.retry_after.as_secs());
                        state = Some(expected.state);
                    }
                    (expected, found) => {
                        panic!("step {step} of {acts:?}: expected {expected:?}, got {found:?}")
                    }
                },
                5 => {
                    limiter.give_back(std::slice::from_ref(&take)).await;
                    state = state.and_then(|state| limits::give_back(state, take.rate, now));
                }
                hours => {
                    let hours = u64::from(hours - 5);
                    limiter
                        .advance(std::slice::from_ref(&take), hours * 3600)
                        .await;
                    now += i64::try_from(hours).expect("a few hours") * HOUR;
                }
            }
        }
    }
}
