//! Mistakes, each with the very line that it gives.

use super::{folder, plain, refused};
use std::fs;

/// What is wrong, in `config/revolve.toml` or in the environment, and the line that says so.
struct WrongConfig {
    file: &'static str,
    environment: &'static [(&'static str, &'static str)],
    line: &'static str,
}

const fn file(file: &'static str, line: &'static str) -> WrongConfig {
    WrongConfig {
        file,
        environment: &[],
        line,
    }
}

const fn environment(
    environment: &'static [(&'static str, &'static str)],
    line: &'static str,
) -> WrongConfig {
    WrongConfig {
        file: "",
        environment,
        line,
    }
}

const DURATION: &str = "no duration; write numbers with their units (ms, s, m, h, days), such as \"90s\", \"15m\" or \"3days\"";

fn cases() -> Vec<WrongConfig> {
    vec![
        // Keys and sections that there are not.
        file(
            "[sessions]\nretry_windo = \"1m\"\n",
            "config/revolve.toml:2: sessions.retry_windo: unknown key; did you mean `retry_window`?",
        ),
        file(
            "\n[session]\nlifetime = \"1h\"\n",
            "config/revolve.toml:2: session: unknown section; did you mean [sessions]?",
        ),
        file(
            "[http]\nretry_window = \"1m\"\n",
            "config/revolve.toml:2: http.retry_window: unknown key; it belongs in [sessions]",
        ),
        file(
            "issuer = \"https://a.example\"\n",
            "config/revolve.toml:1: issuer: unknown key; it belongs in [tokens]",
        ),
        file(
            "[log]\ncolour = true\n",
            "config/revolve.toml:2: log.colour: unknown key; `revolve config reference` lists all",
        ),
        file(
            "data_dri = \"x\"\n",
            "config/revolve.toml:1: data_dri: unknown key; did you mean `data_dir`?",
        ),
        environment(
            &[("REVOLVE__HTTP_LISTEN", "127.0.0.1:0")],
            "REVOLVE__HTTP_LISTEN: http_listen: unknown key; did you mean REVOLVE__HTTP__LISTEN?",
        ),
        environment(
            &[("REVOLVE__SESSIONS__RETRY_WINDO", "1m")],
            "REVOLVE__SESSIONS__RETRY_WINDO: sessions.retry_windo: unknown key; did you mean REVOLVE__SESSIONS__RETRY_WINDOW?",
        ),
        environment(
            &[("REVOLVE__REDIS", "redis://:geheim@localhost")],
            "REVOLVE__REDIS: redis: this is a section; set its keys one by one, such as REVOLVE__REDIS__URL",
        ),
        file(
            "http = \"127.0.0.1:80\"\n",
            "config/revolve.toml:1: http: this is a section: write [http], and its keys below",
        ),
        // Types and their ranges.
        file(
            "data_dir = 5\n",
            "config/revolve.toml:1: data_dir: a number found, expected a text in quotes",
        ),
        file(
            "[sessions]\nlate_retries = \"3\"\n",
            "config/revolve.toml:2: sessions.late_retries: a text found, expected a whole number, 0 to 4294967295; leave out the quotes",
        ),
        file(
            "[hashing]\nmemory_kib = -1\n",
            "config/revolve.toml:2: hashing.memory_kib: expected a whole number, 0 to 4294967295",
        ),
        file(
            "[hashing]\nmemory_kib = 99999999999999999999999\n",
            "config/revolve.toml:2: hashing.memory_kib: expected a whole number, 0 to 4294967295",
        ),
        environment(
            &[("REVOLVE__HASHING__THREADS", "geheim")],
            "REVOLVE__HASHING__THREADS: hashing.threads: a text found, expected a whole number, 0 or more",
        ),
        file(
            "[http]\nlisten = \"geheim\"\n",
            "config/revolve.toml:2: http.listen: invalid socket address syntax; for example \"127.0.0.1:8080\"",
        ),
        environment(
            &[("REVOLVE__HTTP__ADMIN_LISTEN", "8090")],
            "REVOLVE__HTTP__ADMIN_LISTEN: http.admin_listen: invalid socket address syntax; for example \"127.0.0.1:8090\"",
        ),
        file(
            "[tokens]\nretired_keys_files = 5\n",
            "config/revolve.toml:2: tokens.retired_keys_files: a number found, expected a list such as [\"…\", \"…\"]",
        ),
        file(
            "[http]\ntrusted_proxies = [\"10.0.0.7\", \"a-proxy\"]\n",
            "config/revolve.toml:2: http.trusted_proxies: entry 2 is neither an address nor a network such as \"10.0.0.0/8\"",
        ),
        file(
            "[http]\nadmin_listen = \"0.0.0.0:8090\"\n",
            "config/revolve.toml:2: http.admin_listen: others reach this address and would read API keys: set http.tls, listen on a loopback \
             address, or set http.admin_insecure if nobody reads along",
        ),
        // Durations.
        file(
            "[tokens]\nid_lifetime = 900\n",
            "config/revolve.toml:2: tokens.id_lifetime: a number found, expected a duration with its unit in quotes, \
             such as \"90s\", \"15m\" or \"3days\"",
        ),
        file(
            "[tokens]\nid_lifetime = \"soon\"\n",
            "config/revolve.toml:2: tokens.id_lifetime: DURATION",
        ),
        environment(
            &[("REVOLVE__TOKENS__ID_LIFETIME", "900")],
            "REVOLVE__TOKENS__ID_LIFETIME: tokens.id_lifetime: DURATION",
        ),
        // Choices.
        environment(
            &[("REVOLVE__PROFILE", "serverless")],
            "REVOLVE__PROFILE: profile: expected \"embedded\" or \"server\"; did you mean \"server\"?",
        ),
        file(
            "[tokens]\nalgorithm = \"RS265\"\n",
            "config/revolve.toml:2: tokens.algorithm: expected \"RS256\", \"PS256\", \"ES256\", \"EdDSA\" or \"Ed25519\"; did you mean \"RS256\"?",
        ),
        file(
            "[log]\nformat = \"geheim\"\n",
            "config/revolve.toml:2: log.format: expected \"text\" or \"json\"",
        ),
        // What a type can't say.
        file(
            "[sessions]\nmax_per_user = 0\n",
            "config/revolve.toml:2: sessions.max_per_user: must be at least 1",
        ),
        file(
            "[tokens]\nid_lifetime = \"24h 1s\"\n",
            "config/revolve.toml:2: tokens.id_lifetime: must be from 1s to 24h; the revocation feed covers no more. Refresh tokens keep \
             users signed in for longer",
        ),
        file(
            "[tokens]\nkey_refresh = \"1h\"\n",
            "config/revolve.toml:2: tokens.key_margin: must be at least twice tokens.key_refresh",
        ),
        file(
            "[tokens]\nissuer = \"accounts.example.org\"\n",
            "config/revolve.toml:2: tokens.issuer: must be an http or https URL, without query and fragment, \
             such as https://accounts.example.org",
        ),
        environment(
            &[("REVOLVE__LOG__LEVEL", "info,=,")],
            "REVOLVE__LOG__LEVEL: log.level: this is no filter; write a level, or targets with levels, such as info,revolve=debug",
        ),
        // TOML.
        file(
            "[tokens]\nid_lifetime = 15m\n",
            "config/revolve.toml:2: no TOML: string values must be quoted, expected literal string",
        ),
        file(
            "[tokens\n",
            "config/revolve.toml:1: no TOML: unclosed table, expected `]`",
        ),
        file(
            "data_dir = 'a'\ndata_dir = 'b'\n",
            "config/revolve.toml:2: no TOML: duplicate key",
        ),
        // Secrets and their files.
        file(
            "[secrets]\nmaster_key = \"geheim\"\n",
            "config/revolve.toml:2: secrets.master_key: the master key must be 32 random bytes in base64url without padding (43 characters); \
             make one: openssl rand 32 | basenc --base64url | tr -d =",
        ),
        environment(
            &[("REVOLVE__SECRETS__MASTER_KEY_FILE", "/nowhere/at/all")],
            "REVOLVE__SECRETS__MASTER_KEY_FILE: secrets.master_key_file: /nowhere/at/all can't be read: No such file or directory (os error 2)",
        ),
        file(
            "[secrets]\nmaster_key = \"geheim\"\nmaster_key_file = \"geheim\"\n",
            "config/revolve.toml:3: secrets.master_key_file: give either secrets.master_key or secrets.master_key_file, not both",
        ),
        file(
            "[tokens]\nsigning_key = \"geheim\"\n",
            "config/revolve.toml:2: tokens.signing_key: it is not PEM: no line begins with -----BEGIN",
        ),
        file(
            "[tokens]\nretired_keys_files = [\"/nowhere/old.pem\"]\n",
            "config/revolve.toml:2: tokens.retired_keys_files: /nowhere/old.pem: it can't be read: No such file or directory (os error 2)",
        ),
    ]
}

