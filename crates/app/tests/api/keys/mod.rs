//! Keys that come and go while people use the service: the `revolve keys` command, replicas, rotation under load.

mod command;
mod load;
mod replicas;

use crate::support::App;
use revolve::{
    cli::keys::{KeysCommand, run},
    config::Config,
};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Keys that live for seconds.
const FAST: &str =
    "tokens.key_set_max_age = '1s'\ntokens.key_refresh = '100ms'\ntokens.key_margin = '500ms'\n";

/// What `revolve keys …` answers on the service's stores.
async fn keys(app: &App, command: KeysCommand) -> String {
    let config = Config::from_toml(&app.config).expect("the test's configuration is right");
    run(config, command).await.expect("the command works")
}

/// The keys of a use in a state.
async fn listed(app: &App, usage: &str, state: &str) -> Vec<String> {
    let list: Value =
        serde_json::from_str(&keys(app, KeysCommand::List { json: true }).await).expect("JSON");
    let rows = list.as_array().expect("a list").iter();
    let rows = rows.filter(|row| row["use"] == usage && row["state"] == state);
    rows.map(|row| row["kid"].as_str().expect("a name").to_owned())
        .collect()
}

/// Asks again until the answer is right.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let started = Instant::now();
    while !holds().await {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
