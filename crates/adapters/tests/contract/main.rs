//! The contract suites of `revolve-testkit`, run against every adapter.

mod postgres;
mod redis;
mod sqlite;
