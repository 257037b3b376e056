//! `revolve config …`, and what every command says of a wrong configuration.

mod mistakes;

use super::command::{refused, revolve, sh};
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use tempfile::TempDir;

/// A folder with a configuration.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

/// The command, with nothing in its environment.
fn plain(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = revolve(folder);
    command.env_clear().args(arguments);
    command
}

fn says(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn show_names_the_source_of_each_value_and_masks_secrets() {
    let folder = folder(&[
        (
            "config/revolve.toml",
            "data_dir = 'one'\n[sessions]\n\nlate_retries = 5\nmax_per_user = 3\n",
        ),
        ("config/embedded.toml", "[sessions]\nmax_per_user = 4\n"),
    ]);
    let key = "A".repeat(43);
    let show = |more: &[&str]| {
        let arguments: Vec<&str> = ["config", "show"].iter().chain(more).copied().collect();
        let mut command = plain(folder.path(), &arguments);
        says(
            command
                .env("REVOLVE__SECRETS__MASTER_KEY", &key)
                .env("REVOLVE__DATA_DIR", "two"),
        )
    };
    let text = show(&[]);
    let line = |key: &str| {
        text.lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_else(|| panic!("{key}: {text}"))
    };
    let parts = |key: &str| {
        line(key)
            .split_once(" # ")
            .map(|(value, source)| (value.trim().to_owned(), source.to_owned()))
            .unwrap()
    };
    let pair = |value: &str, source: &str| (value.to_owned(), source.to_owned());
    assert_eq!(
        parts("data_dir"),
        pair("data_dir = \"two\"", "REVOLVE__DATA_DIR")
    );
    assert_eq!(
        parts("max_per_user"),
        pair("max_per_user = 4", "config/embedded.toml:2")
    );
    assert_eq!(
        parts("late_retries"),
        pair("late_retries = 5", "config/revolve.toml:4")
    );
    assert_eq!(
        parts("retry_window"),
        pair("retry_window = \"10m\"", "default")
    );
    assert_eq!(
        parts("master_key"),
        pair("master_key = \"********\"", "REVOLVE__SECRETS__MASTER_KEY")
    );
    assert_eq!(line("# rotate_every"), "# rotate_every is not set");
    assert!(!text.contains("AAAA"), "{text}");

    let json: Value = serde_json::from_str(&show(&["--json"])).unwrap();
    let setting = |key: &str| {
        json.as_array()
            .unwrap()
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap()
            .clone()
    };
    let source = serde_json::json!({ "kind": "file", "file": "config/embedded.toml", "line": 2 });
    assert_eq!(
        (
            &setting("sessions.max_per_user")["value"],
            &setting("sessions.max_per_user")["source"]
        ),
        (&4.into(), &source)
    );
    assert_eq!(setting("secrets.master_key")["value"], "********");
    assert_eq!(setting("tokens.rotate_every")["value"], Value::Null);

    // What is shown, without its mask, is a configuration.
    let again = text.replace("\"********\"", &format!("\"{key}\""));
    fs::write(folder.path().join("again.toml"), again).unwrap();
    assert!(
        says(&mut plain(
            folder.path(),
            &["--config", "again.toml", "config", "check"]
        ))
        .contains("read again.toml")
    );
}

#[test]
fn check_says_which_files_it_read_and_answers_programs() {
    let folder = folder(&[("config/revolve.toml", "data_dir = 'one'\n")]);
    let said = says(&mut plain(folder.path(), &["config", "check"]));
    assert_eq!(
        said,
        "the configuration is right (read config/revolve.toml; then the environment)\n"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is made"
    );
    fs::write(
        folder.path().join("config/revolve.toml"),
        "\ndata_dri = 'one'\n",
    )
    .unwrap();
    let output = plain(folder.path(), &["config", "check", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mistake = &json["mistakes"][0];
    assert_eq!(
        (&mistake["key"], &mistake["source"]["line"]),
        (&"data_dri".into(), &2.into()),
        "{json}"
    );
}

#[test]
fn the_documents_need_no_configuration() {
    let folder = folder(&[("config/revolve.toml", "not TOML at all")]);
    let reference = says(&mut plain(folder.path(), &["config", "reference"]));
    assert!(
        reference.contains("\n[sessions]\n") && reference.contains("REVOLVE__TOKENS__ISSUER"),
        "{reference}"
    );
    let schema: Value =
        serde_json::from_str(&says(&mut plain(folder.path(), &["config", "schema"]))).unwrap();
    assert_eq!(
        schema["properties"]["sessions"]["properties"]["retry_window"]["default"],
        "10m"
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = says(&mut plain(folder.path(), &["completions", shell]));
        assert!(
            script.contains("revolve") && script.contains("healthcheck"),
            "{script}"
        );
    }
    let pages = folder.path().join("man");
    fs::create_dir(&pages).unwrap();
    says(&mut plain(folder.path(), &["man", "man"]));
    assert!(
        fs::read_to_string(pages.join("revolve.1"))
            .unwrap()
            .contains("SYNOPSIS")
    );
    assert!(pages.join("revolve-config-check.1").is_file());
    let version = says(&mut plain(folder.path(), &["--version"]));
    assert!(
        version.contains("commit:") && version.contains("rustc"),
        "{version}"
    );
}

#[test]
fn migrate_says_what_it_did_and_does_it_once() {
    let folder = TempDir::new().unwrap();
    let first = says(&mut plain(folder.path(), &["migrate"]));
    assert!(
        first.starts_with("migrated the tables in SQLite: V1__") && first.lines().count() >= 3,
        "{first}"
    );
    assert_eq!(
        says(&mut plain(folder.path(), &["migrate"])),
        "the tables in SQLite are up to date, nothing was to be done\n"
    );
    let json: Value =
        serde_json::from_str(&says(&mut plain(folder.path(), &["migrate", "--json"]))).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "store": "SQLite", "applied": [] })
    );
}

#[test]
fn migrate_brings_postgres_up_to_date() {
    let Some(postgres) = std::env::var_os("REVOLVE_TEST_POSTGRES_URL") else {
        return;
    };
    let (folder, schema) = (
        TempDir::new().unwrap(),
        format!("migrate_{}", uuid::Uuid::now_v7().simple()),
    );
    let postgres = postgres.into_string().unwrap();
    sh(&format!("psql -q '{postgres}' -c 'CREATE SCHEMA {schema}'"));
    let migrate = || {
        let mut command = plain(folder.path(), &["migrate", "--json"]);
        command
            .env("REVOLVE__PROFILE", "server")
            .env("REVOLVE__SECRETS__MASTER_KEY", "A".repeat(43));
        // The white list has no tables: it need not be there.
        command.env("REVOLVE__REDIS__URL", "redis://127.0.0.1:1/");
        command.env(
            "REVOLVE__POSTGRES__URL",
            format!("{postgres}?options=-csearch_path%3D{schema}"),
        );
        serde_json::from_str::<Value>(&says(&mut command)).unwrap()["applied"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(migrate() >= 3);
    assert_eq!(migrate(), 0);
    sh(&format!(
        "psql -q '{postgres}' -c 'DROP SCHEMA {schema} CASCADE' 2>/dev/null"
    ));
}

#[test]
fn a_wrong_argument_is_a_mistake_of_usage() {
    let folder = TempDir::new().unwrap();
    for arguments in [
        &["serv"][..],
        &["config"],
        &["config", "check", "--jsno"],
        &["migrate", "--yes"],
    ] {
        let (code, said) = refused(&mut plain(folder.path(), arguments));
        assert!(
            code == Some(2) && said.contains("Usage"),
            "{arguments:?}: {said}"
        );
    }
}
