//! The contract suites of `revolve-testkit`, run against every adapter, and what each adapter promises besides.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[cfg(feature = "argon2")]
mod argon2;
#[cfg(feature = "jose")]
mod jose;
mod postgres;
mod redis;
mod sqlite;
