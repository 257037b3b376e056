//! `revolve doctor`

use crate::support::{App, Store, on_both_stores, with_config, with_one_redis};
use deadpool_redis::redis;
use serde_json::Value;
use tokio_postgres::NoTls;

/// The levels of a check's findings.
pub(crate) fn levels<'a>(report: &'a Value, check: &str) -> Vec<&'a str> {
    let findings = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["check"] == check);
    findings
        .map(|finding| finding["level"].as_str().unwrap())
        .collect()
}

/// Looks, and fails unless these checks and no others find an error. A Postgres that only tests use may do without fsync.
pub(super) async fn examine(app: &App, errors: &[&str]) -> Value {
    examine_with(app, &app.config, errors).await
}

async fn examine_with(app: &App, config: &str, errors: &[&str]) -> Value {
    let said = app.revolve_on(config, &["doctor", "--json"], "").await;
    let report = said.json();
    let findings = report["findings"].as_array().unwrap();
    let found: Vec<&str> = findings
        .iter()
        .filter(|one| one["level"] == "error")
        .map(|one| one["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        (said.code, report["ok"].as_bool()),
        (Some(i32::from(!found.is_empty())), Some(found.is_empty())),
        "{said:?}"
    );
    let counted: Vec<&str> = found
        .into_iter()
        .filter(|check| *check != "postgres.durability")
        .collect();
    assert_eq!(counted, errors, "{said:?}");
    for finding in findings {
        assert!(
            finding["level"] != "warning" || finding["advice"].is_string(),
            "a warning says what to do: {finding}"
        );
    }
    report
}

on_both_stores! {
    async fn a_service_that_runs_is_well(app: App) {
        app.sign_up("ann").await;
        let report = examine(&app, &[]).await;
        let (tables, other) = if app.backing.server.is_none() { ("sqlite.schema", "sqlite.file") } else { ("postgres.schema", "postgres.clock") };
        for check in ["configuration", "keys.sealed", "keys.rotation", "accounts.addresses", tables, other] {
            assert_eq!(levels(&report, check), ["ok"], "{check}: {report:#}");
        }
        let text = app.revolve(&["doctor"]).await.out;
        assert!(text.contains("ok       keys.sealed") && text.lines().last().unwrap().contains(" ok"), "{text}");
        if let Some(server) = &app.backing.server {
            for secret in [server.postgres_url.password(), server.redis_urls[0].password()].into_iter().flatten().filter(|secret| secret.len() > 8) {
                assert!(!text.contains(secret), "no secret is ever printed");
            }
            assert_eq!(levels(&report, "redis.permissions")[0], "ok", "{report:#}");
            for check in ["redis.clock", "redis.encryption", "postgres.encryption", "postgres.failover"] {
                assert_eq!(levels(&report, check)[0], "ok", "{check}: {report:#}");
            }
        }
    }

    async fn another_master_key_is_an_error(app: App) {
        let other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        let config = match &app.backing.server {
            None => format!("{}\nsecrets.master_key = '{other}'\n", app.config),
            Some(server) => {
                use secrecy::ExposeSecret;
                app.config.replace(server.master_key.expose_secret(), other)
            }
        };
        let report = examine_with(&app, &config, &["keys.sealed"]).await;
        assert!(!report.to_string().contains(other), "no secret is ever printed");
    }
}

/// Another process may migrate for hours: the doctor does not wait for it.
#[test]
fn a_look_waits_for_nobody() {
    with_config(Store::Server, "", async |app| {
        let server = app.backing.server();
        let (client, connection) = tokio_postgres::connect(server.postgres_url.as_str(), NoTls)
            .await
            .unwrap();
        let driver = actix_web::rt::spawn(connection);
        let migrating = "SELECT pg_advisory_lock(hashtextextended('revolve migrations ' || coalesce(current_schema(), ''), 0))";
        client.batch_execute(migrating).await.unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(levels(&report, "keys.sealed"), ["ok"], "{report:#}");
        client
            .batch_execute("BEGIN; LOCK TABLE signing_keys IN ACCESS EXCLUSIVE MODE")
            .await
            .unwrap();
        let report = examine(&app, &[]).await;
        assert_eq!(
            (
                levels(&report, "postgres.schema"),
                levels(&report, "keys.sealed")
            ),
            (vec!["ok"], vec!["unknown"]),
            "{report:#}"
        );
        drop(client);
        drop(driver.await);
    });
}

#[test]
fn a_store_that_is_down_is_an_error() {
    with_one_redis("", async |app| {
        app.backing.server().redis.cut();
        let report = examine(&app, &["redis.reach"]).await;
        assert_eq!(levels(&report, "postgres.reach"), ["ok"], "{report:#}");
        app.backing.server().redis.restore();
        app.backing.server().postgres.cut();
        let report = examine(&app, &["postgres.reach"]).await;
        assert_eq!(levels(&report, "redis.reach"), ["ok"], "{report:#}");
        assert_eq!(levels(&report, "keys.sealed"), ["unknown"], "{report:#}");
        app.backing.server().postgres.restore();
    });
}

/// A hosted Redis keeps CONFIG and ACL to itself; and a user may lack what scripts need.
#[test]
fn what_redis_allows_is_found_out() {
    with_one_redis("", async |app| {
        let server = app.backing.server();
        let mut link = server
            .redis_of("00000000-0000-4000-8000-000000000000")
            .await;
        let name = format!("t_{}", server.schema);
        let mut examine_as = async |rules: &[&str], errors: &[&str]| {
            let mut user = redis::cmd("ACL");
            user.arg("SETUSER")
                .arg(&name)
                .arg("reset")
                .arg("on")
                .arg(">only-for-this-test")
                .arg("~{*")
                .arg(rules);
            user.exec_async(&mut link)
                .await
                .expect("a user can be made");
            let mut url = server.redis.before(server.redis_url());
            url.set_username(&name).unwrap();
            url.set_password(Some("only-for-this-test")).unwrap();
            let config = app.config.replace(
                server.redis.before(server.redis_url()).as_str(),
                url.as_str(),
            );
            let report = examine_with(&app, &config, errors).await;
            assert!(
                !report.to_string().contains("only-for-this-test"),
                "no secret is ever printed"
            );
            report
        };
        let hosted = examine_as(&["+@all", "-config", "-acl"], &[]).await;
        assert_eq!(levels(&hosted, "redis.permissions"), ["ok"], "{hosted:#}");
        let reader = examine_as(
            &["+@read", "+@scripting", "+info", "+ping", "+time"],
            &["redis.permissions"],
        )
        .await;
        let says = reader["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "redis.permissions")
            .unwrap()["says"]
            .to_string();
        assert!(
            says.contains("DEL, HDEL, HSET, PEXPIRE, RENAME, SET"),
            "{says}"
        );
        let mute = examine_as(
            &["+@read", "+@write", "+info", "+time"],
            &["redis.permissions"],
        )
        .await;
        assert!(mute.to_string().contains("may not use EVALSHA"), "{mute:#}");
        assert_eq!(
            levels(&hosted, "redis.persistence"),
            ["unknown"],
            "how often it writes is not guessed: {hosted:#}"
        );
        let advised = examine_as(
            &[
                "+@read",
                "+@write",
                "+@scripting",
                "+info",
                "+ping",
                "+time",
                "+acl|whoami",
                "+acl|dryrun",
            ],
            &[],
        )
        .await;
        assert_eq!(
            levels(&advised, "redis.permissions"),
            ["ok"],
            "what the advice says is enough: {advised:#}"
        );
        let narrow = examine_as(&["+@all", "-rename", "-evalsha"], &["redis.permissions"]).await;
        assert_eq!(
            levels(&narrow, "redis.permissions"),
            ["error"],
            "{narrow:#}"
        );
        let says = narrow["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|finding| finding["check"] == "redis.permissions")
            .unwrap()["says"]
            .to_string();
        assert!(says.contains("EVALSHA, RENAME"), "{says}");
        redis::cmd("ACL")
            .arg("DELUSER")
            .arg(&name)
            .exec_async(&mut link)
            .await
            .expect("it can be removed");
    });
}
