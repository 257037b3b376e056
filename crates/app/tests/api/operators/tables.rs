//! What commands do with the tables of another release: those that only look leave them alone, the others say what they changed.

use crate::support::{Store, with_config};
use std::{fs, process::Command};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The service is one release behind this program, as far as its tables say.
#[test]
fn a_command_that_looks_leaves_older_tables_alone() {
    with_config(Store::Server, "", async |app| {
        app.sign_up("ann").await;
        let (client, connection) =
            tokio_postgres::connect(app.backing.server().postgres_url.as_str(), NoTls)
                .await
                .unwrap();
        let driver = actix_web::rt::spawn(connection);
        let version = async || -> i64 {
            client
                .query_one(
                    "SELECT max(version)::bigint FROM refinery_schema_history",
                    &[],
                )
                .await
                .unwrap()
                .get(0)
        };
        let latest = version().await;
        fs::write(app.backing.folder.path().join("rows.jsonl"), "").unwrap();
        let looks: [&[&str]; 8] = [
            &["user", "list"],
            &["user", "show", "ann@example.org"],
            &["user", "export", "accounts.jsonl"],
            &["user", "export", "-"],
            &["user", "import", "--dry-run", "rows.jsonl"],
            &["sessions", "list", "ann@example.org"],
            &["keys", "list"],
            &["keys", "export-public"],
        ];
        for arguments in looks {
            if !arguments.contains(&"accounts.jsonl") {
                app.revolve(arguments).await.expect(0);
            }
        }
        let older = format!("DELETE FROM refinery_schema_history WHERE version = {latest}");
        let newer = format!(
            "UPDATE refinery_schema_history SET version = {} WHERE version = {}",
            latest + 1,
            latest - 1
        );
        for (rewritten, found, advice) in [
            (older, latest - 1, "revolve migrate"),
            (newer, latest + 1, "a newer release"),
        ] {
            client.batch_execute(&rewritten).await.unwrap();
            for arguments in looks {
                let said = app.revolve(arguments).await.expect(1);
                assert!(
                    said.err.contains(&format!("of version {found}, "))
                        && said.err.contains(advice),
                    "{arguments:?}: {said:?}"
                );
                assert_eq!(
                    (said.out.as_str(), version().await),
                    ("", found),
                    "{arguments:?}"
                );
            }
        }
        assert!(!app.backing.folder.path().join("accounts.jsonl").exists());
        drop(client);
        drop(driver.await);
    });
}

#[test]
fn only_new_accounts_make_an_installation_and_say_where() {
    let folder = TempDir::new().unwrap();
    let revolve = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        let said = command
            .current_dir(folder.path())
            .env_clear()
            .args(arguments)
            .output()
            .unwrap();
        (said.status.code(), String::from_utf8(said.stderr).unwrap())
    };
    let id = "00000000-0000-4000-8000-000000000000";
    let file = folder
        .path()
        .canonicalize()
        .unwrap()
        .join("data/revolve.sqlite3");
    for arguments in [
        &["user", "list"][..],
        &["user", "export", "accounts.jsonl"],
        &["user", "invite", "ann@example.org"],
        &["user", "disable", "ann@example.org"],
        &["user", "set", "ann@example.org", "--name", "Ann"],
        &["user", "recovery-link", "ann@example.org"],
        &["sessions", "list", "ann@example.org"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["deliveries", "retry", "--given-up"],
        &[
            "api-keys",
            "create",
            "--name",
            "a program",
            "--scopes",
            "users:read",
        ],
        &["api-keys", "revoke", id],
        &[
            "webhooks",
            "create",
            "--name",
            "crm",
            "--url",
            "https://crm.example.org/",
        ],
        &["webhooks", "delete", id],
    ] {
        let (code, err) = revolve(arguments);
        assert!(
            code == Some(1)
                && err.contains(&format!("there is no {}", file.display()))
                && err.contains("revolve migrate"),
            "{arguments:?}: {err}"
        );
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "no folder, no file, no key"
    );
    let (code, err) = revolve(&["user", "add", "ann@example.org", "--generate"]);
    assert_eq!(code, Some(0), "{err}");
    let made = format!(
        "made a new installation in {}\n",
        file.parent().unwrap().display()
    );
    assert!(
        err.contains(&made) && !err.contains("migrated the tables"),
        "{err}"
    );
    let (code, err) = revolve(&["user", "list"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
}
