//! A mistake in how a command was called that clap can't see: the process ends with 2, as for all others.

/// What is wrong with the call.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) &'static str);
