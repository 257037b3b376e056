//! `revolve doctor`

use crate::{
    command::{ServerProcess, revolve},
    support::{App, Store, on_both_stores, with_config, with_one_redis},
};
use deadpool_redis::redis;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The levels of a check's findings.
fn levels<'a>(report: &'a Value, check: &str) -> Vec<&'a str> {
    let findings = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["check"] == check);
    findings
        .map(|finding| finding["level"].as_str().unwrap())
        .collect()
}

/// Looks, and fails unless these checks and no others find an error. A Postgres that only tests use may do without fsync.
async fn examine(app: &App, errors: &[&str]) -> Value {
    examine_with(app, &app.config, errors).await
}

async fn examine_with(app: &App, config: &str, errors: &[&str]) -> Value {
    let said = app.revolve_on(config, &["doctor", "--json"], "").await;
    let report = said.json();
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<&str> = findings
        .iter()
        .filter(|one| one["level"] == "error")
        .map(|one| one["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        (said.code, report["ok"].as_bool()),
        (Some(i32::from(!found.is_empty())), Some(found.is_empty())),
        "{said:?}"
    );
    let counted: Vec<&str> = found
        .into_iter()
        .filter(|check| *check != "postgres.durability")
        .collect();
    assert_eq!(counted, errors, "{said:?}");
    for finding in findings {
        assert!(
            finding["level"] != "warning" || finding["advice"].is_string(),
            "a warning says what to do: {finding}"
        );
    }
    report
}

on_both_stores! {
    async fn a_service_that_runs_is_well(app: App) {
        app.sign_up("ann").await;
        let report = examine(&app, &[]).await;
        let (tables, other) = if app.backing.server.is_none() { ("sqlite.schema", "sqlite.file") } else { ("postgres.schema", "postgres.clock") };
        for check in ["configuration", "keys.sealed", "keys.rotation", "accounts.addresses", tables, other] {
            assert_eq!(levels(&report, check), ["ok"], "{check}: {report:#}");
        }
        let text = app.revolve(&["doctor"]).await.out;
        assert!(text.contains("ok       keys.sealed") && text.lines().last().unwrap().contains(" ok"), "{text}");
        if let Some(server) = &app.backing.server {
            for secret in [server.postgres_url.password(), server.redis_urls[0].password()].into_iter().flatten().filter(|secret| secret.len() > 8) {
                assert!(!text.contains(secret), "no secret is ever printed");
            }
            assert_eq!(levels(&report, "redis.permissions")[0], "ok", "{report:#}");
            for check in ["redis.clock", "redis.encryption", "postgres.encryption", "postgres.failover"] {
                assert_eq!(levels(&report, check)[0], "ok", "{check}: {report:#}");
            }
        }
    }

    async fn another_master_key_is_an_error(app: App) {
        let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let config = match &app.backing.server {
            None => format!("{}\nsecrets.master_key = '{other}'\n", app.config),
            Some(server) => {
                use secrecy::ExposeSecret;
                app.config.replace(server.master_key.expose_secret(), other)
            }
        };
        let report = examine_with(&app, &config, &["keys.sealed"]).await;
        assert!(!report.to_string().contains(other), "no secret is ever printed");
    }
}

#[test]
fn a_look_before_the_first_start_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let doctor = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        command
            .current_dir(folder.path())
            .env_clear()
            .envs(variables.iter().copied())
            .arg("doctor")
            .args(arguments);
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, out, err) = doctor(&[], &[]);
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("the first start makes it"), "{out}");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "no folder, no file, no key"
    );
    // A command made the tables; keys come with the first start.
    let migrated = Command::new(env!("CARGO_BIN_EXE_revolve"))
        .current_dir(folder.path())
        .env_clear()
        .arg("migrate")
        .status()
        .unwrap();
    let (code, out, _) = doctor(&[], &[]);
    assert!(
        migrated.success() && code == Some(0) && out.contains("there are no keys yet"),
        "{out}"
    );
    assert!(
        !folder.path().join("data/master-key").exists(),
        "no key is made"
    );
    let (code, out, err) = doctor(&["--json"], &[("REVOLVE__SESSIONS__RETRY_WINDO", "1s")]);
    assert_eq!(
        (code, err.contains("retry_windo")),
        (Some(2), true),
        "{err}"
    );
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (levels(&report, "configuration"), &report["ok"]),
        (vec!["error"], &Value::Bool(false))
    );
    let (_, out, _) = doctor(&["--json"], &[("REVOLVE__HTTP__LISTEN", "0.0.0.0:8080")]);
    assert_eq!(
        levels(&serde_json::from_str(&out).unwrap(), "http.addresses"),
        ["warning"]
    );
    let (_, out, _) = doctor(
        &["--json"],
        &[("REVOLVE__HTTP__TRUSTED_PROXIES", "10.0.0.0/8")],
    );
    assert_eq!(
        levels(&serde_json::from_str(&out).unwrap(), "http.issuer"),
        ["warning"],
        "somebody comes from elsewhere"
    );
}

