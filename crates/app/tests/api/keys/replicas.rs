//! Several replicas over one user database agree about the keys.

use super::{FAST, keys, listed, until};
use crate::support::{Actor, App, PASSWORD, Store, on_both_stores, path, with_config};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::future::join_all;
use reqwest::Method;
use revolve::{
    Application,
    cli::keys::{KeysCommand, Use, run},
    config::Config,
};
use revolve_adapters::jose::MasterKey;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn key_set(actor: &Actor) -> Value {
    actor
        .send(actor.request(Method::GET, "/.well-known/jwks.json"))
        .await
        .expect(200)
        .json()
}

on_both_stores! {
    async fn replicas_sign_with_the_same_keys(app: App, "tokens.algorithm = 'RS256'") {
        let replica = app.replica().await;
        let (mut ann, there) = (app.sign_up("ann").await, replica.anon());
        assert_eq!(key_set(&ann).await, key_set(&there).await);
        let mut elsewhere = ann.at(&there);
        elsewhere.get("/me").await.expect(200);
        elsewhere.refresh().await.expect(200);
        assert_eq!(Actor::header(&ann.refresh_token), Actor::header(&elsewhere.refresh_token));
        ann.id_token = elsewhere.id_token.clone();
        ann.get("/me").await.expect(200);
        replica.stop().await;
    }

    async fn a_token_of_a_key_that_was_just_made_is_not_refused(app: App, "tokens.key_refresh = '1h'\ntokens.key_margin = '3h'") {
        // The first replica looks for keys once an hour, so that only the token itself can tell it.
        let mut ann = app.sign_up("ann").await;
        keys(&app, KeysCommand::Rotate { r#use: Use::Id, now: true }).await;
        keys(&app, KeysCommand::Rotate { r#use: Use::Refresh, now: true }).await;
        let replica = app.replica().await;
        let mut elsewhere = ann.at(&replica.anon());
        elsewhere.refresh().await.expect(200);
        assert_ne!(Actor::header(&ann.id_token)["kid"], Actor::header(&elsewhere.id_token)["kid"]);
        assert_ne!(Actor::header(&ann.refresh_token)["kid"], Actor::header(&elsewhere.refresh_token)["kid"]);
        let again = ann.clone();
        (ann.id_token, ann.refresh_token) = (elsewhere.id_token.clone(), elsewhere.refresh_token.clone());
        let (me, refreshed) = futures_util::join!(ann.get("/me"), ann.refresh_with(&ann.refresh_token));
        me.expect(200);
        refreshed.expect(200);
        again.get("/me").await.expect(200);
        assert!(key_set(&ann).await["keys"].as_array().unwrap().len() == 2, "it has learnt of the key");
        replica.stop().await;
    }

    async fn tokens_of_a_stolen_key_are_refused_long_before_they_expire(app: App, "tokens.key_refresh = '50ms'") {
        let mut ann = app.sign_up("ann").await;
        let (id_key, refresh_key) = (listed(&app, "id", "active").await, listed(&app, "refresh", "active").await);
        for (r#use, kid) in [(Use::Id, id_key), (Use::Refresh, refresh_key)] {
            keys(&app, KeysCommand::Rotate { r#use, now: true }).await;
            keys(&app, KeysCommand::Retire { kid: kid[0].parse().unwrap(), now: true }).await;
        }
        until("the ID token is refused", || async { ann.get("/me").await.status == 401 }).await;
        ann.get("/me").await.expect_problem(401, "token_invalid");
        ann.refresh().await.expect_problem(401, "token_invalid");
        ann.sign_in("ann@example.org", PASSWORD).await.expect(200);
        ann.get("/me").await.expect(200);
        ann.refresh().await.expect(200);
    }

    async fn replicas_that_see_a_key_due_at_once_promote_it_once(
        app: App,
        "tokens.key_set_max_age = '1s'\ntokens.key_refresh = '20ms'\ntokens.key_margin = '500ms'"
    ) {
        app.sign_up("ann").await;
        let replicas = [app.replica().await, app.replica().await];
        let before = listed(&app, "id", "active").await;
        keys(&app, KeysCommand::Generate { r#use: Use::Id, algorithm: None }).await;
        // On a busy machine it has taken over by now.
        let found = [listed(&app, "id", "next").await, listed(&app, "id", "active").await].concat();
        let next: Vec<_> = found.into_iter().filter(|kid| !before.contains(kid)).take(1).collect();
        let published = |actor: Actor, kid: String| async move { key_set(&actor).await.to_string().contains(&kid) };
        for replica in &replicas {
            until("the next key is published", || published(replica.anon(), next[0].clone())).await;
        }
        until("the next key takes over", || async { listed(&app, "id", "active").await == next }).await;
        assert_eq!(listed(&app, "id", "retired").await, before);
        for replica in replicas {
            until("each replica signs with it", || async {
                let mut ann = replica.anon();
                ann.sign_in("ann@example.org", PASSWORD).await.expect(200);
                Actor::header(&ann.id_token)["kid"] == next[0].as_str()
            }).await;
            replica.stop().await;
        }
    }
}

/// The configuration with these master keys.
fn with_master_keys(app: &App, present: &str, previous: Option<&str>) -> String {
    let rest: Vec<&str> = app
        .config
        .lines()
        .filter(|line| !line.starts_with("secrets.master_key"))
        .collect();
    let previous = previous
        .map(|key| format!("secrets.previous_master_keys = '{key}'\n"))
        .unwrap_or_default();
    format!(
        "{}\nsecrets.master_key = '{present}'\n{previous}",
        rest.join("\n")
    )
}

on_both_stores! {
    async fn the_master_key_changes_and_nobody_is_signed_out(app: App, "tokens.algorithm = 'RS256'") {
        let old = match &app.backing.server {
            Some(server) => server.master_key.expose_secret().to_owned(),
            None => std::fs::read_to_string(app.backing.folder.path().join("master-key")).unwrap(),
        };
        let new = MasterKey::encode([[7; 16]; 2]).expose_secret().to_owned();
        let mut ann = app.sign_up("ann").await;
        ann.refresh_bound().await.expect(200);

        // First every replica learns of the new key, then each changes over.
        let told = app.replica_with(&with_master_keys(&app, &old, Some(&new))).await;
        let changed_config = with_master_keys(&app, &new, Some(&old));
        let changed = app.replica_with(&changed_config).await;
        let mut bob = changed.anon();
        bob.sign_up("bob@example.org").await.expect(201);
        bob.refresh_bound().await.expect(200);
        let change = async |command| run(Config::from_toml(&changed_config).unwrap(), command).await.unwrap();
        change(KeysCommand::Rotate { r#use: Use::Id, now: true }).await;
        for person in [&mut ann, &mut bob] {
            for replica in [&told, &changed, &told] {
                *person = person.at(&replica.anon());
                person.get("/me").await.expect(200);
                person.refresh_bound().await.expect(200);
                person.get("/me").await.expect(200);
            }
        }

        // A browser has its cookie under the old key's name.
        let request = |actor: &Actor, operation: &str| {
            actor.request(Method::POST, &path(operation)).header("Sec-Fetch-Site", "same-origin")
        };
        let (here, there) = (app.anon(), changed.anon());
        let body = json!({ "email": "ann@example.org", "password": PASSWORD });
        let begun = here.send(request(&here, "/signin").json(&body)).await.expect(200);
        let (cookie, token) = (begun.header("set-cookie"), begun.json()["tokens"]["refreshToken"].clone());
        let refresh = request(&there, "/tokens").header("Cookie", cookie.split(';').next().unwrap());
        there.send(refresh.json(&json!({ "refreshToken": token }))).await.expect(200);
        there.post("/tokens", json!({ "refreshToken": token })).await.expect_problem(401, "device_mismatch");
        let again = there.send(request(&there, "/signin").json(&body)).await.expect(200);
        let name = |cookie: &str| cookie.split('=').next().unwrap().to_owned();
        assert_ne!(name(cookie), name(again.header("set-cookie")), "the new key's name");

        // The keys that were there before are sealed anew, once, while the service runs.
        let said = change(KeysCommand::Reseal).await;
        assert_eq!(said.lines().count(), 2, "{said}");
        assert!(change(KeysCommand::Reseal).await.contains("already"));
        ann.refresh_bound().await.expect(200);
        told.stop().await;

        // A sign-in on the same device gets a credential of the new key, which counts when the old one is gone.
        ann = ann.at(&changed.anon());
        ann.sign_in_again("ann@example.org").await.expect(200);
        ann.refresh_bound().await.expect(200);
        changed.stop().await;
        let last = app.replica_with(&with_master_keys(&app, &new, None)).await;
        for person in [&mut ann, &mut bob] {
            *person = person.at(&last.anon());
            person.get("/me").await.expect(200);
            person.refresh_bound().await.expect(200);
        }
        last.stop().await;
    }
}

/// The token with the name of another key in its header.
fn with_key(token: &str, kid: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    let mut header = Actor::header(token);
    header["kid"] = kid.into();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn made_up_keys_are_refused_and_cost_next_to_nothing() {
    with_config(Store::Server, FAST, |app| async move {
        let ann = app.sign_up("ann").await;
        let started = Instant::now();
        let forged = (0..200).map(|number| {
            let (ann, token) = (
                ann.clone(),
                with_key(&ann.refresh_token, &format!("made-up-{number}")),
            );
            async move {
                ann.refresh_with(&token)
                    .await
                    .expect_problem(401, "token_invalid")
            }
        });
        join_all(forged).await;
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "they share their looks"
        );
        ann.get("/me").await.expect(200);

        // A store that is away can't say whether the key is known: 503, never 401.
        app.backing.server().postgres.cut();
        let mut lost = ann.clone();
        lost.id_token = with_key(&ann.id_token, "another");
        lost.get("/me").await.expect_problem(503, "unavailable");
        app.backing.server().postgres.restore();
    });
}

#[test]
fn a_key_that_was_retired_at_once_does_not_come_back_with_a_backup() {
    with_config(
        Store::Server,
        "tokens.key_refresh = '50ms'",
        |app| async move {
            let url = app.backing.server().postgres_url.as_str();
            let (database, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                .await
                .unwrap();
            let running = tokio::spawn(connection);
            let victim = app.sign_up("ann").await;
            let backup = "CREATE TABLE backup AS TABLE signing_keys";
            database.batch_execute(backup).await.unwrap();
            let mut stolen = Vec::new();
            for (r#use, usage) in [(Use::Id, "id"), (Use::Refresh, "refresh")] {
                let kid = listed(&app, usage, "active").await.remove(0);
                keys(&app, KeysCommand::Rotate { r#use, now: true }).await;
                let retired = KeysCommand::Retire {
                    kid: kid.parse().unwrap(),
                    now: true,
                };
                assert_eq!(keys(&app, retired).await, format!("{kid} is gone\n"));
                stolen.push(kid);
            }
            let restore =
                "BEGIN; DELETE FROM signing_keys; INSERT INTO signing_keys TABLE backup; COMMIT";
            database.batch_execute(restore).await.unwrap();

            // The replica that runs, and one that starts with what was restored.
            let replica = app.replica().await;
            for mut there in [victim.clone(), victim.at(&replica.anon())] {
                until("the stolen keys are refused", || async {
                    there.get("/me").await.status == 401
                })
                .await;
                there.get("/me").await.expect_problem(401, "token_invalid");
                let refreshed = there.refresh_with(&victim.refresh_token).await;
                refreshed.expect_problem(401, "token_invalid");
                let set = key_set(&there).await.to_string();
                assert!(!set.contains(&stolen[0]), "{set}");
                there.sign_in("ann@example.org", PASSWORD).await.expect(200);
                there.get("/me").await.expect(200);
                there.refresh().await.expect(200);
            }
            for usage in ["id", "refresh"] {
                let active = listed(&app, usage, "active").await;
                assert!(
                    active.len() == 1 && !stolen.contains(&active[0]),
                    "{active:?}"
                );
            }
            replica.stop().await;
            drop(database);
            running.await.unwrap().unwrap();
        },
    );
}

#[test]
fn another_master_key_is_named_at_the_start() {
    with_config(Store::Server, "", |app| async move {
        let other = MasterKey::encode([[7; 16]; 2]);
        let config: Vec<String> = app
            .config
            .lines()
            .map(|line| {
                if line.starts_with("secrets.master_key") {
                    format!("secrets.master_key = '{}'", other.expose_secret())
                } else {
                    line.to_owned()
                }
            })
            .collect();
        let error = Application::build(Config::from_toml(&config.join("\n")).unwrap())
            .await
            .err()
            .expect("it does not start");
        let message = format!("{error:#}");
        assert!(
            message.contains("secrets.master_key") && message.contains("another master key"),
            "{message}"
        );
        assert_eq!(
            listed(&app, "id", "active").await.len(),
            1,
            "nothing was added"
        );
        app.sign_up("ann").await;
    });
}

#[test]
fn private_parts_are_not_readable_in_the_database() {
    with_config(
        Store::Embedded,
        "tokens.algorithm = 'ES256'",
        |app| async move {
            let folder = app.backing.folder.path();
            let mut stored = std::fs::read(folder.join("revolve.sqlite3")).unwrap();
            stored.extend(std::fs::read(folder.join("revolve.sqlite3-wal")).unwrap_or_default());
            let text = String::from_utf8_lossy(&stored);
            let active = listed(&app, "id", "active").await;
            assert!(text.contains(&active[0]), "the key's row is there");
            assert!(
                !text.contains("PRIVATE KEY"),
                "and its private part is sealed"
            );
        },
    );
}
