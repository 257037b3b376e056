//! The ceremonies of passkeys (WebAuthn Level 3), verified by `passki`. The only module that names it.
//!
//! The library verifies; what is around it is ours: the options as the service wants them, how large an answer may be, which algorithms are
//! taken, and what the library has no check or no answer for. Attestation statements are cut off before it reads anything: none is asked for, so
//! none is worth more than its absence, and no certificate of a stranger is parsed.

mod attestation;
mod ceremonies;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod models;
mod refusal;
mod response;
mod state;
#[cfg(test)]
mod tests;

pub use ceremonies::{PasskiCeremonies, RelyingParty};