/// What is in the folder, byte by byte.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |file: fs::DirEntry| {
        (
            file.file_name().into_string().unwrap(),
            fs::read(file.path()).unwrap(),
        )
    };
    fs::read_dir(folder)
        .unwrap()
        .map(|file| read(file.unwrap()))
        .collect()
}

/// Looks at what no service has open.
fn look(folder: &Path) -> Value {
    let said = revolve(folder).args(["doctor", "--json"]).output().unwrap();
    serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"))
}

#[test]
fn a_look_at_an_installation_that_rests_changes_none_of_its_files() {
    let folder = TempDir::new().unwrap();
    assert!(
        ServerProcess::start(&mut revolve(folder.path()), 4)
            .terminate()
            .success()
    );
    let data = folder.path().join("data");
    // As it is put back from a backup.
    fs::remove_file(data.join("revolve.sqlite3.lock")).unwrap();
    let before = files(&data);
    let report = look(folder.path());
    for check in [
        "sqlite.file",
        "sqlite.schema",
        "keys.sealed",
        "keys.rotation",
    ] {
        assert_eq!(levels(&report, check), ["ok"], "{check}: {report:#}");
    }
    assert_eq!(files(&data), before);

    // A file without a write-ahead log is said to be one, and stays one.
    let file = data.join("revolve.sqlite3");
    let mut bytes = before["revolve.sqlite3"].clone();
    bytes[18..20].copy_from_slice(&[1, 1]);
    fs::write(&file, &bytes).unwrap();
    let report = look(folder.path());
    assert_eq!(
        (
            levels(&report, "sqlite.file"),
            levels(&report, "keys.sealed")
        ),
        (vec!["error"], vec!["ok"]),
        "{report:#}"
    );
    assert_eq!(files(&data)["revolve.sqlite3"], bytes);

    // A log without its index can only be read by whoever makes that one.
    fs::write(&file, &before["revolve.sqlite3"]).unwrap();
    fs::write(data.join("revolve.sqlite3-wal"), "").unwrap();
    let (before, report) = (files(&data), look(folder.path()));
    assert_eq!(
        (
            levels(&report, "sqlite.file"),
            levels(&report, "keys.sealed")
        ),
        (vec!["unknown"], vec!["unknown"]),
        "{report:#}"
    );
    assert_eq!(files(&data), before);
}

