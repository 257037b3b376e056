//! `revolve-verify` from outside.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod accepts;
mod attacks;
mod authentication;
mod feed;
mod keys;
mod packed_feed;
mod roles;
mod support;
