//! The windows' edges, to the millisecond: each begins at its start and is over at its end.

use super::{NOW, entry, rotation, secs, shown};
use revolve_domain::{
    model::{Generation, SessionId, TokenId},
    rotation::{Entry, RotationOutcome, Write, step},
};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

/// A millisecond before the window ends.
fn within(window: Duration) -> Duration {
    window.saturating_sub(MS)
}

fn retried_at(age: Duration, bound: bool) -> RotationOutcome {
    let rotation = if bound { shown(4) } else { rotation(4) };
    step(Some(&entry(age)), &rotation, NOW).0
}

fn is_repeated(outcome: RotationOutcome, expected_late: bool) -> bool {
    matches!(outcome, RotationOutcome::Repeated { late, .. } if late == expected_late)
}

#[test]
fn a_retry_is_free_until_the_free_window_ends() {
    assert!(
        is_repeated(retried_at(within(secs(10)), false), false),
        "a millisecond before the end"
    );
    assert!(is_repeated(retried_at(secs(10), false), true), "at the end");
}

#[test]
fn a_late_retry_is_possible_until_its_window_ends() {
    for (window, bound) in [(secs(600), false), (secs(3600), true)] {
        assert!(
            is_repeated(retried_at(within(window), bound), true),
            "a millisecond before the end, bound: {bound}"
        );
        assert!(
            matches!(retried_at(window, bound), RotationOutcome::Reused { .. }),
            "at the end, bound: {bound}"
        );
    }
}

#[test]
fn an_older_token_is_stale_until_the_free_window_ends() {
    let outcome = |age| step(Some(&entry(age)), &rotation(3), NOW).0;
    assert_eq!(
        outcome(within(secs(10))),
        RotationOutcome::Stale,
        "a millisecond before the end"
    );
    assert!(
        matches!(outcome(secs(10)), RotationOutcome::Reused { .. }),
        "at the end"
    );
}

#[test]
fn an_entry_is_dead_at_its_end() {
    let last = Entry {
        dies_at: NOW.plus(MS),
        ..entry(secs(300))
    };
    assert!(
        matches!(
            step(Some(&last), &rotation(5), NOW).0,
            RotationOutcome::Rotated(_)
        ),
        "a millisecond before the end"
    );
    assert_eq!(
        step(Some(&last), &rotation(5), NOW.plus(MS)),
        (RotationOutcome::Unknown, Write::Keep),
        "at the end"
    );
}

#[test]
fn a_store_clock_that_stepped_back_keeps_windows_open() {
    let outcome = step(Some(&entry(secs(300))), &rotation(4), NOW.minus(secs(1000))).0;
    assert!(
        is_repeated(outcome, false),
        "an age below zero is zero, got {outcome:?}"
    );
}

#[test]
fn the_ids_of_a_rotation_follow_from_session_and_generation() {
    let rotation = rotation(4);
    let id = |generation| {
        TokenId::of(
            rotation.session,
            Generation::new(generation).expect("in range"),
        )
    };
    assert_eq!(
        (rotation.presented_id(), rotation.successor_id()),
        (id(4), id(5)),
        "presented and successor"
    );
    assert_ne!(
        TokenId::of(SessionId::from_random([9; 16]), rotation.presented),
        rotation.presented_id(),
        "another session's"
    );
}
