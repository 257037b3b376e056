//! `revolve user export`, and `import` of what it wrote.

use crate::support::{App, PASSWORD, Store, on_both_stores, with_config};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokio::{task::spawn_blocking, time::sleep};
use tokio_postgres::NoTls;

/// The rows by address.
fn rows(text: &str) -> BTreeMap<String, Value> {
    let row = |line: &str| serde_json::from_str::<Value>(line).unwrap();
    text.lines()
        .map(row)
        .map(|row| (row["email"].as_str().unwrap().to_owned(), row))
        .collect()
}

on_both_stores! {
    async fn what_is_exported_can_be_imported(app: App) {
        let ann = app.sign_up("ann").await;
        let details = json!({ "name": "Änn \"O'Neil\"", "website": "https://example.org/a?b=%27", "imageUrl": "https://example.org/a.png" });
        ann.put("/details", details).await.expect(200);
        app.sign_up("bob").await;
        app.revolve(&["user", "disable", "bob@example.org", "--yes"]).await.expect(0);
        let set = ["user", "set", "ann@example.org", "--verified", "true", "--role", "editor", "--app", r#"{ "plan": "pro" }"#];
        app.revolve(&set).await.expect(0);
        let said = app.revolve(&["user", "export", "accounts.jsonl", "--json"]).await.expect(0);
        assert_eq!(said.json()["accounts"], 2);
        let file = app.backing.folder.path().join("accounts.jsonl");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).unwrap();
        let before = rows(&text);
        assert_eq!(before["bob@example.org"]["disabled"], true);
        let ann = &before["ann@example.org"];
        let shown = (&ann["emailVerified"], &ann["roles"], &ann["app"]);
        assert_eq!(shown, (&json!(true), &json!(["editor"]), &json!({ "plan": "pro" })));
        assert!(before["ann@example.org"]["passwordHash"].as_str().unwrap().starts_with("$argon2id$"));
        assert!(!format!("{said:?}").contains("$argon2id$"), "hashes go to the file only");
        let again = app.revolve(&["user", "export", "accounts.jsonl"]).await.expect(1);
        assert!(again.err.contains("is there already"), "{again:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text, "it is as it was");
        let drafts = fs::read_dir(app.backing.folder.path()).unwrap();
        assert!(drafts.into_iter().all(|file| !file.unwrap().file_name().to_string_lossy().starts_with(".export")), "no draft stays");

        for user in before.keys() {
            app.revolve(&["user", "delete", user, "--yes"]).await.expect(0);
        }
        assert_eq!(app.revolve(&["user", "export", "-"]).await.expect(0).out, "");
        let imported = app.revolve(&["user", "import", "accounts.jsonl", "--json"]).await.expect(0).json();
        assert_eq!(imported["imported"], 2);
        let after = app.revolve(&["user", "export", "-"]).await.expect(0);
        assert_eq!(rows(&after.out), before, "ids, addresses, hashes, details and times");
        app.sign_in("ann").await.refresh().await.expect(200);
        app.anon().sign_in("bob@example.org", PASSWORD).await.expect_problem(401, "invalid_credentials");
    }
}

fn drafts(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|file| {
            file.as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with(".export")
        })
        .count()
}

/// Hashes are not left lying about.
#[test]
fn an_export_that_is_told_to_stop_leaves_nothing_behind() {
    with_config(Store::Server, "postgres.timeout = '10s'", async |app| {
        let (client, connection) =
            tokio_postgres::connect(app.backing.server().postgres_url.as_str(), NoTls)
                .await
                .unwrap();
        let driver = actix_web::rt::spawn(connection);
        // So it has its file, and waits.
        client
            .batch_execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let folder = app.backing.folder.path();
        fs::write(folder.join("command.toml"), &app.config).unwrap();
        for signal in ["TERM", "INT", "HUP"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
            command.current_dir(folder).env_clear().args([
                "--config",
                "command.toml",
                "user",
                "export",
                "accounts.jsonl",
            ]);
            let child = command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let begun = Instant::now();
            while drafts(folder) == 0 {
                assert!(
                    begun.elapsed() < Duration::from_mins(1),
                    "it makes its file"
                );
                sleep(Duration::from_millis(10)).await;
            }
            assert!(
                Command::new("kill")
                    .args([&format!("-{signal}"), &child.id().to_string()])
                    .status()
                    .unwrap()
                    .success()
            );
            let said = spawn_blocking(|| child.wait_with_output())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(said.status.code(), Some(1), "{signal}: {said:?}");
            assert!(
                String::from_utf8_lossy(&said.stderr).contains("nothing was exported"),
                "{said:?}"
            );
            assert_eq!(
                (drafts(folder), folder.join("accounts.jsonl").exists()),
                (0, false),
                "{signal}"
            );
        }
        drop(client);
        drop(driver.await);
    });
}
