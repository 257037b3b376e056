//! The keys that sign tokens: automatic rotation, and what operators do by hand.

mod keep_keys;
mod manage_keys;

pub use keep_keys::{KeepKeys, KeyChange, KeysFailed};
pub use manage_keys::{ManageKeys, NotDone, RetireOutcome, RotateOutcome};
