//! Factors: `/signin/factor`, `/factors/…`, and what operators do with them.

mod always;
mod limits;
mod mail;
mod recovery_codes;
mod reset;
mod second_step;
mod totp;

use serde_json::Value;

const ANN: &str = "ann@example.org";

/// The names of the events of a page of the journal, the newest first.
fn events(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().expect("a list").iter();
    entries
        .map(|entry| entry["event"].as_str().expect("a text"))
        .collect()
}
