//! The API from outside: a real server on port 0, a real HTTP client, over the embedded store and over Redis and Postgres.
//! The modules follow the URLs.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod activity;
mod admin;
mod canary;
#[cfg(feature = "otel")]
mod collector;
mod command;
mod config;
mod cookie_mode;
mod deliveries;
mod details;
mod devices;
mod discovery;
mod documents;
mod email;
mod erasure;
mod export;
mod exports;
mod factors;
mod faults;
mod feed_load;
mod guessing;
mod hashing;
mod import;
mod keys;
mod limits;
mod me;
mod metrics;
mod oauth;
mod operators;
mod pages;
mod passkeys;
mod password;
mod pooler;
mod problems;
mod readers;
mod reauthenticate;
mod recovery;
mod redis_keys;
mod reload;
mod revocations;
mod sessions;
mod signin;
mod signin_code;
mod signout;
mod signup;
mod starting;
mod stopping;
mod support;
mod tokens;
#[cfg(feature = "otel")]
mod traces;
mod transport;
mod verifier;
mod webhooks;
mod well_known;
