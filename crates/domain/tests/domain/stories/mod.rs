//! The use cases, told as stories over the memory adapters.

mod account;
mod admin;
mod api_keys;
mod bound_sessions;
mod bounds;
mod changes_of_address;
mod clocks;
mod device_credentials;
mod devices;
mod eviction;
mod export;
mod factors;
mod guessing;
mod hashing;
mod import;
mod introspection;
mod journal;
mod legacy;
mod limits;
mod minting;
mod notices;
mod operators;
mod outages;
mod password;
mod proofs;
mod proved_sign_ups;
mod races;
mod reauthentication;
mod recovery;
mod refusals;
mod repeated_requests;
mod reuse;
mod revocations;
mod revoked_tokens;
mod roles;
mod sign_in;
mod sign_in_code;
mod sign_out;
mod sign_up;
mod verification;
mod webhooks;

use revolve_domain::{
    journal::SecurityEvent,
    ports::StoreErrorKind,
    use_cases::{Failure, Refusal, Refused},
};
use std::{fmt::Debug, time::Duration};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const DAY: Duration = secs(24 * 3600);

/// After the free window, long before the end of the late one.
const LATE: Duration = secs(60);

/// Why a token was refused.
#[track_caller]
fn refusal<T: Debug>(result: Result<T, Refused>) -> Refusal {
    match result {
        Err(Refused::Token(refusal)) => refusal,
        other => panic!("expected the token to be refused, got {other:?}"),
    }
}

/// Asserts that a store was not available: 503, not 401.
#[track_caller]
fn assert_unavailable<T: Debug>(result: Result<T, Refused>) {
    match result {
        Err(Refused::Failed(failure)) => assert_passes(&failure),
        other => panic!("expected a failure of a store, got {other:?}"),
    }
}

/// Asserts that trying again later makes sense.
#[track_caller]
fn assert_passes(failure: &Failure) {
    match failure {
        Failure::Store(error) => assert_eq!(
            error.kind(),
            StoreErrorKind::Unavailable,
            "a failure that passes"
        ),
        other => panic!("expected a failure of a store, got {other:?}"),
    }
}

fn names(events: &[SecurityEvent]) -> Vec<&'static str> {
    events.iter().map(SecurityEvent::name).collect()
}
