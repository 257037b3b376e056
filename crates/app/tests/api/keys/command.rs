//! `revolve keys …` through the binary.

use serde_json::Value;
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Exit code, standard output and standard error.
fn revolve(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    command
        .current_dir(folder)
        .env_clear()
        .arg("keys")
        .args(arguments)
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Makes an installation, as operators do before the first start.
fn migrate(folder: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    command.current_dir(folder).env_clear().arg("migrate");
    assert!(command.output().unwrap().status.success());
}

fn works(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = revolve(folder, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {err}");
    assert!(
        !out.contains("PRIVATE") && !out.contains("\"d\""),
        "nothing private is printed: {out}"
    );
    out
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = revolve(folder, arguments);
    assert!(
        code != Some(0) && out.is_empty() && !err.contains("panicked"),
        "{arguments:?}: {out}{err}"
    );
    err
}

/// `(use, algorithm, state)` of each key, and their names.
fn list(folder: &Path) -> (Vec<(String, String, String)>, Vec<String>) {
    let list: Value = serde_json::from_str(&works(folder, &["list", "--json"])).unwrap();
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = list.as_array().unwrap();
    (
        rows.iter()
            .map(|row| (text(row, "use"), text(row, "algorithm"), text(row, "state")))
            .collect(),
        rows.iter().map(|row| text(row, "kid")).collect(),
    )
}

fn rows(folder: &Path) -> Vec<String> {
    list(folder)
        .0
        .into_iter()
        .map(|(usage, algorithm, state)| format!("{usage} {algorithm} {state}"))
        .collect()
}

#[test]
fn a_key_is_made_takes_over_and_goes() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    assert!(
        refused(here, &["list"]).contains("revolve migrate"),
        "a look makes no tables"
    );
    migrate(here);
    assert!(works(here, &["list"]).contains("there are no keys yet"));
    let said = works(here, &["generate", "--algorithm", "ES256"]);
    assert!(
        said.starts_with("made the next ES256 key for id tokens: ")
            && said.contains("it signs from 20"),
        "{said}"
    );
    let mut all = rows(here);
    all.sort();
    assert_eq!(
        all,
        ["id ES256 next", "id RS256 active", "refresh HS256 active"]
    );
    assert!(refused(here, &["generate"]).contains("there is a next key already"));
    assert!(works(here, &["rotate"]).contains("takes over by itself at 20"));

    let said = works(here, &["rotate", "--now"]);
    assert!(
        said.contains("signs from now on\n") && said.contains("is retired and stays until 20"),
        "{said}"
    );
    let table = works(here, &["list"]);
    assert!(
        table.starts_with("KID ") && table.contains("retired") && table.contains("is gone at 20"),
        "{table}"
    );
    let (all, names) = list(here);
    let find = |state: &str| {
        names[all
            .iter()
            .position(|row| row.0 == "id" && row.2 == state)
            .unwrap()]
        .clone()
    };
    let said = refused(here, &["retire", &find("active")]);
    assert!(said.contains("is the key that signs"), "{said}");
    let said = refused(here, &["retire", &find("retired")]);
    assert!(said.contains("may be alive until"), "{said}");
    assert!(works(here, &["retire", &find("retired"), "--now"]).contains("is gone"));
    assert_eq!(
        rows(here)
            .iter()
            .filter(|row| row.starts_with("id"))
            .count(),
        1
    );
    // Names of keys are base64url, and may begin with a hyphen.
    for unknown in ["unknown", "-F4", "-_x"] {
        assert!(refused(here, &["retire", unknown]).contains(&format!("no key {unknown}")));
        assert!(
            refused(here, &["retire", unknown, "--now"]).contains(&format!("no key {unknown}"))
        );
        assert!(
            refused(here, &["retire", "--now", unknown]).contains(&format!("no key {unknown}"))
        );
    }
}

#[test]
fn refresh_secrets_rotate_in_the_same_way() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    migrate(here);
    assert!(works(here, &["rotate", "--use", "refresh"]).contains("takes over by itself"));
    assert!(works(here, &["rotate", "--use", "refresh", "--now"]).contains("signs from now on"));
    let mut all = rows(here);
    all.sort();
    assert_eq!(
        all,
        [
            "id RS256 active",
            "refresh HS256 active",
            "refresh HS256 retired"
        ]
    );
    assert!(
        refused(
            here,
            &["generate", "--use", "refresh", "--algorithm", "RS256"]
        )
        .contains("HS256")
    );
    assert!(
        refused(here, &["generate", "--algorithm", "HS256"])
            .contains("RS256, PS256, ES256, EdDSA, Ed25519")
    );
}

