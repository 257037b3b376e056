//! SIGHUP: what changes without a restart, what does not, and what a wrong configuration changes.

use super::command::{ServerProcess, revolve, sh};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Command,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};
use tempfile::TempDir;

/// What a running service logs.
struct LogLines(Receiver<String>);

impl LogLines {
    fn of(running: &mut ServerProcess) -> Self {
        let (sender, receiver) = channel();
        let lines = BufReader::new(running.child.stderr.take().unwrap()).lines();
        std::thread::spawn(move || {
            lines
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        Self(receiver)
    }

    /// The lines up to the one with these words.
    #[track_caller]
    fn until(&self, words: &str) -> Vec<String> {
        let mut lines = Vec::new();
        while !lines
            .last()
            .is_some_and(|line: &String| line.contains(words))
        {
            match self.0.recv_timeout(Duration::from_secs(30)) {
                Ok(line) => lines.push(line),
                Err(error) => panic!("{error}: {words} is not in {lines:#?}"),
            }
        }
        lines
    }
}

fn hang_up(running: &ServerProcess) {
    assert!(
        Command::new("kill")
            .args(["-HUP", &running.child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn write(folder: &Path, more: &str) {
    let keys = "[tokens]\nalgorithm = 'ES256'\nkey_refresh = '1h'\nkey_margin = '2h'\n";
    fs::write(
        folder.join("revolve.toml"),
        format!("http.workers = 1\n{more}\n{keys}"),
    )
    .unwrap();
}

fn service(folder: &Path) -> Command {
    let mut command = revolve(folder);
    command
        .env_remove("REVOLVE__HTTP__WORKERS")
        .args(["--config", "revolve.toml"]);
    command
}

#[test]
fn what_can_be_changed_is_and_the_rest_waits_for_a_restart() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "log.level = 'warn'");
    let mut running = ServerProcess::start(&mut service(folder.path()), 4);
    let log = LogLines::of(&mut running);
    let keys = || sh(&format!("curl -sS {}/.well-known/jwks.json", running.url));
    assert_eq!(keys().matches("\"kid\"").count(), 1);

    // A key that somebody made elsewhere is there at once, not in an hour.
    let made = service(folder.path())
        .args(["keys", "generate", "--algorithm", "EdDSA"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    write(folder.path(), "log.level = 'debug'\nhttp.max_watchers = 7");
    hang_up(&running);
    let lines = log.until("reloaded the configuration");
    assert_eq!(keys().matches("\"kid\"").count(), 2);
    let line = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        (line("key=\"log.level\""), line("key=\"http.max_watchers\"")),
        (1, 1),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("needs a restart") && line.contains("http.max_watchers")),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("DEBUG")),
        "the new level counts: {lines:#?}"
    );

    // What needs a restart still does, and what was reloaded is not told again.
    hang_up(&running);
    let lines = log.until("reloaded the configuration");
    assert!(
        lines.iter().any(|line| line.contains("needs a restart")),
        "{lines:#?}"
    );
    assert!(
        !lines.iter().any(|line| line.contains("key=\"log.level\"")),
        "{lines:#?}"
    );
    assert!(running.terminate().success());
}

#[test]
fn a_wrong_configuration_changes_nothing() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), "log.level = 'info'");
    let mut running = ServerProcess::start(&mut service(folder.path()), 4);
    let log = LogLines::of(&mut running);
    write(
        folder.path(),
        "log.level = 'trace'\nhttp.max_watcher = 7\nhttp.workers = 0",
    );
    hang_up(&running);
    let lines = log.until("the old one stays");
    assert!(
        lines
            .iter()
            .any(|line| line.contains("revolve.toml:3: http.max_watcher: unknown key")),
        "{lines:#?}"
    );
    let alive = sh(&format!(
        "curl -sS -o /dev/null -w '%{{http_code}}' {}/health/ready",
        running.url
    ));
    assert_eq!(alive, "200");
    fs::remove_file(folder.path().join("revolve.toml")).unwrap();
    hang_up(&running);
    log.until("the old one stays");
    let server = "log.level = 'trace'\nprofile = 'server'\nredis.url = 'redis://localhost/'\npostgres.url = 'postgres://localhost/'\n\
        secrets.master_key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'\ntokens.issuer = 'https://example.org'\n";
    fs::write(folder.path().join("revolve.toml"), server).unwrap();
    hang_up(&running);
    let lines = log.until("the old one stays");
    assert!(
        lines.iter().any(|line| line.contains("another profile")),
        "{lines:#?}"
    );

    // The right one afterwards is taken, and the level was the old one all the time.
    write(folder.path(), "log.level = 'info,revolve=info'");
    hang_up(&running);
    let lines = log.until("reloaded the configuration");
    assert!(
        lines
            .iter()
            .all(|line| !line.contains("TRACE") && !line.contains("DEBUG")),
        "{lines:#?}"
    );
    assert!(running.terminate().success());
}
