//! Concurrent calls.

use super::{Limiter, fresh};
use crate::contract::{LimitsSubject, given::at_once};
use revolve_domain::ports::{Take, TakeOutcome};

fn allowed(outcomes: &[TakeOutcome]) -> usize {
    outcomes
        .iter()
        .filter(|outcome| matches!(outcome, TakeOutcome::Allowed(_)))
        .count()
}

fn first(outcomes: &[TakeOutcome]) -> usize {
    let firsts = outcomes.iter().map(|outcome| match outcome {
        TakeOutcome::Limited(empty) => empty.iter().filter(|empty| empty.first).count(),
        TakeOutcome::Allowed(_) => 0,
    });
    firsts.sum()
}

/// However many calls run at once, no more is taken than there is, and exactly one refusal is the first.
pub async fn parallel_takes_never_exceed_the_burst(subject: &dyn LimitsSubject) {
    let take = fresh("10/10h");
    let outcomes = at_once((0..100).map(|_| {
        let (limiter, take) = (subject.limiter(), take.clone());
        async move { limiter.take(&[take]).await.expect("take works") }
    }))
    .await;
    assert_eq!(allowed(&outcomes), 10, "as many as there are");
    assert_eq!(first(&outcomes), 1, "one of the refusals is the first");
}

/// Of two buckets in one call, both are taken from or neither.
pub async fn parallel_takes_are_whole(subject: &dyn LimitsSubject) {
    let (shared, own): (Take, Vec<Take>) =
        (fresh("10/10h"), (0..50).map(|_| fresh("1/10h")).collect());
    let outcomes = at_once(own.iter().map(|own| {
        let (limiter, takes) = (subject.limiter(), [own.clone(), shared.clone()]);
        async move { limiter.take(&takes).await.expect("take works") }
    }))
    .await;
    assert_eq!(allowed(&outcomes), 10, "as many as the shared bucket has");
    let limiter = Limiter::new(subject);
    let mut left = 0;
    for own in &own {
        left += usize::from(matches!(
            limiter.take_all(std::slice::from_ref(own)).await,
            TakeOutcome::Allowed(_)
        ));
    }
    assert_eq!(left, 40, "whoever was refused has lost nothing");
}

/// After concurrent taking and giving back the buckets are full again.
pub async fn parallel_gifts_are_not_lost(subject: &dyn LimitsSubject) {
    let take = fresh("50/24h");
    at_once((0..50).map(|_| {
        let (limiter, take) = (subject.limiter(), [take.clone()]);
        async move {
            let outcome = limiter.take(&take).await.expect("take works");
            assert!(
                matches!(outcome, TakeOutcome::Allowed(_)),
                "there is one for each"
            );
            limiter.give_back(&take).await.expect("give_back works");
        }
    }))
    .await;
    assert_eq!(
        Limiter::new(subject).take(&take).await.remaining,
        49,
        "all are back"
    );
}
