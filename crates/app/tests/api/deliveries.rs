//! Mails on their way out: from the commit of any process to a mail server, over both stores, and in the hands of operators.

use crate::{
    command::{ServerProcess, revolve},
    operators::levels,
    support::{App, Store, with_mail},
};
use revolve_adapters::{
    postgres::{PostgresAccounts, PostgresConfig},
    sqlite::SqliteStore,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    deliveries::{Delivery, DeliveryQuery, DeliveryState, Fairness, LeaseRequest, Settled},
    journal::{MailFacts, MailKind, NewMail},
    model::{DeliveryId, EmailAddress},
    ports::{Clock, Deliveries, Entropy},
};
use revolve_testkit::{
    smtp_sink::{ReceivedMail, SinkAnswer, SinkSettings, SinkStage, SmtpSink},
    untold,
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The outbox of a service, as another process has it.
async fn outbox(app: &App) -> Arc<dyn Deliveries> {
    match &app.backing.server {
        None => embedded(app.backing.folder.path()).await,
        Some(server) => {
            let config = PostgresConfig::new(server.postgres_url.to_string().into());
            Arc::new(PostgresAccounts::connect(config).await.unwrap())
        }
    }
}

async fn embedded(folder: &Path) -> Arc<dyn Deliveries> {
    let file = folder.join("revolve.sqlite3");
    Arc::new(
        SqliteStore::open(file, Arc::new(SystemClock))
            .await
            .unwrap(),
    )
}

fn mail(to: &str) -> NewMail {
    NewMail {
        id: DeliveryId::from_random(SystemEntropy.bytes()),
        kind: MailKind::NewDevice,
        to: EmailAddress::parse(to).unwrap(),
        locale: None,
        user: None,
        proof: None,
        facts: MailFacts::default(),
        expires_at: SystemClock.now().plus(Duration::from_hours(1)),
    }
}

async fn insert(outbox: &Arc<dyn Deliveries>, mails: &[NewMail]) {
    outbox.insert(SystemClock.now(), mails).await.unwrap();
}

async fn rows(outbox: &Arc<dyn Deliveries>) -> Vec<Delivery> {
    let query = DeliveryQuery {
        state: None,
        limit: 1000,
    };
    outbox.list(query).await.unwrap()
}

/// Waits until the outbox is so, and answers it.
async fn until(
    outbox: &Arc<dyn Deliveries>,
    wanted: impl Fn(&[Delivery]) -> bool,
) -> Vec<Delivery> {
    let begun = Instant::now();
    loop {
        let rows = rows(outbox).await;
        if wanted(&rows) {
            return rows;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The ids that the mails were sent under.
fn ids(received: &[ReceivedMail]) -> BTreeSet<String> {
    let id = |mail: &ReceivedMail| {
        let id = mail.header("Message-ID").unwrap();
        id.trim_start_matches('<')
            .split('@')
            .next()
            .unwrap()
            .to_owned()
    };
    received.iter().map(id).collect()
}

macro_rules! on_both_stores_with_mail {
    ($(async fn $name:ident($app:ident: App, $sink:ident: SmtpSink) $body:block)+) => { $(
        mod $name {
            use super::*;

            async fn test($app: App, $sink: SmtpSink) $body

            #[test]
            fn embedded() {
                with_mail(Store::Embedded, "http.metrics_listen = '127.0.0.1:0'", test);
            }

            #[test]
            fn server() {
                with_mail(Store::Server, "http.metrics_listen = '127.0.0.1:0'", test);
            }
        }
    )+ };
}

on_both_stores_with_mail! {
    async fn a_mail_that_another_process_committed_leaves_and_is_gone(app: App, sink: SmtpSink) {
        let outbox = outbox(&app).await;
        let mail = mail("ann@example.org");
        insert(&outbox, std::slice::from_ref(&mail)).await;
        let received = sink.wait_for(1).await;
        assert_eq!(ids(&received), BTreeSet::from([mail.id.to_string()]));
        assert_eq!(received[0].to, ["ann@example.org"]);
        until(&outbox, <[Delivery]>::is_empty).await;
        let text = app.revolve(&["deliveries", "list"]).await.expect(0).out;
        assert_eq!(text, "there are no such mails\n");
        app.revolve(&["deliveries", "show", &mail.id.to_string()]).await.expect(1);
    }

    async fn a_mail_that_is_refused_for_now_waits_and_says_why(app: App, sink: SmtpSink) {
        sink.fail(SinkStage::Rcpt, SinkAnswer::Reply("450 4.2.0 <Ann@Example.org> is greylisted".to_owned()));
        let outbox = outbox(&app).await;
        let mail = mail("Ann@Example.org");
        insert(&outbox, std::slice::from_ref(&mail)).await;
        until(&outbox, |rows| rows[0].last_error.is_some()).await;
        let listed = app.revolve(&["deliveries", "list", "--state", "waiting", "--json"]).await.expect(0).json();
        let [row] = listed.as_array().unwrap().as_slice() else { panic!("{listed}") };
        let error = row["lastError"].as_str().unwrap();
        assert!(error.contains("450") && error.contains("greylisted") && !error.to_lowercase().contains("ann@"), "{error}");
        assert_eq!(
            (&row["state"], &row["mail"], &row["to"], &row["attempts"]),
            (&json!("waiting"), &json!("new_device"), &json!("Ann@Example.org"), &json!(1))
        );
        let id = mail.id.to_string();
        let shown = app.revolve(&["deliveries", "show", &id]).await.expect(0).out;
        assert!(shown.contains("tried at") && shown.contains("greylisted"), "{shown}");

        // An operator does not wait for the pause.
        sink.recover();
        let said = app.revolve(&["deliveries", "retry", &id]).await.expect(0);
        assert!(said.out.contains("due now"), "{said:?}");
        assert_eq!(ids(&sink.wait_for(1).await), BTreeSet::from([id.clone()]));
        until(&outbox, <[Delivery]>::is_empty).await;
        let said = app.revolve(&["deliveries", "retry", &id]).await.expect(1);
        assert!(said.err.contains("1 of 1 mails stayed"), "{said:?}");
        app.revolve(&["deliveries", "retry"]).await.expect(2);
    }

    async fn a_mail_that_is_refused_for_good_is_given_up_until_an_operator_decides(app: App, sink: SmtpSink) {
        sink.fail(SinkStage::Rcpt, SinkAnswer::Reply("550 5.1.1 no such user".to_owned()));
        let outbox = outbox(&app).await;
        let (first, second) = (mail("ann@example.org"), mail("ann@example.net"));
        insert(&outbox, &[first.clone(), second.clone()]).await;
        until(&outbox, |rows| rows.iter().all(|row| row.state == DeliveryState::GivenUp)).await;
        let given_up = app.revolve(&["deliveries", "list", "--state", "given_up", "--json"]).await.expect(0).json();
        assert_eq!(given_up.as_array().unwrap().len(), 2, "{given_up}");
        let waiting = app.revolve(&["deliveries", "list", "--state", "waiting", "--json"]).await.expect(0).json();
        assert_eq!(waiting, json!([]));
        let report = app.revolve(&["doctor", "--json"]).await.json();
        assert_eq!(levels(&report, "mail.outbox"), ["warning"], "{report:#}");
        let metrics = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap())).await.unwrap().text().await.unwrap();
        assert!(metrics.contains("revolve_deliveries_total{kind=\"new_device\",outcome=\"given_up\"} 2"), "{metrics}");
        assert!(metrics.contains("revolve_security_events_total{event=\"mail.given_up\"} 2"), "{metrics}");

        sink.recover();
        app.revolve(&["deliveries", "drop", &second.id.to_string()]).await.expect(0);
        app.revolve(&["deliveries", "retry", "--given-up"]).await.expect(0);
        assert_eq!(ids(&sink.wait_for(1).await), BTreeSet::from([first.id.to_string()]));
        until(&outbox, <[Delivery]>::is_empty).await;
        let report = app.revolve(&["doctor", "--json"]).await.json();
        assert_eq!(levels(&report, "mail.outbox"), ["ok"], "{report:#}");
    }

    async fn two_replicas_send_each_mail_once(app: App, sink: SmtpSink) {
        let replica = app.replica().await;
        let outbox = outbox(&app).await;
        let mails: Vec<NewMail> = (0..30).map(|number| mail(&format!("ann@host{}.example", number % 5))).collect();
        insert(&outbox, &mails).await;
        until(&outbox, <[Delivery]>::is_empty).await;
        let received = sink.received();
        assert_eq!(received.len(), mails.len());
        assert_eq!(ids(&received), mails.iter().map(|mail| mail.id.to_string()).collect());
        replica.stop().await;
    }
}

/// A service in a process of its own, which sends to this mail server.
fn start(folder: &TempDir, sink: &SmtpSink) -> ServerProcess {
    let mut command = revolve(folder.path());
    command
        .env("REVOLVE__MAIL__URL", sink.url())
        .env("REVOLVE__MAIL__FROM", "Example <accounts@example.org>")
        .env("REVOLVE__HTTP__SHUTDOWN_TIMEOUT", "1s");
    ServerProcess::start(&mut command, 4)
}

/// Lets the leases run out that a killed process has left.
async fn let_leases_run_out(outbox: &Arc<dyn Deliveries>) {
    let at = SystemClock.now().plus(Duration::from_mins(30));
    let request = LeaseRequest {
        at,
        until: at,
        limit: 100,
        after: String::new(),
        fairness: Fairness {
            share: 100,
            ..Fairness::default()
        },
    };
    for delivery in outbox.lease(&request).await.unwrap() {
        let settled = Settled::Again {
            at: SystemClock.now(),
            error: "its lease ran out".to_owned(),
        };
        assert!(outbox.settle(&delivery, &settled, &untold()).await.unwrap());
    }
}

async fn wait_until_one_is_being_sent(sink: &SmtpSink, outbox: &Arc<dyn Deliveries>) {
    until(outbox, |rows| {
        rows.iter().any(|row| row.leased_until.is_some())
    })
    .await;
    let begun = Instant::now();
    while sink.connections() == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody connects");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_leaves_what_it_could_not_send_to_the_next_start() {
    let folder = TempDir::new().unwrap();
    let sink = SmtpSink::start(SinkSettings::default()).await.unwrap();
    sink.fail(SinkStage::Hello, SinkAnswer::Silence);
    let running = start(&folder, &sink);
    let outbox = embedded(&folder.path().join("data")).await;
    let mail = mail("ann@example.org");
    insert(&outbox, std::slice::from_ref(&mail)).await;
    wait_until_one_is_being_sent(&sink, &outbox).await;
    assert!(running.terminate().success());
    let [left] = <[Delivery; 1]>::try_from(rows(&outbox).await).unwrap();
    assert_eq!((left.leased_until, left.attempts), (None, 1));
    assert!(left.next_at <= SystemClock.now(), "it is due at once");

    sink.recover();
    let running = start(&folder, &sink);
    assert_eq!(
        ids(&sink.wait_for(1).await),
        BTreeSet::from([mail.id.to_string()])
    );
    until(&outbox, <[Delivery]>::is_empty).await;
    assert!(running.terminate().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_survives_a_kill_and_arrives_under_the_same_id() {
    let folder = TempDir::new().unwrap();
    let sink = SmtpSink::start(SinkSettings::default()).await.unwrap();
    // The mail arrives, and its server is killed before it knows.
    sink.fail(SinkStage::Content, SinkAnswer::Silence);
    let mut running = start(&folder, &sink);
    let outbox = embedded(&folder.path().join("data")).await;
    let mail = mail("ann@example.org");
    insert(&outbox, std::slice::from_ref(&mail)).await;
    wait_until_one_is_being_sent(&sink, &outbox).await;
    running.child.kill().unwrap();
    running.child.wait().unwrap();
    let [left] = <[Delivery; 1]>::try_from(rows(&outbox).await).unwrap();
    assert!(left.leased_until.is_some(), "nobody has settled it");

    sink.recover();
    let running = start(&folder, &sink);
    let_leases_run_out(&outbox).await;
    assert_eq!(
        ids(&sink.wait_for(1).await),
        BTreeSet::from([mail.id.to_string()])
    );
    until(&outbox, <[Delivery]>::is_empty).await;
    assert!(running.terminate().success());
}
