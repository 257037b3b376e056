//! The admin API: `/api/admin` on the listener for operators.

mod accounts;
mod change;
mod create;
mod deliveries;
mod events;
mod help_desk;
mod keys;
mod listener;
mod webhooks;

use crate::support::described::admin_operations;
use reqwest::Method;
use revolve::ADMIN_BASE;
use serde_json::Value;

/// The id of nothing.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The operations that need a key: method, path, the scope that it needs.
fn guarded() -> impl Iterator<Item = (Method, String, &'static str)> {
    let below = |path: &str| path.starts_with(ADMIN_BASE);
    let operations = admin_operations().filter(move |(_, path, _)| below(path));
    operations.map(|(method, path, said)| {
        let scope = said["security"][0]["apiKey"][0].as_str().expect("a scope");
        let names = ["{uid}", "{sid}", "{id}"].iter();
        let path = names.fold(path.to_owned(), |path, name| path.replace(name, NOBODY));
        (method, path, scope)
    })
}

/// The addresses of a page.
fn emails(page: &Value) -> Vec<&str> {
    let users = page["users"].as_array().expect("a list").iter();
    users
        .map(|user| user["email"].as_str().expect("a text"))
        .collect()
}
