//! Random histories of one user's sessions: after every step the white list under test must have answered and kept
//! exactly what the pure [`step`](revolve_domain::rotation::step) does. The store loses writes now and then; between two losses no
//! generation of a session may have two tokens that were accepted.
//!
//! Time moves in units of 30 s, and every window and life ends 25 s into a unit: the real time that passes in a store
//! between two calls can't move an age across an edge. A failing history is shrunk before it is shown.

mod history;
mod model;
mod play;

use super::HistorySubject;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use std::{cell::RefCell, collections::BTreeMap};

/// How many histories to play: `REVOLVE_TEST_HISTORIES`, or 200.
///
/// # Panics
/// If the variable is set to something that is not a number.
pub fn cases_from_env() -> u32 {
    std::env::var("REVOLVE_TEST_HISTORIES").map_or(200, |text| {
        text.parse()
            .expect("REVOLVE_TEST_HISTORIES should be a number")
    })
}

/// Plays this many random histories, on a runtime of its own, against one subject: each has fresh user and session ids. Answers
/// how often each outcome was seen, so that a caller can check the coverage.
///
/// # Panics
/// With the shortest history found in which subject and state machine differ.
pub fn run_histories<F, S>(cases: u32, make: impl Fn() -> F) -> BTreeMap<&'static str, u64>
where
    F: Future<Output = S>,
    S: HistorySubject,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let subject = runtime.block_on(make());
    let seen = RefCell::new(BTreeMap::new());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4096,
        ..Config::default()
    };
    let played = TestRunner::new(config).run(&history::history(), |history| {
        runtime
            .block_on(play::play(&subject, &history, &seen))
            .map_err(TestCaseError::fail)
    });
    if let Err(error) = played {
        panic!("the white list differs from the state machine: {error}");
    }
    // The subject may want to shut down within its runtime.
    runtime.block_on(async { drop(subject) });
    seen.into_inner()
}
