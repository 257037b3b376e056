//! Passkeys: signing in with one, signing up with one, and those of an account.

mod begin;
mod manage;
mod members;
mod sign_in;

pub(crate) use begin::{sign_up_options, sign_up_options_docs};
pub(crate) use manage::{
    add, add_docs, list, list_docs, options, options_docs, remove, remove_docs, rename, rename_docs,
};
pub(crate) use members::PasskeyMembers;
pub(crate) use sign_in::{sign_in, sign_in_docs, sign_in_options, sign_in_options_docs};
