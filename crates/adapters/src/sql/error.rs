//! From an adapter's failure to the port's error.

use super::Cause;
use revolve_domain::ports::StoreError;

/// A failure together with the server or file where it happened.
#[derive(Debug, thiserror::Error)]
#[error("{place}")]
pub(crate) struct Located {
    pub(crate) place: String,
    pub(crate) source: Cause,
}

/// Unavailable if the same call may succeed later without any repair, else broken.
pub(crate) fn store_error(
    store: &'static str,
    operation: &'static str,
    passes: bool,
    source: impl Into<Cause>,
) -> StoreError {
    if passes {
        StoreError::unavailable(store, operation, source)
    } else {
        StoreError::broken(store, operation, source)
    }
}
