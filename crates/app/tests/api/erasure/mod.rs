//! What a deleted account leaves: nothing that says whose it was, in any table.

mod dump;

use crate::support::{Actor, App, Mailing, PASSWORD, Program, on_both_stores_with_mail};
use deadpool_redis::redis::AsyncCommands;
use dump::{assert_traces_everywhere, dump, file, traces};
use reqwest::{Client, Method};
use revolve_adapters::{
    postgres::{PostgresAccounts, PostgresConfig},
    sqlite::SqliteStore,
    system::SystemClock,
};
use revolve_domain::{
    deliveries::DeliveryQuery,
    ports::{Clock, Deliveries, Journal, Proofs, SessionRepository, Webhooks},
};
use revolve_testkit::{
    smtp_sink::{ReceivedMail, SinkAnswer, SinkStage},
    webhook_sink::{HookAnswer, WebhookSink},
};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::{fs, path::Path, sync::Arc, time::Duration};

const FIRST: &str = "tracemark@example.org";
const SECOND: &str = "tracemark.two@example.net";
/// The address of an account that a program makes and deletes.
const MADE: &str = "tracemark.three@example.org";
const NEW: &str = "a password that nobody else has";
const HOME: &str = "198.51.100.77";
const STRANGER: &str = "203.0.113.99";

/// What every text that is about the person has in it, and the addresses.
const TRACES: [&str; 3] = ["tracemark", HOME, STRANGER];

/// Somebody at an address, behind the proxy that the test is.
fn at(app: &App, address: &str) -> Actor {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("X-Forwarded-For", address.parse().unwrap());
    let client = Client::builder()
        .no_proxy()
        .user_agent("Tracemark/1.0")
        .default_headers(headers);
    Actor::new(client.build().unwrap(), format!("http://{}", app.address))
}

