//! Accounts and sessions' rows in Postgres: the contract, and what only a server far away makes necessary. Needs a
//! Postgres, which `cargo xtask test` starts; every test has a schema of its own there.
#![cfg(feature = "postgres")]

mod deliveries;
mod factors;
mod faults;
mod given;
mod journal;
mod pooler;
mod replica;
mod roles;
mod schema;
mod start;
mod tls;

use schema::Schema;

revolve_testkit::accounts_contract!(schema::make);
revolve_testkit::directory_contract!(schema::make);
revolve_testkit::journal_contract!(schema::make);
revolve_testkit::keys_contract!(schema::make);
revolve_testkit::api_keys_contract!(schema::make);
revolve_testkit::proofs_contract!(schema::make);
revolve_testkit::factors_contract!(schema::make);
revolve_testkit::deliveries_contract!(schema::make);
revolve_testkit::webhooks_contract!(schema::make);

/// The URL of the Postgres under test; `None` if there is none and that is allowed.
fn server() -> Option<String> {
    variable("REVOLVE_TEST_POSTGRES_URL")
}

/// What `cargo xtask test` says of a server; `None` if it says nothing and that is allowed.
fn variable(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => return Some(value),
        // Where no pooler can be installed, `cargo xtask test` says so.
        Ok(_) if name == "REVOLVE_TEST_POSTGRES_POOLER_URL" => return None,
        _ => {}
    }
    assert!(
        std::env::var("REVOLVE_TEST_ALLOW_SKIP").is_ok_and(|allowed| allowed == "1"),
        "{name} is not set: run `cargo xtask test`, which starts the stores (or set REVOLVE_TEST_ALLOW_SKIP=1 to do without)"
    );
    println!("skipped: {name} is not set");
    None
}
