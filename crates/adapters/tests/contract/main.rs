//! The contract suites of `revolve-testkit`, run against every adapter, and what each adapter promises besides.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[cfg(feature = "argon2")]
mod argon2;
#[cfg(feature = "jose")]
mod jose;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod leases;
#[cfg(feature = "legacy")]
mod legacy;
mod limits;
#[cfg(all(feature = "mail_files", feature = "smtp"))]
mod mail;
mod postgres;
mod redis;
#[cfg(all(feature = "mail_files", feature = "smtp"))]
mod smtp;
mod sqlite;
#[cfg(feature = "webhooks")]
mod webhooks;
#[cfg(feature = "zxcvbn")]
mod zxcvbn;

/// How many migrations there are for a database.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
fn migrations(database: &str) -> i64 {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(database);
    std::fs::read_dir(folder)
        .unwrap()
        .count()
        .try_into()
        .unwrap()
}
