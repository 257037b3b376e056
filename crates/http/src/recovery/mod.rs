//! A forgotten password.

mod confirm;
mod request;

pub(crate) use confirm::{confirm, confirm_docs};
pub(crate) use request::{request, request_docs};
