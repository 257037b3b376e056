//! Accounts and sessions' rows in Postgres: the contract, and what only a server far away makes necessary. Needs a
//! Postgres, which `cargo xtask test` starts; every test has a schema of its own there.
#![cfg(feature = "postgres")]

mod faults;
mod schema;

use schema::Schema;

revolve_testkit::accounts_contract!(schema::make);
revolve_testkit::keys_contract!(schema::make);

/// The URL of the Postgres under test; `None` if there is none and that is allowed.
fn server() -> Option<String> {
    if let Some(url) = std::env::var("REVOLVE_TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty()) {
        return Some(url);
    }
    assert!(
        std::env::var("REVOLVE_TEST_ALLOW_SKIP").is_ok_and(|allowed| allowed == "1"),
        "REVOLVE_TEST_POSTGRES_URL is not set: run `cargo xtask test`, which starts a Postgres (or set REVOLVE_TEST_ALLOW_SKIP=1 to do \
         without)"
    );
    println!("skipped: REVOLVE_TEST_POSTGRES_URL is not set");
    None
}
