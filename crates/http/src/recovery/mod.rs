//! A forgotten password, and a change of address that is undone.

mod confirm;
mod request;

pub(crate) use confirm::{confirm, confirm_docs, confirmation, undo, undo_docs};
pub(crate) use request::{request, request_docs};
