//! The `revolve` command as an operator meets it: first start, mistakes, stopping.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};
use tempfile::TempDir;

pub(crate) fn revolve(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    command
        .current_dir(folder)
        .env_clear()
        .env("REVOLVE__HTTP__LISTEN", "127.0.0.1:0")
        .env("REVOLVE__HTTP__WORKERS", "1");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A service that runs, and the lines that it printed on its start.
pub(crate) struct ServerProcess {
    pub(crate) child: Child,
    lines: Vec<String>,
    pub(crate) url: String,
}

impl ServerProcess {
    pub(crate) fn start(command: &mut Command, lines: usize) -> Self {
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> = output.lines().take(lines).map(Result::unwrap).collect();
        if lines.is_empty() {
            let mut errors = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut errors)
                .unwrap();
            panic!("it did not start: {errors}");
        }
        let url = lines[0]
            .strip_prefix("listening on ")
            .expect("the first line names the address")
            .to_owned();
        Self { child, lines, url }
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal("TERM");
        self.child.wait().unwrap()
    }
}

/// Exit code and what was said on standard error.
pub(super) fn refused(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

pub(crate) fn sh(script: &str) -> String {
    let output = Command::new("sh").args(["-c", script]).output().unwrap();
    assert!(output.status.success(), "{script}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_first_start_makes_keys_and_prints_lines_that_can_be_pasted() {
    let folder = TempDir::new().unwrap();
    let running = ServerProcess::start(&mut revolve(folder.path()), 4);
    let [_, sign_up, refresh, look] = &running.lines[..] else {
        panic!("{:?}", running.lines)
    };
    let paste = |line: &str| line.split_once(':').unwrap().1.trim().to_owned();
    let out = sh(&format!(
        "cd '{}'; {}; {}; {}",
        folder.path().display(),
        paste(sign_up),
        paste(refresh),
        paste(look)
    ));
    assert_eq!(out.matches("\"idToken\"").count(), 2, "{out}");
    for file in ["master-key", "revolve.sqlite3"] {
        let mode = fs::metadata(folder.path().join("data").join(file))
            .unwrap()
            .permissions()
            .mode()
            & 0o777;
        assert_eq!(
            (mode, out.contains(file)),
            (0o600, true),
            "{file}: {mode:o}"
        );
    }
    assert!(running.terminate().success());

    // The same keys and data the next time.
    let again = ServerProcess::start(&mut revolve(folder.path()), 4);
    let out = sh(&paste(&again.lines[1]));
    assert!(out.contains("email_taken"), "{out}");
    again.terminate();
}

#[test]
fn the_first_start_logs_each_migration_once() {
    let folder = TempDir::new().unwrap();
    let mut running = ServerProcess::start(&mut revolve(folder.path()), 4);
    let mut stderr = running.child.stderr.take().unwrap();
    running.terminate();
    let mut log = String::new();
    stderr.read_to_string(&mut log).unwrap();
    for script in ["V1__accounts_sessions_white_list", "V15__roles"] {
        assert_eq!(log.matches(script).count(), 1, "{log}");
    }
}

#[test]
fn it_asks_itself_if_it_is_ready() {
    let folder = TempDir::new().unwrap();
    let running = ServerProcess::start(&mut revolve(folder.path()), 4);
    let listen = running.url.strip_prefix("http://").unwrap().to_owned();
    let check = || {
        revolve(folder.path())
            .arg("healthcheck")
            .env("REVOLVE__HTTP__LISTEN", &listen)
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(check(), Some(0));
    running.terminate();
    assert_eq!(check(), Some(1));
}

#[test]
fn mistakes_are_named_and_stop_the_start() {
    let folder = TempDir::new().unwrap();
    for (variables, code, words) in [
        (
            vec![("REVOLVE__SESSIONS__RETRY_WINDO", "1s")],
            2,
            "retry_windo",
        ),
        (
            vec![("REVOLVE__TOKENS__ID_LIFETIME", "soon")],
            2,
            "tokens.id_lifetime",
        ),
        (vec![("REVOLVE__PROFILE", "serverless")], 2, "profile"),
        (
            vec![("REVOLVE__SESSIONS__MAX_PER_USER", "0")],
            2,
            "sessions.max_per_user",
        ),
        (
            vec![("REVOLVE__REDIS__MODE", "sentinel")],
            2,
            "redis.sentinel.master",
        ),
        (
            vec![("REVOLVE__REDIS__CLIENT_KEY_FILE", "key.pem")],
            2,
            "redis.client_certificate_file",
        ),
        (
            vec![("REVOLVE__POSTGRES__CLIENT_KEY_FILE", "key.pem")],
            2,
            "postgres.client_certificate_file",
        ),
        (
            vec![("REVOLVE__TOKENS__ALGORITHM", "HS256")],
            2,
            "tokens.algorithm",
        ),
        (
            vec![("REVOLVE__SECRETS__MASTER_KEY", "geheim")],
            2,
            "secrets.master_key",
        ),
        (
            vec![("REVOLVE__SECRETS__MASTER_KEY_FILE", "/nowhere/at/all")],
            2,
            "secrets.master_key_file",
        ),
        (
            vec![("REVOLVE__PROFILE", "server")],
            2,
            "REVOLVE__SECRETS__MASTER_KEY",
        ),
        (
            vec![("REVOLVE__HASHING__MEMORY_BUDGET", "1MiB")],
            2,
            "hashing.memory_budget",
        ),
        (
            vec![("REVOLVE__HASHING__MEMORY_BUDGET", "much")],
            2,
            "hashing.memory_budget",
        ),
        (
            vec![("REVOLVE__HASHING__PATIENCE", "0s")],
            2,
            "hashing.patience",
        ),
        (
            vec![("REVOLVE__HASHING__MEMORY_KIB", "7")],
            2,
            "hashing.memory_kib",
        ),
        (
            vec![("REVOLVE__HTTP__LISTEN", "192.0.2.1:80")],
            1,
            "http.listen",
        ),
    ] {
        let (status, said) = refused(revolve(folder.path()).envs(variables.clone()));
        assert_eq!(status, Some(code), "{variables:?}: {said}");
        assert!(
            said.contains(words) && !said.contains("panicked"),
            "{variables:?}: {said}"
        );
        assert!(!said.contains("geheim"), "a secret is never echoed: {said}");
    }
}

#[test]
fn the_server_profile_names_the_store_that_it_cannot_reach_and_keeps_its_password() {
    let folder = TempDir::new().unwrap();
    let key = sh("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null");
    let (status, said) = refused(
        revolve(folder.path())
            .env("REVOLVE__PROFILE", "server")
            .env("REVOLVE__SECRETS__MASTER_KEY", "A".repeat(43))
            .env("REVOLVE__TOKENS__SIGNING_KEY", key)
            .env("REVOLVE__REDIS__URL", "redis://:geheim@127.0.0.1:1/")
            .env(
                "REVOLVE__POSTGRES__URL",
                "postgres://revolve:geheim@127.0.0.1:1/revolve",
            ),
    );
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("127.0.0.1:1") && said.contains("Redis") && !said.contains("geheim"),
        "{said}"
    );
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing is made up on the disk"
    );
}

#[test]
fn files_come_before_the_environment_and_the_profile_has_its_own() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("config")).unwrap();
    fs::write(
        folder.path().join("config/revolve.toml"),
        "data_dir = 'one'\n[tokens]\nissuer = 'http://common'",
    )
    .unwrap();
    fs::write(
        folder.path().join("config/embedded.toml"),
        "data_dir = 'two'",
    )
    .unwrap();
    fs::write(
        folder.path().join("config/server.toml"),
        "data_dir = 'three'",
    )
    .unwrap();
    ServerProcess::start(&mut revolve(folder.path()), 4).terminate();
    assert!(folder.path().join("two/revolve.sqlite3").is_file());
    ServerProcess::start(revolve(folder.path()).env("REVOLVE__DATA_DIR", "four"), 4).terminate();
    assert!(folder.path().join("four/revolve.sqlite3").is_file());
    let (status, said) = refused(revolve(folder.path()).args(["--config", "not-there.toml"]));
    assert!(
        status == Some(2) && said.contains("not-there.toml"),
        "{said}"
    );
}