/// Whoever may not enter the data folder does not know what is in it.
#[test]
fn another_user_is_told_to_be_the_services() {
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(
        revolve(folder.path())
            .arg("migrate")
            .status()
            .unwrap()
            .success()
    );
    let mut command = if rustix::process::geteuid().is_root() {
        // Nobody has no way to where tests are built, perhaps.
        let binary = folder.path().join("revolve");
        fs::copy(env!("CARGO_BIN_EXE_revolve"), &binary).unwrap();
        let mut command = Command::new(binary);
        command
            .current_dir(folder.path())
            .env_clear()
            .uid(65_534)
            .gid(65_534);
        command
    } else {
        fs::set_permissions(
            folder.path().join("data"),
            fs::Permissions::from_mode(0o000),
        )
        .unwrap();
        revolve(folder.path())
    };
    let said = command.args(["doctor", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{said:?}"));
    fs::set_permissions(
        folder.path().join("data"),
        fs::Permissions::from_mode(0o700),
    )
    .unwrap();
    for check in ["sqlite.file", "keys.sealed"] {
        assert_eq!(levels(&report, check), ["unknown"], "{check}: {report:#}");
    }
    if rustix::process::geteuid().is_root() {
        assert_eq!(
            levels(&report, "files.data_dir"),
            ["unknown"],
            "the folder is somebody else's: {report:#}"
        );
    }
    assert!(
        levels(&report, "files.private")
            .iter()
            .all(|level| *level == "unknown"),
        "{report:#}"
    );
    assert!(
        report.to_string().contains("run it as the service's user")
            && !report.to_string().contains("the first start makes"),
        "{report:#}"
    );
}

/// Another process may migrate for hours: the doctor does not wait for it.
#[test]
fn a_look_waits_for_nobody() {
    with_config(Store::Server, "", async |app| {
        let server = app.backing.server();
        let (client, connection) = tokio_postgres::connect(server.postgres_url.as_str(), NoTls)
            .await
            .unwrap();
        let driver = actix_web::rt::spawn(connection);
        let migrating = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";
        client.batch_execute(migrating).await.unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(levels(&report, "keys.sealed"), ["ok"], "{report:#}");
        client
            .batch_execute("BEGIN; LOCK TABLE signing_keys IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(
            (
                levels(&report, "postgres.schema"),
                levels(&report, "keys.sealed")
            ),
            (vec!["ok"], vec!["unknown"]),
            "{report:#}"
        );
        drop(client);
        drop(driver.await);
    });
}

#[test]
fn files_that_others_can_read_are_named() {
    with_config(Store::Embedded, "", async |app| {
        let file = app.backing.folder.path().join("revolve.sqlite3");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(app.backing.folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(
            levels(&report, "files.private"),
            ["ok"],
            "nobody else can enter the folder: {report:#}"
        );
        fs::set_permissions(app.backing.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(levels(&report, "files.private"), ["warning"], "{report:#}");
        let said = app.revolve(&["doctor"]).await.expect(0).out;
        assert!(
            said.contains(&format!("→ chmod 600 {}", file.display())),
            "{said}"
        );
        fs::remove_file(app.backing.folder.path().join("master-key")).unwrap();
        examine(&app, &["keys.sealed"]).await;
        assert!(
            !app.backing.folder.path().join("master-key").exists(),
            "no other one is made"
        );
    });
}

#[test]
fn a_data_directory_that_others_can_write_to_is_an_error_and_ends_a_start() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).unwrap();
    // What a stranger put there beforehand.
    let target = folder.path().join("target");
    std::os::unix::fs::symlink(&target, data.join("revolve.sqlite3.lock")).unwrap();
    fs::write(data.join("master-key"), "A".repeat(43)).unwrap();
    fs::set_permissions(data.join("master-key"), fs::Permissions::from_mode(0o600)).unwrap();
    let report = look(folder.path());
    assert_eq!(
        &levels(&report, "files.data_dir")[..2],
        ["error", "error"],
        "{report:#}"
    );
    for arguments in [&[][..], &["migrate"], &["keys", "list"]] {
        let said = revolve(folder.path()).args(arguments).output().unwrap();
        let error = String::from_utf8(said.stderr).unwrap();
        assert_eq!(said.status.code(), Some(1), "{arguments:?}: {error}");
        assert!(
            error.contains("mode 777") && error.contains("revolve.sqlite3.lock is a link"),
            "{arguments:?}: {error}"
        );
    }
    assert!(!target.exists() && !data.join("revolve.sqlite3").exists());
}

#[test]
fn a_store_that_is_down_is_an_error() {
    with_one_redis("", async |app| {
        app.backing.server().redis.cut();
        let report = examine(&app, &["redis.reach"]).await;
        assert_eq!(levels(&report, "postgres.reach"), ["ok"], "{report:#}");
        app.backing.server().redis.restore();
        app.backing.server().postgres.cut();
        let report = examine(&app, &["postgres.reach"]).await;
        assert_eq!(levels(&report, "redis.reach"), ["ok"], "{report:#}");
        assert_eq!(levels(&report, "keys.sealed"), ["unknown"], "{report:#}");
        app.backing.server().postgres.restore();
    });
}

/// A hosted Redis keeps CONFIG and ACL to itself; and a user may lack what scripts need.
#[test]
fn what_redis_allows_is_found_out() {
    with_one_redis("", async |app| {
        let server = app.backing.server();
        let mut link = server
            .redis_of("00000000-0000-4000-8000-000000000000")
            .await;
        let name = format!("t_{}", server.schema);
        let mut examine_as = async |rules: &[&str], errors: &[&str]| {
            let mut user = redis::cmd("ACL");
            user.arg("SETUSER")
                .arg(&name)
                .arg("reset")
                .arg("on")
                .arg(">only-for-this-test")
                .arg("~{*")
                .arg(rules);
            user.exec_async(&mut link)
                .await
                .expect("a user can be made");
            let mut url = server.redis.before(server.redis_url());
            url.set_username(&name).unwrap();
            url.set_password(Some("only-for-this-test")).unwrap();
            let config = app.config.replace(
                server.redis.before(server.redis_url()).as_str(),
                url.as_str(),
            );
            let report = examine_with(&app, &config, errors).await;
            assert!(
                !report.to_string().contains("only-for-this-test"),
                "no secret is ever printed"
            );
            report
        };
        let hosted = examine_as(&["+@all", "-config", "-acl"], &[]).await;
        assert_eq!(levels(&hosted, "redis.permissions"), ["ok"], "{hosted:#}");
        let reader = examine_as(
            &["+@read", "+@scripting", "+info", "+ping", "+time"],
            &["redis.permissions"],
        )
        .await;
        let says = reader["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "redis.permissions")
            .unwrap()["says"]
            .to_string();
        assert!(
            says.contains("DEL, HDEL, HSET, PEXPIRE, RENAME, SET"),
            "{says}"
        );
        let mute = examine_as(
            &["+@read", "+@write", "+info", "+time"],
            &["redis.permissions"],
        )
        .await;
        assert!(mute.to_string().contains("may not use EVALSHA"), "{mute:#}");
        assert_eq!(
            levels(&hosted, "redis.persistence"),
            ["unknown"],
            "how often it writes is not guessed: {hosted:#}"
        );
        let advised = examine_as(
            &[
                "+@read",
                "+@write",
                "+@scripting",
                "+info",
                "+ping",
                "+time",
                "+acl|whoami",
                "+acl|dryrun",
            ],
            &[],
        )
        .await;
        assert_eq!(
            levels(&advised, "redis.permissions"),
            ["ok"],
            "what the advice says is enough: {advised:#}"
        );
        let narrow = examine_as(&["+@all", "-rename", "-evalsha"], &["redis.permissions"]).await;
        assert_eq!(
            levels(&narrow, "redis.permissions"),
            ["error"],
            "{narrow:#}"
        );
        let says = narrow["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "redis.permissions")
            .unwrap()["says"]
            .to_string();
        assert!(says.contains("EVALSHA, RENAME"), "{says}");
        redis::cmd("ACL")
            .arg("DELUSER")
            .arg(&name)
            .exec_async(&mut link)
            .await
            .expect("it can be removed");
    });
}
