//! The outcomes of a rotation, as the metrics name them.

use revolve_domain::{ports::StoreError, rotation::RotationOutcome};

/// Every outcome.
pub(super) const OUTCOMES: [&str; 9] = [
    "rotated",
    "healed",
    "repeated_free",
    "repeated_late",
    "stale",
    "unknown",
    "reused",
    "device_mismatch",
    FAILED,
];

/// The store did not answer.
const FAILED: &str = "failed";

pub(super) const fn name(result: &Result<RotationOutcome, StoreError>) -> &'static str {
    match result {
        Ok(RotationOutcome::Rotated(_)) => "rotated",
        Ok(RotationOutcome::Healed { .. }) => "healed",
        Ok(RotationOutcome::Repeated { late: false, .. }) => "repeated_free",
        Ok(RotationOutcome::Repeated { late: true, .. }) => "repeated_late",
        Ok(RotationOutcome::Stale) => "stale",
        Ok(RotationOutcome::Unknown) => "unknown",
        Ok(RotationOutcome::Reused { .. }) => "reused",
        Ok(RotationOutcome::DeviceMismatch) => "device_mismatch",
        Err(_) => FAILED,
    }
}
