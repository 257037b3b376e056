//! The address of an account, verified by a proof of its mailbox.

mod confirm;
mod disown;
mod verify;

pub(crate) use confirm::{confirm, confirm_docs};
pub(crate) use disown::{disown, disown_docs};
pub(crate) use verify::{verify, verify_docs};
