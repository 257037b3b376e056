//! `revolve doctor` and the files of an installation: it makes and changes none, and finds those that others can read or write.

use super::doctor::{examine, levels};
use crate::{
    command::{ServerProcess, revolve},
    support::{Store, with_config},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
};
use tempfile::TempDir;

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
        // The log, while it is empty, gets the mode of its database.
        let found = levels(&report, "files.private");
        assert!(
            !found.is_empty() && found.iter().all(|level| *level == "warning"),
            "{report:#}"
        );
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