/// Until nothing waits to be sent. A notice that waits for the pause of its kind is dropped: an hour is too long for a test.
async fn until_sent(outbox: &dyn Deliveries) {
    let query = DeliveryQuery {
        state: None,
        limit: 100,
    };
    loop {
        let rows = outbox.list(query).await.unwrap();
        if rows.is_empty() {
            return;
        }
        let soon = SystemClock.now().plus(Duration::from_mins(30));
        let pausing: Vec<_> = rows
            .iter()
            .filter(|row| row.due_at > soon)
            .map(|row| row.mail.id)
            .collect();
        outbox.remove(&pausing).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_noted(ann: &Actor, event: &str) {
    while !ann
        .get("/activity?limit=100")
        .await
        .expect(200)
        .text
        .contains(event)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the background does, once all times are over.
async fn prune(store: &(impl SessionRepository + Proofs + Journal + Deliveries + Webhooks)) {
    let later = SystemClock.now().plus(Duration::from_hours(24 * 800));
    loop {
        let pruned = [
            SessionRepository::prune_devices(store, later, 10_000)
                .await
                .unwrap(),
            SessionRepository::prune(store, later, 10_000)
                .await
                .unwrap(),
            Proofs::prune(store, later, 10_000).await.unwrap(),
            Journal::prune(store, later, 10_000).await.unwrap(),
            Deliveries::prune(store, later, 10_000).await.unwrap(),
            Webhooks::prune(store, later, 10_000).await.unwrap(),
        ];
        if pruned == [0; 6] {
            return;
        }
    }
}

fn by_code(proof: &Value, code: &str) -> Value {
    json!({ "proof": proof["id"], "code": code })
}

/// More than fits beside others.
fn app_data() -> Value {
    json!({ "note": format!("{} tracemark", "x".repeat(3500)) })
}

/// What an operator writes of a person who has lost a phone: a reason in the journal.
async fn reset_factors(service: &Mailing, program: &Program, ann: &Actor) {
    ann.set_up_totp().await;
    let reset = format!("{}/factors/reset", program.path_of("tracemark").await);
    let reason = json!({ "reason": "Tracemark's phone is lost" });
    program.post(&reset, reason).await.expect(202);
    // In her language.
    service.mail_saying(FIRST, "sollen entfernt werden").await;
    ann.delete("/factors/reset").await.expect(204);
    let shown = ann.reauthenticate().await;
    let remove = ann.call_with(Method::DELETE, "/factors/totp", None, &shown);
    remove.await.expect(204);
}

/// What a program of an operator leaves of a person: an account that a request with a name has made, with an invitation.
async fn made(service: &Mailing, program: &Program) -> String {
    let body = json!({ "email": MADE, "invite": true, "name": "Tracemark", "app": app_data() });
    let request = program.request(Method::POST, "/users").json(&body);
    let request = request.header("Idempotency-Key", "tracemark-1");
    let user = program.send(request).await.expect(201).json()["user"].clone();
    service.mails_to(MADE, 1).await;
    let path = format!("/users/{}", user["uid"].as_str().unwrap());
    let change = json!({ "name": "Tracemark the Third", "roles": ["tracemark"] });
    program.patch(&path, change).await.expect(200);
    let link = format!("{path}/recovery-link");
    program.call(Method::POST, &link).await.expect(201);
    path
}

/// Everything that leaves something about a person, then the deletion.
async fn live_and_leave(service: &Mailing, program: &Program) -> String {
    let mut ann = at(service, HOME);
    let mut stranger = at(service, STRANGER);
    let signed_up = ann.sign_up(FIRST).await.expect(201).json();
    let code = service.code(FIRST, 1).await;
    let verified = Some(by_code(&signed_up["proof"], &code));
    ann.call(Method::POST, "/email/confirm", verified)
        .await
        .expect(204);
    let change = json!({ "roles": ["tracemark"], "app": app_data() });
    program
        .patch(&program.path_of("tracemark").await, change)
        .await
        .expect(200);
    let details = json!({
        "name": "Tracemark", "website": "https://example.org/tracemark", "imageUrl": "https://example.org/tracemark.png", "locale": "de-CH"
    });
    ann.put("/details", details).await.expect(200);
    reset_factors(service, program, &ann).await;
    let phone = json!({ "email": FIRST, "password": PASSWORD, "deviceName": "Tracemark's phone" });
    let mut phone = ann.kept(ann.post("/signin", phone).await.expect(200));
    stranger
        .sign_in(FIRST, "a guess")
        .await
        .expect_problem(401, "invalid_credentials");
    stranger
        .sign_up(FIRST)
        .await
        .expect_problem(409, "email_taken");
    until_noted(&ann, "sign_in.refused").await;

    // A stolen token, used again by another.
    let stolen = phone.refresh_token.clone();
    phone.refresh().await.expect(200);
    phone.refresh().await.expect(200);
    while stranger.refresh_with(&stolen).await.expect(401).json()["code"] == "token_stale" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // An address that can be taken back.
    let change = json!({ "email": SECOND, "currentPassword": PASSWORD });
    let asked = ann.put("/details", change).await.expect(202).json();
    let code = service.code(SECOND, 1).await;
    let changed = Some(by_code(&asked["proof"], &code));
    ann.call(Method::POST, "/email/confirm", changed)
        .await
        .expect(204);
    // A password that was forgotten, and one more mail that nobody answers.
    let before = service
        .sink
        .received()
        .iter()
        .filter(|mail| mail.to == [SECOND])
        .count();
    let asked = stranger
        .post("/recovery", json!({ "email": SECOND }))
        .await
        .expect(202)
        .json();
    let code = loop {
        let mails = service.mails_to(SECOND, before + 1).await;
        if let Some(code) = mails[before..].iter().find_map(ReceivedMail::code) {
            break code;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut recovered = by_code(&asked["proof"], &code);
    recovered["newPassword"] = json!(NEW);
    let ann = ann.kept(ann.post("/recovery/confirm", recovered).await.expect(200));
    service.sink.fail(
        SinkStage::Rcpt,
        SinkAnswer::Reply("550 5.1.1 no such user".to_owned()),
    );
    stranger
        .post("/recovery", json!({ "email": SECOND }))
        .await
        .expect(202);
    ann.put(
        "/details",
        json!({ "email": FIRST, "currentPassword": NEW }),
    )
    .await
    .expect(202);
    until_noted(&ann, "mail.given_up").await;

    let shown = ann.reauthenticate_with(NEW).await;
    let document = ann
        .call_with(Method::GET, "/export", None, &shown)
        .await
        .expect(200);
    let (text, json) = (document.text.to_lowercase(), document.json());
    for trace in TRACES {
        assert!(text.contains(trace), "{trace}: {text}");
    }
    assert!(
        json["mails"]
            .as_array()
            .unwrap()
            .iter()
            .any(|mail| mail["state"] == "given_up"),
        "{json:#}"
    );
    assert!(!json["proofs"].as_array().unwrap().is_empty(), "{json:#}");
    service.sink.recover();
    let made = made(service, program).await;
    assert_traces_everywhere(service).await;
    program.call(Method::DELETE, &made).await.expect(204);
    ann.delete_with(&shown).await.expect(204);
    json["account"]["uid"].as_str().unwrap().to_owned()
}

on_both_stores_with_mail! {
    async fn a_deleted_account_leaves_nothing_that_says_whose_it_was(
        service: Mailing,
        "accounts.verification = 'optional'\naccounts.sign_in_code = true\nhttp.trusted_proxies = ['127.0.0.0/8']\nhttp.admin_listen = '127.0.0.1:0'\nwebhooks.allow_private = ['127.0.0.0/8']\nsessions.retry_free = '0s'\nsessions.retry_window = '0s'"
    ) {
        let (hooks, program) = (WebhookSink::start().await.unwrap(), service.program().await);
        hooks.answer(HookAnswer::Status(500));
        let webhook = ["webhooks", "create", "--name", "crm", "--url", &hooks.url(), "--events", "account.*,session.*"];
        service.revolve(&webhook).await.expect(0);
        let uid = live_and_leave(&service, &program).await;
        let stranger = at(&service, STRANGER);
        match &service.backing.server {
            None => {
                let store = SqliteStore::open(file(&service), Arc::new(SystemClock)).await.unwrap();
                until_sent(&store).await;
                assert_eq!(traces(&dump(&service).await), [] as [&str; 0], "at once");
                ask_for_nobody(&service, &stranger).await;
                prune(&store).await;
                store.close().await;
            }
            Some(server) => {
                let config = PostgresConfig::new(server.postgres_url.to_string().into());
                let store = PostgresAccounts::connect(config).await.unwrap();
                until_sent(&store).await;
                assert_eq!(traces(&dump(&service).await), [] as [&str; 0], "at once");
                ask_for_nobody(&service, &stranger).await;
                prune(&store).await;
                let mut redis = server.redis_of(&uid).await;
                while !redis.keys::<_, Vec<String>>(format!("\\{{{uid}}}*")).await.unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        assert_eq!(traces(&dump(&service).await), [] as [&str; 0], "after the retention");
        if service.backing.server.is_none() {
            compacted_file_has_no_trace(&file(&service));
        }
    }
}

/// What strangers cause with an address that has no account any more names it or them until its time is over.
async fn ask_for_nobody(app: &App, stranger: &Actor) {
    let mut guesser = stranger.clone();
    guesser
        .sign_in(FIRST, "a guess")
        .await
        .expect_problem(401, "invalid_credentials");
    stranger
        .post("/recovery", json!({ "email": SECOND }))
        .await
        .expect(202);
    loop {
        let dump = dump(app).await;
        let of = |table: &str| {
            dump.iter()
                .find(|(name, _)| name == table)
                .unwrap()
                .1
                .clone()
        };
        if of("journal")
            .lines()
            .any(|entry| entry.contains("sign_in.refused") && entry.contains(STRANGER))
        {
            assert!(of("proofs").contains(SECOND), "the proof of nobody");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// As docs/security.md says.
fn compacted_file_has_no_trace(file: &Path) {
    let conn = Connection::open(file).unwrap();
    conn.busy_timeout(Duration::from_secs(30)).unwrap();
    conn.execute_batch("VACUUM").unwrap();
    // The service may be reading.
    while conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
            row.get::<_, bool>("busy")
        })
        .unwrap()
    {}
    for name in ["revolve.sqlite3", "revolve.sqlite3-wal"] {
        let bytes = fs::read(file.with_file_name(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        for trace in TRACES {
            assert!(!text.contains(trace), "{trace} in {name}");
        }
    }
}