#[test]
fn public_keys_can_be_exported() {
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    migrate(here);
    works(here, &["rotate", "--now"]);
    let set: Value = serde_json::from_str(&works(here, &["export-public"])).unwrap();
    assert_eq!(
        set["keys"].as_array().unwrap().len(),
        2,
        "refresh secrets have no public part"
    );
    let kid = set["keys"][0]["kid"].as_str().unwrap();
    let one: Value = serde_json::from_str(&works(here, &["export-public", kid])).unwrap();
    assert_eq!(one, set["keys"][0]);
    assert!(refused(here, &["export-public", "unknown"]).contains("no public key unknown"));
}

#[test]
fn the_key_file_of_an_older_installation_moves_into_the_database() {
    use revolve_adapters::jose::{Algorithm, IdKey};
    use secrecy::ExposeSecret;
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    let pem = IdKey::generate(Algorithm::Rs256).unwrap();
    let id = IdKey::from_pem(Algorithm::Rs256, &pem)
        .unwrap()
        .id()
        .to_owned();
    fs::create_dir(here.join("data")).unwrap();
    let file = here.join("data/signing-key.rs256.pem");
    fs::write(&file, pem.expose_secret()).unwrap();
    migrate(here);
    works(here, &["generate"]);
    let (all, names) = list(here);
    let active = all
        .iter()
        .position(|row| row.0 == "id" && row.2 == "active")
        .unwrap();
    assert_eq!(names[active], id, "the key goes on signing");

    let mut child = Command::new(env!("CARGO_BIN_EXE_revolve"));
    child
        .current_dir(here)
        .env_clear()
        .env("REVOLVE__HTTP__LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = child.spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(
        &mut std::io::BufReader::new(child.stdout.take().unwrap()),
        &mut line,
    )
    .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        line.starts_with("listening on") && !file.exists(),
        "its file is gone once the service has started: {line}"
    );
}

#[test]
fn a_key_in_a_file_is_listed_and_rotated_by_its_owner() {
    use revolve_adapters::jose::{Algorithm, IdKey};
    use secrecy::ExposeSecret;
    let folder = TempDir::new().unwrap();
    let here = folder.path();
    fs::write(
        here.join("key.pem"),
        IdKey::generate(Algorithm::Es256).unwrap().expose_secret(),
    )
    .unwrap();
    fs::create_dir(here.join("config")).unwrap();
    fs::write(
        here.join("config/revolve.toml"),
        "[tokens]\nalgorithm = 'ES256'\nsigning_key_file = 'key.pem'\n",
    )
    .unwrap();
    migrate(here);
    assert!(refused(here, &["rotate"]).contains("tokens.signing_key"));
    assert!(works(here, &["list"]).contains("(from a file)"));
    assert_eq!(rows(here), ["id ES256 active", "refresh HS256 active"]);
    // Without the file the database takes over; with it again, the stored key is idle until it is retired.
    fs::rename(here.join("config"), here.join("none")).unwrap();
    works(here, &["generate"]);
    fs::rename(here.join("none"), here.join("config")).unwrap();
    assert!(rows(here).contains(&"id RS256 idle".to_owned()));
}
