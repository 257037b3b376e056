//! What several use cases share.

mod error;
mod limits;
mod mint;
mod verify;

pub use error::{Failure, Refusal, Refused};
pub use limits::{Budget, Limited, Limits};
pub use mint::{Mint, TokenPair};

pub(crate) use limits::{Denied, Guess, Own, from_denied};
pub(crate) use verify::{verify_id, verify_refresh};
