//! One bucket.

use super::{Limiter, assert_about, fresh, one_of_each, rate};
use crate::contract::LimitsSubject;
use revolve_domain::ports::{Take, TakeOutcome};
use std::time::Duration;

/// A full bucket gives its burst, reports what is left, and is empty then.
pub async fn a_full_bucket_gives_its_burst(subject: &dyn LimitsSubject) {
    let (limiter, take) = (Limiter::new(subject), fresh("3/30m"));
    for (left, full_after) in [(2, 600), (1, 1200), (0, 1800)] {
        let level = limiter.take(&take).await;
        assert_eq!(level.remaining, left, "what is left");
        assert_about(level.full_after, full_after);
    }
    let empty = limiter.refused(&take).await;
    assert!(empty.retry_after > Duration::ZERO, "not now");
    assert_about(empty.retry_after, 600);
}

/// What was taken comes back one by one, and never more than the burst.
pub async fn a_bucket_fills_with_time(subject: &dyn LimitsSubject) {
    let (limiter, take) = (Limiter::new(subject), fresh("3/30m"));
    let takes = [take.clone()];
    limiter.drain(&take).await;
    limiter.advance(&takes, 500).await;
    limiter.refused(&take).await;
    limiter.advance(&takes, 100).await;
    assert_eq!(limiter.take(&take).await.remaining, 0, "one is back");
    limiter.refused(&take).await;
    limiter.advance(&takes, 1800).await;
    assert_eq!(
        limiter.take(&take).await.remaining,
        2,
        "after its window it is full"
    );
    limiter.advance(&takes, 100_000).await;
    assert_eq!(
        limiter.take(&take).await.remaining,
        2,
        "and never more than full"
    );
}

/// The first refusal of a window is reported as the first.
pub async fn the_first_refusal_is_told_apart(subject: &dyn LimitsSubject) {
    let (limiter, take) = (Limiter::new(subject), fresh("2/20m"));
    let takes = [take.clone()];
    limiter.take(&take).await;
    limiter.take(&take).await;
    assert!(limiter.refused(&take).await.first, "the first one");
    assert!(!limiter.refused(&take).await.first, "the second one");
    limiter.advance(&takes, 600).await;
    limiter.take(&take).await;
    assert!(!limiter.refused(&take).await.first, "still the same window");
    limiter.advance(&takes, 600).await;
    limiter.drain(&take).await;
    limiter.advance(&takes, 1200).await;
    limiter.take(&take).await;
    limiter.take(&take).await;
    assert!(limiter.refused(&take).await.first, "another window");
}

/// What is given back can be taken again; a full bucket stays full.
pub async fn what_is_given_back_can_be_taken_again(subject: &dyn LimitsSubject) {
    let (limiter, take) = (Limiter::new(subject), fresh("2/20m"));
    let takes = [take.clone()];
    limiter.take(&take).await;
    limiter.take(&take).await;
    limiter.give_back(&takes).await;
    assert_eq!(
        limiter.take(&take).await.remaining,
        0,
        "one was there again"
    );
    limiter.refused(&take).await;
    for _ in 0..5 {
        limiter.give_back(&takes).await;
    }
    assert_eq!(limiter.take(&take).await.remaining, 1, "no more than full");
    limiter.give_back(&[fresh("2/20m")]).await;
}

/// No two buckets share their content, of whatever kinds.
pub async fn buckets_do_not_meet(subject: &dyn LimitsSubject) {
    let limiter = Limiter::new(subject);
    let takes: Vec<Take> = one_of_each()
        .into_iter()
        .map(|bucket| Take {
            bucket,
            rate: rate("1/10m"),
        })
        .collect();
    for take in &takes {
        limiter.take(take).await;
    }
    for take in &takes {
        limiter.refused(take).await;
    }
    limiter.give_back(&takes[..1]).await;
    limiter.take(&takes[0]).await;
    for take in &takes {
        limiter.refused(take).await;
    }
}

/// A bucket whose rate changes refuses for no longer than an empty one.
pub async fn a_new_rate_holds_at_once(subject: &dyn LimitsSubject) {
    let (limiter, slow) = (Limiter::new(subject), fresh("1/1d"));
    let quick = Take {
        rate: rate("2/20m"),
        ..slow.clone()
    };
    limiter.take(&slow).await;
    limiter.refused(&slow).await;
    assert_about(limiter.refused(&quick).await.retry_after, 600);
    limiter.advance(std::slice::from_ref(&quick), 600).await;
    let generous = Take {
        rate: rate("1000000/1d"),
        ..slow.clone()
    };
    assert!(
        matches!(limiter.take_all(&[generous]).await, TakeOutcome::Allowed(_)),
        "a larger bucket has room"
    );
}
