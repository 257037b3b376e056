//! Known secrets go everywhere, and then everything that somebody else could read is searched for them: the log at its most
//! talkative, metrics, traces, problem documents, the command line, and dumps of both stores.

mod forms;
mod journey;
mod oauth;
mod operator;
mod service;
mod sinks;

use crate::support::{Backing, Store, skipped_over_a_cluster};
use forms::{KnownSecrets, Sink, search};
use journey::Journey;
use revolve::config::Config;
use service::{CanaryService, fresh};
use std::{
    io::{BufRead, BufReader, Cursor, Read},
    process::{Command, Stdio},
};

fn nothing_is_told(store: Store) {
    actix_web::rt::System::new().block_on(async move {
        let Some(mut service) = CanaryService::start(store).await else {
            return;
        };
        let mut journey = Journey::begin(&service);
        journey.as_intended().await;
        journey.with_factors().await;
        journey.in_a_cookie().await;
        journey.on_pages().await;
        journey.by_an_operator().await;
        journey.by_oauth().await;
        journey.in_bodies().await;
        journey.in_heads().await;
        journey.in_pages().await;
        journey.in_noise().await;
        journey.arrive().await;
        service.stores_fail();
        journey.without_stores().await;
        service.stores_recover();
        journey.leave().await;
        let (said, stored) = service.end().await;
        // Where mails are files, the terminal shows them, with the addresses that they go to.
        let shows_mails =
            |sink: &Sink| matches!(store, Store::Embedded) && sink.name == "standard output";
        let (mails, said): (Vec<_>, Vec<_>) = said.into_iter().partition(shows_mails);

        let said_so = |sink: &str, word: &str| {
            said.iter()
                .any(|at| at.name == sink && String::from_utf8_lossy(&at.content).contains(word))
        };
        assert!(
            said_so("standard error", "TRACE") && said_so("standard error", "revolve::access"),
            "the log is there, in full"
        );
        assert!(said_so(
            "metrics as text/plain",
            "revolve_http_requests_total"
        ));
        assert!(journey.answers > 1000, "{}", journey.answers);
        assert!(stored.iter().map(|sink| sink.content.len()).sum::<usize>() > 1000);
        let mut found = search(&journey.secrets, &said);
        // Who may read an address must be able to find it in the stores; and clients hear of their own.
        let without_addresses = journey.secrets.without("e-mail");
        found.extend(search(&without_addresses, &stored));
        found.extend(search(&without_addresses, &mails));
        found.extend(search(&without_addresses, &journey.refusals));

        // Hashes are for the store alone.
        let hashes = said
            .iter()
            .filter(|sink| String::from_utf8_lossy(&sink.content).contains("$argon2"));
        found.extend(hashes.map(|sink| format!("a hash in {}", sink.name)));
        assert!(
            found.is_empty(),
            "{} secrets were told:\n{}",
            found.len(),
            found.join("\n")
        );
    });
}

#[test]
fn nothing_is_told_on_the_embedded_store() {
    nothing_is_told(Store::Embedded);
}

#[test]
fn nothing_is_told_on_redis_and_postgres() {
    if !skipped_over_a_cluster() {
        nothing_is_told(Store::Server);
    }
}

