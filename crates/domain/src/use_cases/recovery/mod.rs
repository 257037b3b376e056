//! A forgotten password: asked for, and set anew by a proof of the mailbox.

mod recover;
mod request_recovery;

pub use recover::{Recover, RecoverError, RecoverRequest};
pub use request_recovery::{RecoveryRequest, RequestRecovery, RequestRecoveryError};
