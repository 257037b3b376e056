//! The service over Postgres through a pooler in transaction mode, whose sessions all processes share.

use crate::{
    command::{ServerProcess, revolve},
    support::{App, Store, with_config},
};
use futures_util::future::join_all;
use std::fs;
use tokio::task::spawn_blocking;

/// Their refreshes need more connections than the pooler of `cargo xtask test` has sessions of the server.
const USERS: usize = 8;
const ROUNDS: usize = 8;

/// A process of the service over the stores of a test.
async fn process(app: &App, name: &str) -> ServerProcess {
    let folder = app.backing.folder.path();
    let config = folder.join(format!("{name}.toml"));
    fs::write(&config, &app.config).unwrap();
    let mut command = revolve(folder);
    command.arg("--config").arg(config);
    // The stores are behind proxies that run on this thread.
    spawn_blocking(move || ServerProcess::start(&mut command, 1))
        .await
        .unwrap()
}

async fn stop(process: ServerProcess) {
    let ended = spawn_blocking(move || process.terminate()).await.unwrap();
    assert!(ended.success());
}

#[test]
fn two_processes_refresh_and_sign_out_through_the_same_sessions() {
    with_config(Store::Pooled, "", |app| async move {
        let processes = [process(&app, "one").await, process(&app, "two").await];
        let there = [0, 1].map(|number: usize| app.actor_at(&processes[number].url));
        let users = (0..USERS).map(|number| {
            let (app, there) = (&app, &there);
            async move {
                let mut ann = app.sign_up(&format!("ann{number}")).await;
                for round in 0..ROUNDS {
                    // Each refresh is another process's than the one before.
                    ann = ann.at(&there[(number + round) % 2]);
                    ann.refresh().await.expect(200);
                    ann.get("/me").await.expect(200);
                }
                ann.sign_out("this").await.expect(204);
                ann.refresh().await.expect_problem(401, "session_revoked");
            }
        });
        join_all(users).await;
        for process in processes {
            stop(process).await;
        }
    });
}

#[test]
fn the_doctor_says_that_there_is_a_pooler() {
    with_config(Store::Pooled, "", |app| async move {
        let report = app.revolve(&["doctor", "--json"]).await;
        let findings = report.json();
        let found = findings["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "postgres.pool_mode")
            .unwrap_or_else(|| panic!("{findings}"))
            .clone();
        assert_eq!(found["level"], "ok");
        assert!(
            found["says"].as_str().unwrap().contains("transaction"),
            "{found}"
        );
    });
}
