//! The contract suites of `revolve-testkit`, run against every adapter, and what each adapter promises besides.

mod argon2;
mod jose;
mod postgres;
mod redis;
mod sqlite;