#[test]
fn each_gives_one_clear_line_and_exit_code_2() {
    let cases = cases();
    assert!(cases.len() >= 20);
    for case in cases {
        let folder = folder(&[("config/revolve.toml", case.file)]);
        for arguments in [&["config", "check"][..], &["serve"], &["keys", "list"]] {
            let (code, said) =
                refused(plain(folder.path(), arguments).envs(case.environment.iter().copied()));
            let line = case.line.replace("DURATION", DURATION);
            assert_eq!(
                said,
                format!("the configuration is wrong:\n  {line}\n"),
                "{arguments:?} with {}",
                case.file
            );
            assert_eq!(code, Some(2), "{said}");
            assert!(
                !said.contains("panicked") && !said.contains("geheim"),
                "{said}"
            );
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is made"
        );
    }
}

#[test]
fn all_are_named_at_once_in_the_order_of_their_places() {
    let folder = folder(&[
        (
            "config/revolve.toml",
            "data_dir = 5\n[sessions]\nretry_windo = \"1m\"\nmax_per_user = 0\n[log]\nlevel = \n",
        ),
        (
            "config/server.toml",
            "[http]\nworkers = \"two\"\n[postgres]\nurl = \"nowhere\"\n",
        ),
    ]);
    let mut command = plain(folder.path(), &[]);
    command
        .env("REVOLVE__PROFILE", "server")
        .env("REVOLVE__TOKENS__ID_LIFETIME", "900")
        .env("REVOLVE__REDIS__URLS", "x");
    let (code, said) = refused(&mut command);
    let places: Vec<&str> = said
        .lines()
        .skip(1)
        .map(|line| line.trim().split(": ").next().unwrap())
        .collect();
    let expected = [
        "config/revolve.toml:1",
        "config/revolve.toml:3",
        "config/revolve.toml:4",
        "config/revolve.toml:6",
        "config/server.toml:2",
        "REVOLVE__REDIS__URLS",
        "REVOLVE__TOKENS__ID_LIFETIME",
    ];
    assert_eq!((code, &places[..]), (Some(2), &expected[..]), "{said}");
}

