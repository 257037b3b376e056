//! Refreshing, seeing one's sessions, and ending them.

mod list;
mod refresh;
mod sign_out;

pub(crate) use list::{end, end_docs, list, list_docs};
pub(crate) use refresh::{RENAMED_COOKIE, refresh, refresh_docs, trade};
pub(crate) use sign_out::{parse as scope_of, sign_out, sign_out_docs};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use {refresh::parse as refresh_token_of, sign_out::SCOPES};