#[test]
fn the_configuration_does_not_show_its_secrets() {
    let mut secrets = KnownSecrets::default();
    let mut secret = |kind: &str| {
        let value = fresh(kind);
        secrets.add(kind, &value);
        value
    };
    let text = format!(
        "profile = 'server'\nsecrets.master_key = '{}'\ntokens.signing_key = '{}'\nredis.url = 'redis://:{}@127.0.0.1/'\n\
         postgres.url = 'postgres://revolve:{}@127.0.0.1/revolve'",
        secret("master"),
        secret("signing"),
        secret("redis"),
        secret("postgres")
    );
    let config = Config::from_toml(&text).unwrap();
    let mut sinks = vec![Sink::new("Debug", format!("{config:?} {config:#?}"))];
    // Secrets in the wrong place, and values that are none.
    for line in text.lines().skip(1) {
        let value = line.split('\'').nth(1).unwrap();
        for key in [
            "profile",
            "log.format",
            "http.listen",
            "tokens.id_lifetime",
            "hashing.passes",
            "traces.endpoint",
            "nothing.at",
        ] {
            let error = Config::from_toml(&format!("{key} = '{value}'"))
                .unwrap_err()
                .to_string();
            sinks.push(Sink::new(format!("a mistake in {key}"), error));
        }
    }
    let found = search(&secrets, &sinks);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A search that finds nothing is worth something only if it would find something.
#[test]
fn what_is_told_is_found_in_every_sink() {
    let secret = fresh("canary");
    let mut secrets = KnownSecrets::default();
    secrets.add("canary", &secret);
    let found_in = |sinks: &[Sink]| {
        let mut names: Vec<_> = search(&secrets, sinks)
            .into_iter()
            .map(|line| line.split(" in ").nth(1).unwrap().to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    };

    let script = format!("echo {secret} >&2; echo {secret}; read end");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut output, mut line) = (BufReader::new(child.stdout.take().unwrap()), String::new());
    output.read_line(&mut line).unwrap();
    let output = Cursor::new(line).chain(output);
    assert_eq!(
        found_in(&sinks::ServiceProcess::follow(child, output).end()),
        ["standard error", "standard output", "the command line"]
    );

    let folder = tempfile::tempdir().unwrap();
    let sqlite = rusqlite::Connection::open(folder.path().join("file.sqlite3")).unwrap();
    sqlite
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a TEXT)")
        .unwrap();
    sqlite
        .execute("INSERT INTO t VALUES (?1)", [&secret])
        .unwrap();
    assert_eq!(found_in(&sinks::files(folder.path())), ["file.sqlite3-wal"]);
    drop(sqlite);
    assert_eq!(found_in(&sinks::files(folder.path())), ["file.sqlite3"]);

    if skipped_over_a_cluster() {
        return;
    }
    actix_web::rt::System::new().block_on(async move {
        let Some(backing) = Backing::new(Store::Server).await else { return };
        let stores = backing.server();
        let (client, connection) = tokio_postgres::connect(stores.postgres_url.as_str(), tokio_postgres::NoTls).await.unwrap();
        actix_web::rt::spawn(connection);
        client.batch_execute("CREATE TABLE texts (a text); CREATE TABLE binaries (a bytea); CREATE TABLE others (a text)").await.unwrap();
        client.execute("INSERT INTO texts VALUES ($1)", &[&secret]).await.unwrap();
        client.execute("INSERT INTO binaries VALUES ($1)", &[&secret.as_bytes()]).await.unwrap();
        client.execute("INSERT INTO others VALUES ('another')", &[]).await.unwrap();
        let dump = sinks::postgres(stores.postgres_url.as_str(), &stores.schema).await;
        assert_eq!((dump.len(), found_in(&dump)), (3, vec!["the table binaries".to_owned(), "the table texts".to_owned()]));

        let mut url = stores.redis_url().clone();
        url.set_path("/14");
        let redis = deadpool_redis::redis::Client::open(url.as_str()).unwrap();
        let mut redis = redis.get_multiplexed_async_connection().await.unwrap();
        for (command, key) in [("SET", "text"), ("HSET", "hash")] {
            let mut insert = deadpool_redis::redis::cmd(command);
            let key = format!("{key}-{}", secret.to_uppercase());
            if command == "HSET" {
                insert.arg(&key).arg("field");
            } else {
                insert.arg(&key);
            }
            let () = insert.arg(&secret).query_async(&mut redis).await.unwrap();
            assert_eq!(found_in(&sinks::redis(url.as_str()).await), ["Redis"], "{command}");
            let () = deadpool_redis::redis::cmd("DEL").arg(&key).query_async(&mut redis).await.unwrap();
            assert_eq!(found_in(&sinks::redis(url.as_str()).await), [""; 0], "{command}");
        }
        backing.cleanup().run().await;
    });
}
