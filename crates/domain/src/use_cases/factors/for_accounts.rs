//! What is done for many accounts, one by one.

use crate::{model::UserId, ports::StoreErrorKind, use_cases::parts::Failure};

/// What became of something that was done for many accounts. Those that failed are left as they were.
#[derive(Debug, Default)]
#[must_use = "accounts may have failed"]
pub struct ForAccounts {
    /// How often it was done.
    pub done: u64,
    /// Why it was not done, and for which account.
    pub failed: Vec<(UserId, Failure)>,
}

impl ForAccounts {
    /// Goes on without the account; unless a store can't be reached, which no account is the reason of.
    pub(super) fn fail(&mut self, user: UserId, failure: Failure) -> Result<(), Failure> {
        match failure {
            Failure::Store(error) if error.kind() == StoreErrorKind::Unavailable => {
                Err(error.into())
            }
            failure => {
                self.failed.push((user, failure));
                Ok(())
            }
        }
    }
}
