//! The address of an account: verified by a proof of its mailbox.

mod confirm_email;
mod disown_email;
mod request_verification;

pub use confirm_email::{ConfirmEmail, ConfirmEmailError, ConfirmEmailRequest};
pub use disown_email::{DisownEmail, DisownEmailError};
pub(super) use request_verification::Verification;
pub use request_verification::{RequestVerification, RequestVerificationError};
