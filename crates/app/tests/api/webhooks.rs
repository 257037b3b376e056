//! What happens reaches webhooks, over both stores: once, signed, and in the end also if its receiver or a replica was down.

use crate::support::{App, Store, on_both_stores, with_prepared};
use revolve_testkit::webhook_sink::{HookAnswer, ReceivedHook, WebhookSink};
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, Instant},
};

/// Makes a webhook; answers its id and secret.
async fn create(app: &App, url: &str, events: &str) -> (String, String) {
    let made = app
        .revolve(&[
            "webhooks", "create", "--name", "crm", "--url", url, "--events", events, "--json",
        ])
        .await
        .expect(0)
        .json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

async fn show(app: &App, id: &str) -> Value {
    app.revolve(&["webhooks", "show", id, "--json"])
        .await
        .expect(0)
        .json()
}

/// Waits until a webhook is so.
async fn until(app: &App, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let shown = show(app, id).await;
        if wanted(&shown) {
            return shown;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{shown}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn types(received: &[ReceivedHook]) -> Vec<String> {
    let name = |hook: &ReceivedHook| hook.json()["type"].as_str().unwrap().to_owned();
    received.iter().map(name).collect()
}

on_both_stores! {
    async fn an_event_arrives_once_and_signed(app: App, "webhooks.allow_private = ['127.0.0.0/8']") {
        let sink = WebhookSink::start().await.unwrap();
        let (id, secret) = create(&app, &sink.url(), "account.created,session.*").await;
        assert!(secret.starts_with("whsec_"), "the form that scanners know");
        let ann = app.sign_up("ann").await;
        let uid = ann.get("/me").await.expect(200).json()["user"]["uid"].as_str().unwrap().to_owned();
        let received = sink.wait_for(1).await;
        let hook = &received[0];
        assert!(hook.is_signed_with(&secret), "{hook:?}");
        let body = hook.json();
        assert_eq!(body["type"], "account.created");
        assert_eq!(body["data"]["user"], json!(uid));
        assert_eq!(body["data"]["id"], json!(hook.header("webhook-id")));
        until(&app, &id, |shown| shown["waiting"] == 0).await;

        // What comes later does not bring it again; nor does another replica.
        let replica = app.replica().await;
        app.sign_in("ann").await;
        let received = sink.wait_for(2).await;
        assert_eq!(types(&received)[1], "session.begun");
        until(&app, &id, |shown| shown["waiting"] == 0).await;
        assert_eq!(sink.received().len(), 2);
        replica.stop().await;

        let again = app.revolve(&["webhooks", "replay", &id, "--from", "2020-01-01T00:00:00Z"]).await.expect(0);
        assert_eq!(again.out, "2 events are on their way\n");
        let received = sink.wait_for(4).await;
        let id_of = |at: usize| received[at].header("webhook-id").to_owned();
        let (mut first, mut second) = ([id_of(0), id_of(1)], [id_of(2), id_of(3)]);
        first.sort();
        second.sort();
        assert_eq!(first, second, "under the same ids");
    }

    async fn a_receiver_that_was_down_gets_it_later(app: App, "webhooks.allow_private = ['127.0.0.0/8']") {
        let sink = WebhookSink::start().await.unwrap();
        sink.answer(HookAnswer::Status(500));
        let (id, secret) = create(&app, &sink.url(), "account.created").await;
        app.sign_up("ann").await;
        let shown = until(&app, &id, |shown| shown["lastError"].is_string()).await;
        assert_eq!((&shown["lastError"], &shown["waiting"]), (&json!("it answered 500"), &json!(1)));
        let listed = app.revolve(&["webhooks", "list"]).await.expect(0).out;
        assert!(listed.contains(shown["failingSince"].as_str().unwrap()), "{listed}");
        sink.answer(HookAnswer::Status(204));
        // Its pause is half a minute. A look takes a process, so the request comes first.
        sink.wait_for(2).await;
        let shown = until(&app, &id, |shown| shown["waiting"] == 0).await;
        assert_eq!(shown["lastError"], Value::Null);
        let received = sink.received();
        assert_eq!(received.len(), 2);
        assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
        assert!(received.iter().all(|hook| hook.is_signed_with(&secret)));
    }

    async fn an_operator_manages_webhooks(app: App, "webhooks.allow_private = ['127.0.0.0/8']") {
        assert_eq!(app.revolve(&["webhooks", "list"]).await.expect(0).out, "there are no webhooks\n");
        let sink = WebhookSink::start().await.unwrap();
        let (id, old) = create(&app, &sink.url(), "account.deleted").await;
        let rotated = app.revolve(&["webhooks", "rotate", &id, "--json"]).await.expect(0).json();
        let new = rotated["secret"].as_str().unwrap();
        app.revolve(&["webhooks", "test", &id]).await.expect(0);
        let hook = sink.wait_for(1).await.remove(0);
        assert_eq!(hook.json()["type"], "webhook.tested");
        assert!(hook.is_signed_with(&old) && hook.is_signed_with(new));

        sink.answer(HookAnswer::Status(410));
        app.revolve(&["webhooks", "test", &id]).await.expect(0);
        let shown = until(&app, &id, |shown| shown["enabled"] == false).await;
        assert_eq!(shown["disabledReason"], "gone");
        app.revolve(&["webhooks", "test", &id]).await.expect(1);
        sink.answer(HookAnswer::Status(204));
        let updated = app.revolve(&["webhooks", "update", &id, "--enable", "--events", "", "--json"]).await.expect(0).json();
        assert_eq!((&updated["enabled"], &updated["events"]), (&json!(true), &json!([])));
        app.revolve(&["webhooks", "update", &id]).await.expect(2);
        app.revolve(&["webhooks", "update", &id, "--enable", "--disable"]).await.expect(2);
        let listed = app.revolve(&["webhooks", "list"]).await.expect(0).out;
        assert!(listed.contains(&id) && !listed.contains("whsec_"), "{listed}");

        for (arguments, code, expected) in [
            (&["show", "crm"][..], 2, "must be a whole id, as lists show it"),
            (&["update", &id, "--events", "acount.*"], 2, "no event of this release is `acount.*`"),
            (&["replay", &id, "--from", "2999-01-01T00:00:00Z"], 1, "not in the future"),
            (&["replay", &id, "--from", "2020-01-02T00:00:00Z", "--to", "2020-01-01T00:00:00Z"], 1, "begin before it ends"),
        ] {
            let said = app.revolve(&[&["webhooks"], arguments].concat()).await.expect(code);
            assert!(said.err.contains(expected), "{said:?}");
        }

        for (url, expected) in [
            ("https://10.0.0.1/", "is not public"),
            ("https://[::1]/", "is not public"),
            ("https://169.254.169.254/latest/meta-data", "is not public"),
            ("http://8.8.8.8/", "use https"),
        ] {
            for arguments in [&["create", "--name", "evil", "--url", url][..], &["update", &id, "--url", url]] {
                let arguments: Vec<_> = std::iter::once("webhooks").chain(arguments.iter().copied()).collect();
                let said = app.revolve(&arguments).await.expect(1);
                assert_eq!(said.err.matches(expected).count(), 1, "{said:?}");
            }
        }
        app.revolve(&["webhooks", "create", "--name", "evil", "--url", "ftp://example.org"]).await.expect(2);
        app.revolve(&["webhooks", "delete", &id]).await.expect(0);
        app.revolve(&["webhooks", "delete", &id]).await.expect(1);
        assert_eq!(app.revolve(&["webhooks", "list"]).await.expect(0).out, "there are no webhooks\n");
        let events = app.revolve(&["events"]).await.expect(0).out;
        for name in ["created", "rotated", "tested", "disabled", "enabled", "deleted"] {
            assert!(events.contains(&format!("webhook.{name}")), "{name}: {events}");
        }
    }

    async fn what_was_under_way_when_a_replica_stopped_is_sent(
        app: App,
        "webhooks.allow_private = ['127.0.0.0/8']\nwebhooks.timeout = '2s'"
    ) {
        let sink = WebhookSink::start().await.unwrap();
        sink.answer(HookAnswer::Silence);
        let (id, _) = create(&app, &sink.url(), "account.created").await;
        let replica = app.replica().await;
        app.sign_up("ann").await;
        sink.wait_for(1).await;
        replica.stop().await;
        sink.answer(HookAnswer::Status(204));
        // Nothing is lost.
        sink.wait_for(2).await;
        until(&app, &id, |shown| shown["waiting"] == 0).await;
    }
}

/// Runs a test with an https endpoint, where `webhooks.ca_file` has its authority or another one.
fn with_https(is_trusted: bool, test: impl AsyncFnOnce(App, WebhookSink)) {
    let prepare = async || {
        let (sink, other) = (
            WebhookSink::start_tls().await.unwrap(),
            WebhookSink::start_tls().await.unwrap(),
        );
        let trusted = if is_trusted { &sink } else { &other };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, trusted.authority().unwrap()).unwrap();
        let config = format!(
            "webhooks.allow_private = ['127.0.0.0/8']\nwebhooks.ca_file = '{}'",
            file.display()
        );
        (config, (sink, folder))
    };
    with_prepared(Store::Embedded, prepare, |app, (sink, folder)| async move {
        test(app, sink).await;
        drop(folder);
    });
}

#[test]
fn an_https_endpoint_of_a_private_authority_gets_events_if_that_is_configured() {
    with_https(true, async |app, sink| {
        let (id, secret) = create(&app, &sink.url(), "account.created").await;
        assert!(sink.url().starts_with("https://"));
        app.sign_up("ann").await;
        assert!(sink.wait_for(1).await.remove(0).is_signed_with(&secret));
        until(&app, &id, |shown| shown["waiting"] == 0).await;
    });
}

#[test]
fn an_https_endpoint_of_another_authority_gets_nothing() {
    with_https(false, async |app, sink| {
        let (id, _) = create(&app, &sink.url(), "account.created").await;
        app.sign_up("ann").await;
        let shown = until(&app, &id, |shown| shown["lastError"].is_string()).await;
        let why = shown["lastError"].as_str().unwrap();
        assert!(why.contains("invalid peer certificate"), "{why}");
        assert_eq!((&shown["waiting"], sink.received().len()), (&json!(1), 0));
    });
}