#[test]
fn the_server_profile_names_every_secret_that_it_misses_and_every_url_that_is_none() {
    let folder = folder(&[]);
    let (code, said) =
        refused(plain(folder.path(), &["config", "check"]).env("REVOLVE__PROFILE", "server"));
    let needs = |key: &str, variable: &str| {
        format!(
            "\n  REVOLVE__PROFILE: {key}: the server profile needs it; set {variable} or {variable}_FILE"
        )
    };
    for (key, variable) in [
        ("secrets.master_key", "REVOLVE__SECRETS__MASTER_KEY"),
        ("redis.url", "REVOLVE__REDIS__URL"),
        ("postgres.url", "REVOLVE__POSTGRES__URL"),
    ] {
        assert!(said.contains(&needs(key, variable)), "{said}");
    }
    assert_eq!((code, said.lines().count()), (Some(2), 4), "{said}");

    let mut command = plain(folder.path(), &["config", "check"]);
    command
        .env("REVOLVE__PROFILE", "server")
        .env("REVOLVE__SECRETS__MASTER_KEY", "A".repeat(43));
    command
        .env("REVOLVE__REDIS__URL", "http://geheim")
        .env("REVOLVE__POSTGRES__URL", "mysql://geheim@host/db");
    let (code, said) = refused(&mut command);
    for line in [
        "\n  REVOLVE__REDIS__URL: redis.url: it is not of the form redis://",
        "\n  REVOLVE__POSTGRES__URL: postgres.url: it is not of the form postgres://",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(
        code == Some(2) && !said.contains("geheim") && said.lines().count() == 3,
        "{said}"
    );
}

#[test]
fn a_configuration_for_another_profile_may_lie_about() {
    let folder = folder(&[(
        "config/revolve.toml",
        "[redis]\nurl_file = \"/nowhere\"\nconnections = 3\n",
    )]);
    let output = plain(folder.path(), &["config", "check"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let folder = folder(&[]);
    let (code, said) = refused(&mut plain(folder.path(), &["--config", "not-there.toml"]));
    assert_eq!(
        said,
        "the configuration is wrong:\n  not-there.toml: can't be read: No such file or directory (os error 2)\n"
    );
    assert_eq!(code, Some(2));
}
