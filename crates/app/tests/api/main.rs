//! The API from outside: a real server on port 0, a real HTTP client, over the embedded store and over Redis and Postgres.
//! The modules follow the URLs.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod command;
mod details;
mod discovery;
mod faults;
mod keys;
mod limits;
mod me;
mod password;
mod problems;
mod redis_keys;
mod revocations;
mod sessions;
mod signin;
mod signout;
mod signup;
mod stopping;
mod support;
mod tokens;
mod well_known;
