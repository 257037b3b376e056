//! `revolve user import` through the binary, beside a service that runs on the same store.

use crate::support::{Actor, App, on_both_stores};
use revolve_adapters::{
    postgres::{PostgresAccounts, PostgresConfig},
    sqlite::SqliteStore,
    system::SystemClock,
};
use revolve_domain::{model::EmailAddress, ports::UserRepository};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    process::Command,
    sync::Arc,
    time::Duration,
};
use tokio::task::spawn_blocking;

/// Of "correct horse": bcrypt, scrypt as a PHC string and as pairs without parameters by Go and by Node, argon2i.
const BCRYPT: &str = "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
const SCRYPT: &str =
    "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M";
const PAIR: &str = "1f7e3f8177f2ebba25fc61bc2851630b64978195d094bf365e6b5cea7fd2505e.\
                    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const TEXT_SALT: &str = "3e19ebeabf15ad17c24de695284e79441c0d80c6d98b95a3c052c58a0d57b09f83b0742a5805af28a0b5bbcf673af62819b91eb830a104fb0bb42def767f52aa.\
     00112233445566778899aabbccddeeff";
const ARGON2I: &str =
    "$argon2i$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$+ZM6qIHKWUY4ZEkMSTQpzAefvkLMgPC7fLokalwJpuI";

/// What the command said.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Rows that were imported, present, refused.
    fn counts(&self) -> (u64, u64, u64) {
        let json = self.json();
        let count = |name: &str| json[name].as_u64().unwrap();
        (count("imported"), count("present"), count("refused"))
    }
}

async fn import(app: &App, rows: &str, arguments: &[&str]) -> Said {
    import_with(app, rows, arguments, "").await
}

/// With something on standard input.
async fn import_with(app: &App, rows: &str, arguments: &[&str], input: &str) -> Said {
    let folder = app.backing.folder.path();
    let (config, file) = (folder.join("import.toml"), folder.join("rows.jsonl"));
    let typed = folder.join("typed");
    fs::write(&typed, input).unwrap();
    fs::write(&config, &app.config).unwrap();
    fs::write(&file, rows).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    command
        .current_dir(folder)
        .env_clear()
        .arg("--config")
        .arg(config)
        .args(["user", "import", "--json"])
        .arg(file);
    command.args(arguments).stdin(File::open(typed).unwrap());
    // The stores are behind proxies that run on this thread.
    let output = spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    let said = Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(
        !format!("{said:?}").contains("$2y$") && !format!("{said:?}").contains("1f7e3f"),
        "no hash is ever printed: {said:?}"
    );
    said
}

fn row(name: &str, hash: &str, more: &Value) -> String {
    let mut row = json!({ "email": format!("{name}@example.org"), "passwordHash": hash });
    row.as_object_mut()
        .unwrap()
        .extend(more.as_object().cloned().unwrap_or_default());
    row.to_string()
}

async fn stored_hash(app: &App, name: &str) -> String {
    let users: Arc<dyn UserRepository> = match &app.backing.server {
        None => Arc::new(
            SqliteStore::open(
                &app.backing.folder.path().join("revolve.sqlite3"),
                Arc::new(SystemClock),
            )
            .await
            .unwrap(),
        ),
        Some(server) => {
            let url = SecretString::from(server.postgres_url.as_str());
            Arc::new(
                PostgresAccounts::connect(PostgresConfig {
                    pool_size: 1,
                    timeout: Duration::from_secs(5),
                    ..PostgresConfig::new(url)
                })
                .await
                .unwrap(),
            )
        }
    };
    let email = EmailAddress::parse(&format!("{name}@example.org")).unwrap();
    users
        .credentials_by_email(&email, &[])
        .await
        .unwrap()
        .unwrap()
        .hash
        .expose()
        .to_owned()
}

#[test]
fn an_import_may_come_before_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("rows.jsonl"),
        row("ann", BCRYPT, &Value::Null),
    )
    .unwrap();
    let import = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        command
            .current_dir(folder.path())
            .env_clear()
            .args(["user", "import", "rows.jsonl"])
            .args(arguments);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert_eq!(import(&["--dry-run"]), "", "a look makes no tables");
    assert!(!folder.path().join("data").exists());
    assert!(import(&[]).starts_with("1 rows: 1 imported, 0 present already, 0 refused, in "));
    assert!(
        import(&["--dry-run"])
            .starts_with("1 rows: 0 would be imported, 1 present already, 0 refused, in ")
    );
    assert!(import(&[]).starts_with("1 rows: 0 imported, 1 present already, 0 refused, in "));

    // Input that breaks off is no success, and what was read is counted all the same.
    fs::remove_file(folder.path().join("rows.jsonl")).unwrap();
    fs::create_dir(folder.path().join("rows.jsonl")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    let output = command
        .current_dir(folder.path())
        .env_clear()
        .args(["user", "import", "rows.jsonl"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(1) && said.contains("rows.jsonl ended early"),
        "{said}"
    );
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .starts_with("0 rows: "),
        "the sum is told"
    );
}

