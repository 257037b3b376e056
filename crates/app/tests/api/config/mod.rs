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
fn an_empty_variable_is_an_absent_one() {
    let folder = folder(&[("config/revolve.toml", "[http]\nworkers = 3\n")]);
    let reference = says(&mut plain(folder.path(), &["config", "reference"]));
    let mut variables: Vec<&str> = reference
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("REVOLVE__"))
        .collect();
    variables.sort_unstable();
    variables.dedup();
    assert!(variables.len() > 50, "{variables:?}");
    let bare = says(&mut plain(folder.path(), &["config", "show"]));
    for empty in ["", " \t"] {
        let mut show = plain(folder.path(), &["config", "show"]);
        let text = says(show.envs(variables.iter().map(|variable| (variable, empty))));
        for variable in &variables {
            let note = format!("; {variable} is empty, as if it were absent");
            assert!(text.contains(&note), "{variable}: {text}");
        }
        let rest: Vec<&str> = text
            .lines()
            .map(|line| {
                line.split_once("; REVOLVE__")
                    .map_or(line, |(line, _)| line)
            })
            .collect();
        assert_eq!(rest, bare.lines().collect::<Vec<_>>());
    }
    let json =
        says(plain(folder.path(), &["config", "show", "--json"]).env("REVOLVE__HTTP__WORKERS", ""));
    let json: Value = serde_json::from_str(&json).unwrap();
    let workers = json
        .as_array()
        .unwrap()
        .iter()
        .find(|setting| setting["key"] == "http.workers")
        .unwrap();
    assert_eq!(
        (&workers["value"], &workers["emptyVariable"]),
        (&3.into(), &"REVOLVE__HTTP__WORKERS".into())
    );
    // A list is emptied by an empty list.
    let text =
        says(plain(folder.path(), &["config", "show"]).env("REVOLVE__HTTP__CORS_ORIGINS", "[]"));
    assert!(text.contains("cors_origins = []"), "{text}");
    // What is not a key is a mistake all the same.
    let (code, error) =
        refused(plain(folder.path(), &["config", "check"]).env("REVOLVE__HTTP__WORKER", ""));
    assert!(
        code == Some(2) && error.contains("REVOLVE__HTTP__WORKER: http.worker: unknown key"),
        "{error}"
    );
}

#[test]
fn the_variables_of_hosted_platforms_are_read_where_ours_are_absent() {
    let folder = folder(&[("config/revolve.toml", "profile = 'server'\n")]);
    let key = "A".repeat(43);
    let show = |variables: &[(&str, &str)]| {
        let mut command = plain(folder.path(), &["config", "show"]);
        command.env("REVOLVE__SECRETS__MASTER_KEY", &key);
        says(command.envs(variables.iter().copied()))
    };
    let platform = [
        ("DATABASE_URL", "postgres://ann:pw@localhost/db"),
        ("REDIS_URL", "redis://localhost:6379"),
        ("PORT", "5000"),
    ];
    let lines = |text: &str, start: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.starts_with(start))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let text = show(&platform);
    assert_eq!(
        lines(&text, "url = "),
        [
            "url = \"********\" # REDIS_URL",
            "url = \"********\" # DATABASE_URL"
        ]
    );
    assert_eq!(
        lines(&text, "listen = "),
        ["listen = \"0.0.0.0:5000\" # PORT"]
    );

    let url = "postgres://ours@localhost/db";
    let mut both = platform.to_vec();
    both.extend([
        ("REVOLVE__POSTGRES__URL", url),
        ("REVOLVE__REDIS__URL", ""),
        ("REVOLVE__HTTP__LISTEN", "127.0.0.1:1"),
    ]);
    let text = show(&both);
    assert!(text.contains("# REVOLVE__POSTGRES__URL") && !text.contains("DATABASE_URL"));
    assert!(
        text.contains("# REDIS_URL"),
        "an empty variable is an absent one: {text}"
    );
    assert!(text.contains("# REVOLVE__HTTP__LISTEN") && !text.contains("# PORT"));

    // A file has the last word about a store, and says for whom the port is.
    fs::write(folder.path().join("url"), url).unwrap();
    fs::write(
        folder.path().join("config/server.toml"),
        "[postgres]\nurl_file = 'url'\n[http]\nlisten = '[::1]:8080'\n",
    )
    .unwrap();
    let text = show(&platform);
    assert!(!text.contains("DATABASE_URL"), "{text}");
    assert_eq!(
        lines(&text, "listen = "),
        ["listen = \"[::1]:5000\" # PORT"]
    );

    let (code, error) = refused(
        plain(folder.path(), &["config", "check"])
            .env("REVOLVE__SECRETS__MASTER_KEY", &key)
            .env("PORT", "http")
            .env("REDIS_URL", "redis://:geheim@localhost?db=3"),
    );
    assert_eq!(code, Some(2), "{error}");
    for line in [
        "PORT: http.listen: no port",
        "REDIS_URL: redis.url: its parameter db is not known here",
    ] {
        assert!(error.contains(line), "{line}: {error}");
    }
    assert!(!error.contains("geheim"), "{error}");
}

#[test]
fn a_list_of_one_is_a_text_in_files_as_in_variables() {
    for value in ["'10.0.0.7'", "'10.0.0.7, 10.1.0.0/16'", "['10.0.0.7']"] {
        let text = format!("[http]\ntrusted_proxies = {value}\n");
        let folder = folder(&[("config/revolve.toml", text.as_str())]);
        let shown = says(&mut plain(folder.path(), &["config", "show"]));
        assert!(
            shown.contains("trusted_proxies = [\"10.0.0.7\""),
            "{value}: {shown}"
        );
    }
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
