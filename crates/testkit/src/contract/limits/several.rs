//! Several buckets at once.

use super::{Limiter, assert_about, fresh};
use crate::contract::LimitsSubject;
use revolve_domain::ports::TakeOutcome;

/// One is taken from each, and the answer has what is left in each.
pub async fn several_are_taken_from_at_once(subject: &dyn LimitsSubject) {
    let limiter = Limiter::new(subject);
    let takes = [fresh("3/30m"), fresh("5/10m"), fresh("1/1h")];
    let TakeOutcome::Allowed(levels) = limiter.take_all(&takes).await else {
        panic!("all of them are full")
    };
    let left: Vec<u32> = levels.iter().map(|level| level.remaining).collect();
    assert_eq!(left, [2, 4, 0], "in the order in which they were asked for");
    assert_about(levels[1].full_after, 120);
    limiter.give_back(&takes).await;
    assert_eq!(
        limiter.take(&takes[2]).await.remaining,
        0,
        "all were given back"
    );
}

/// If one is empty nothing is taken from the others, and the empty ones are named.
pub async fn nothing_is_taken_if_one_is_empty(subject: &dyn LimitsSubject) {
    let limiter = Limiter::new(subject);
    let takes = [fresh("2/20m"), fresh("1/5m"), fresh("1/1h")];
    limiter.drain(&takes[1]).await;
    let TakeOutcome::Limited(empty) = limiter.take_all(&takes).await else {
        panic!("the second one is empty")
    };
    assert_eq!(
        empty.iter().map(|empty| empty.index).collect::<Vec<_>>(),
        [1],
        "the second one alone"
    );
    assert_about(empty[0].retry_after, 300);
    assert!(!empty[0].first, "draining it was refused already");
    assert_eq!(
        limiter.take(&takes[0]).await.remaining,
        1,
        "the first one was left alone"
    );
    assert_eq!(
        limiter.take(&takes[2]).await.remaining,
        0,
        "and so was the third"
    );
    let TakeOutcome::Limited(empty) = limiter.take_all(&takes).await else {
        panic!("two are empty now")
    };
    let told: Vec<_> = empty
        .iter()
        .map(|empty| (empty.index, empty.first))
        .collect();
    assert_eq!(
        told,
        [(1, false), (2, true)],
        "every empty one is named, each with a window of its own"
    );
}

/// Taking from no bucket is allowed.
pub async fn taking_from_none_is_allowed(subject: &dyn LimitsSubject) {
    let limiter = Limiter::new(subject);
    assert_eq!(limiter.take_all(&[]).await, TakeOutcome::Allowed(vec![]));
    limiter.give_back(&[]).await;
}