on_both_stores! {
    async fn an_imported_user_signs_in_with_the_old_password_and_gets_a_new_hash(app: App) {
        let details = json!({ "uid": "6f9619ff-8b86-4011-b42d-00c04fc964ff", "name": "Ann", "createdAt": "2020-01-02T03:04:05Z" });
        let rows = [
            row("ann", BCRYPT, &details),
            row("bob", SCRYPT, &Value::Null),
            row("eve", PAIR, &Value::Null),
            row("joe", ARGON2I, &Value::Null),
            row("off", BCRYPT, &json!({ "disabled": true })),
        ];
        let go = ["--format", "scrypt-hex-salt"];
        let said = import(&app, &rows.join("\n"), &go).await;
        assert_eq!((said.code, said.counts()), (Some(0), (5, 0, 0)), "{said:?}");
        for (name, hash) in [("ann", BCRYPT), ("bob", SCRYPT), ("eve", PAIR), ("joe", ARGON2I)] {
            let mut actor = app.anon();
            let email = format!("{name}@example.org");
            actor.sign_in(&email, "wrong horse").await.expect_problem(401, "invalid_credentials");
            let stored = stored_hash(&app, name).await;
            assert!(stored == hash || hash == PAIR && stored.starts_with("$scrypt$ln=15,r=8,p=1$"), "{stored}");
            actor.sign_in(&email, "correct horse").await.expect(200);
            assert!(stored_hash(&app, name).await.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{name}");
            actor.sign_in(&email, "correct horse").await.expect(200);
            actor.refresh().await.expect(200);
        }
        app.anon().sign_in("off@example.org", "correct horse").await.expect_problem(401, "invalid_credentials");
        let mut ann = app.anon();
        ann.sign_in("ann@example.org", "correct horse").await.expect(200);
        assert_eq!(Actor::claims(&ann.id_token)["sub"], details["uid"]);
        let me = ann.get("/me").await.expect(200).json();
        assert_eq!((&me["user"]["name"], &me["user"]["createdAt"]), (&details["name"], &details["createdAt"]));
        // Again: nothing changes.
        let said = import(&app, &rows.join("\n"), &go).await;
        assert_eq!(said.counts(), (0, 2, 3), "those without an id of whom nothing is as it was are other accounts for all we know: {said:?}");
        assert!(stored_hash(&app, "ann").await.starts_with("$argon2id$"));
    }

    async fn a_hash_that_does_not_say_what_it_is_is_taken_only_by_its_name(app: App) {
        let rows = [row("ann", TEXT_SALT, &Value::Null), row("bob", BCRYPT, &json!({ "name": "" }))].join("\n");
        let said = import(&app, &rows, &["--dry-run"]).await;
        assert_eq!((said.code, said.counts()), (Some(1), (1, 0, 1)), "{said:?}");
        assert_eq!(said.json()["refusals"][0]["code"], "hash_unmarked");
        assert!(said.err.contains("--format"), "{said:?}");
        let said = import(&app, &rows, &["--format", "scrypt-text-salt"]).await;
        assert_eq!((said.code, said.counts()), (Some(0), (2, 0, 0)), "{said:?}");
        for name in ["ann", "bob"] {
            let mut actor = app.anon();
            actor.sign_in(&format!("{name}@example.org"), "correct horse").await.expect(200);
        }
    }

    async fn a_probe_stops_an_import_whose_hashes_are_read_the_wrong_way(app: App) {
        let rows = [row("bob", BCRYPT, &Value::Null), row("ann", TEXT_SALT, &Value::Null)].join("\n");
        for (format, typed, words) in [
            ("scrypt-hex-salt", "correct horse\n", "does not match the hash on line 2"),
            ("scrypt-text-salt", "wrong horse\n", "does not match the hash on line 2"),
            ("scrypt-text-salt", "", "no password on standard input"),
        ] {
            let said = import_with(&app, &rows, &["--format", format, "--probe", "ann@example.org"], typed).await;
            assert!(said.code == Some(1) && said.err.contains(words) && said.out.is_empty(), "{said:?}");
            assert!(!said.err.contains("horse"), "a password is never printed: {said:?}");
        }
        let said = import_with(&app, &rows, &["--probe", "eve@example.org"], "correct horse\n").await;
        assert!(said.code == Some(1) && said.err.contains("no row of eve@example.org"), "{said:?}");
        app.anon().sign_in("bob@example.org", "correct horse").await.expect_problem(401, "invalid_credentials");
        let said = import_with(&app, &rows, &["--format", "scrypt-text-salt", "--probe", "ANN@example.org"], "correct horse\n").await;
        assert_eq!((said.code, said.counts()), (Some(0), (2, 0, 0)), "{said:?}");
        assert!(said.err.contains("matches the hash on line 2"), "{said:?}");
        app.anon().sign_in("ann@example.org", "correct horse").await.expect(200);
    }

    async fn bad_rows_are_refused_by_number_and_the_good_ones_are_kept(app: App) {
        app.sign_up("taken").await;
        let id = json!({ "uid": "6f9619ff-8b86-4011-b42d-00c04fc964ff" });
        let rows = [
            row("one", BCRYPT, &id),
            "not JSON".to_owned(),
            String::new(),
            row("two", BCRYPT, &json!({ "role": "admin" })),
            row("three", "plain text", &Value::Null),
            row("taken", BCRYPT, &Value::Null),
            row("ONE", BCRYPT, &Value::Null),
            row("four", SCRYPT, &Value::Null),
            row("five", "$argon2id$v=19$m=4294967295,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", &Value::Null),
            format!("\"{}\"", "x".repeat(70_000)),
        ];
        let rehearsed = import(&app, &rows.join("\n"), &["--dry-run"]).await;
        assert_eq!((rehearsed.code, rehearsed.counts()), (Some(1), (2, 0, 7)), "{rehearsed:?}");
        app.anon().sign_in("one@example.org", "correct horse").await.expect_problem(401, "invalid_credentials");
        let said = import(&app, &rows.join("\n"), &[]).await;
        assert_eq!((said.code, said.counts()), (Some(1), (2, 0, 7)), "{said:?}");
        let refusals = said.json()["refusals"].clone();
        let refusals: Vec<_> = refusals.as_array().unwrap().iter().map(|one| (one["line"].as_u64().unwrap(), one["code"].as_str().unwrap())).collect();
        assert_eq!(
            refusals,
            [
                (2, "malformed"),
                (4, "unknown_member"),
                (5, "hash_unsupported"),
                (6, "email_taken"),
                (7, "duplicate_email"),
                (9, "hash_too_expensive"),
                (10, "too_long"),
            ]
        );
        assert!(said.err.contains("line 4: unknown member `role`") && said.err.contains("7 rows were refused"), "{said:?}");
        app.anon().sign_in("four@example.org", "correct horse").await.expect(200);
        let mut one = app.anon();
        one.sign_in("one@example.org", "correct horse").await.expect(200);
        assert_eq!(Actor::claims(&one.id_token)["sub"], id["uid"]);
    }

    async fn roles_and_app_data_come_along_within_their_bounds(app: App) {
        let many: Vec<String> = (0..33).map(|number| format!("r{number}")).collect();
        let deep = (0..20).fold(json!(1), |inner: Value, _| json!([inner]));
        let rows = [
            row("ann", BCRYPT, &json!({ "emailVerified": true, "roles": ["admin"], "app": { "plan": "pro" } })),
            row("one", BCRYPT, &json!({ "roles": ["Admin"] })),
            row("two", BCRYPT, &json!({ "roles": many })),
            row("three", BCRYPT, &json!({ "app": { "a": "x".repeat(4096) } })),
            row("four", BCRYPT, &json!({ "app": { "a": deep } })),
        ];
        let said = import(&app, &rows.join("\n"), &[]).await;
        assert_eq!(said.counts(), (1, 0, 4), "{said:?}");
        let refusals = said.json()["refusals"].clone();
        let codes: Vec<_> = refusals.as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["invalid_role", "too_many", "too_large", "too_deep"]);
        let mut ann = app.anon();
        ann.sign_in("ann@example.org", "correct horse").await.expect(200);
        let claims = Actor::claims(&ann.id_token);
        assert_eq!((&claims["roles"], &claims["app"], &claims["email_verified"]), (&json!(["admin"]), &json!({ "plan": "pro" }), &json!(true)));
    }

    async fn an_import_goes_on_where_it_was(app: App) {
        let rows: Vec<_> = (0..1000).map(|i| row(&format!("user{i}"), BCRYPT, &Value::Null)).collect();
        assert_eq!(import(&app, &rows[..700].join("\n"), &[]).await.counts(), (700, 0, 0));
        let all = import(&app, &rows.join("\n"), &["--from-line", "651"]).await;
        assert_eq!((all.code, all.counts()), (Some(0), (300, 50, 0)), "{all:?}");
        assert_eq!(import(&app, &rows.join("\n"), &[]).await.counts(), (0, 1000, 0));
        app.anon().sign_in("user999@example.org", "correct horse").await.expect(200);
    }
}