#[test]
fn secrets_come_from_files_too() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let master = write("master", &format!("{}\n", "A".repeat(43)));
    let signing = write(
        "signing.pem",
        &sh("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null"),
    );
    let mut command = revolve(folder.path());
    command
        .env("REVOLVE__SECRETS__MASTER_KEY_FILE", &master)
        .env("REVOLVE__TOKENS__SIGNING_KEY_FILE", signing);
    ServerProcess::start(&mut command, 4).terminate();
    assert!(
        !folder.path().join("data/master-key").exists(),
        "nothing is made that was given"
    );
    let (status, said) = refused(command.env("REVOLVE__SECRETS__MASTER_KEY", "A".repeat(43)));
    assert!(status == Some(2) && said.contains("not both"), "{said}");
}

#[test]
fn no_secret_reaches_the_log_at_any_level() {
    let Some(postgres) = std::env::var_os("REVOLVE_TEST_POSTGRES_URL") else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let schema = format!("log_{}", uuid::Uuid::now_v7().simple());
    let postgres = postgres.into_string().unwrap();
    sh(&format!("psql -q '{postgres}' -c 'CREATE SCHEMA {schema}'"));
    let mut command = revolve(folder.path());
    command
        .env("REVOLVE__PROFILE", "server")
        .env("REVOLVE__LOG__LEVEL", "trace")
        .env("REVOLVE__SECRETS__MASTER_KEY", "A".repeat(43))
        .env(
            "REVOLVE__TOKENS__SIGNING_KEY",
            sh("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null"),
        )
        .env(
            "REVOLVE__REDIS__URL",
            std::env::var_os("REVOLVE_TEST_REDIS_URL").unwrap(),
        )
        .env(
            "REVOLVE__REDIS__MODE",
            std::env::var_os("REVOLVE_TEST_REDIS_MODE").unwrap_or_else(|| "standalone".into()),
        )
        .env(
            "REVOLVE__POSTGRES__URL",
            format!(
                "{postgres}{}options=-csearch_path%3D{schema}",
                if postgres.contains('?') { '&' } else { '?' }
            ),
        );
    let mut running = ServerProcess::start(&mut command, 1);
    let mut log = running.child.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    let api = format!("{}/api/account", running.url);
    let body = r#"{"email":"canary@example.org","password":"canary horse battery"}"#;
    let post = |path: &str, body: &str| {
        sh(&format!(
            "curl -sS {api}{path} -H 'content-type: application/json' -d '{body}'"
        ))
    };
    let first = post("/signup", body);
    let second = post("/signin", body);
    post("/signin", &body.replace("horse", "canary"));
    let token = first
        .split("\"refreshToken\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    post("/tokens", &format!("{{\"refreshToken\":\"{token}\"}}"));
    assert!(running.terminate().success());
    let log = log.join().unwrap();
    sh(&format!(
        "psql -q '{postgres}' -c 'DROP SCHEMA {schema} CASCADE' 2>/dev/null"
    ));
    assert!(
        log.contains("account.created") && log.contains("TRACE"),
        "the log is there, in full"
    );
    let migrated = log.matches("V1__accounts_and_sessions").count();
    assert_eq!(migrated, 1, "each migration is logged once");
    for secret in ["canary", "$argon2", "eyJ", "AAAAAAAAAAAA", "PRIVATE KEY"] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret} is in the log");
    }
    assert!(second.contains("idToken"), "{second}");
}
