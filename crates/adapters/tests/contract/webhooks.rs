//! Requests to endpoints on this machine.

use revolve_adapters::{
    tls::TlsSettings,
    webhooks::{HttpWebhooks, WebhookSettings},
};
use revolve_domain::{
    journal::Actor,
    model::{EventId, Timestamp},
    ports::{CallError, JournalRecord, TargetRefused, WebhookCall, WebhookSender},
    webhooks::WebhookUrl,
};
use revolve_testkit::webhook_sink::{HookAnswer, WebhookSink};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn sender(allowed: &[&str], timeout: Duration) -> HttpWebhooks {
    HttpWebhooks::new(WebhookSettings {
        allow_private: allowed
            .iter()
            .map(|network| network.parse().unwrap())
            .collect(),
        timeout,
        tls: TlsSettings::default(),
    })
}

fn patient() -> HttpWebhooks {
    sender(&["127.0.0.0/8"], Duration::from_secs(20))
}

fn event() -> JournalRecord {
    JournalRecord {
        id: EventId::from_random([1; 16]),
        at: Timestamp::from_seconds(1_900_000_000),
        actor: Actor::System,
        event: "webhook.tested".to_owned(),
        user: None,
        session: None,
        address: None,
        session_address: None,
        device: None,
        details: BTreeMap::new(),
        count: 1,
    }
}

async fn send(sender: &HttpWebhooks, url: &str) -> Result<u16, CallError> {
    let (url, event) = (WebhookUrl::parse(url).unwrap(), event());
    let call = WebhookCall {
        url: &url,
        event: &event,
        at: Timestamp::from_seconds(1_900_000_007),
        secrets: vec![vec![1; 32].into(), vec![2; 32].into()],
    };
    sender.send(&call).await
}

#[tokio::test]
async fn an_event_arrives_with_the_fields_of_standard_webhooks() {
    let sink = WebhookSink::start().await.unwrap();
    let url = format!("{}?a=b", sink.url());
    assert_eq!(send(&patient(), &url).await.unwrap(), 204);
    let [hook] = <[_; 1]>::try_from(sink.received()).unwrap();
    assert_eq!(hook.line, "POST /hooks?a=b HTTP/1.1");
    assert_eq!(hook.header("host"), sink.address().to_string());
    assert_eq!(hook.header("webhook-id"), event().id.to_string());
    assert_eq!(hook.header("webhook-timestamp"), "1900000007");
    assert_eq!(hook.header("content-type"), "application/json");
    assert!(hook.is_signed_with(SECRET));
    let other = "whsec_AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    assert!(
        hook.is_signed_with(other),
        "both secrets sign in a rotation"
    );
    let third = "whsec_AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";
    assert!(!hook.is_signed_with(third));
    assert_eq!(hook.json()["type"], "webhook.tested");
}

#[tokio::test]
async fn a_status_is_answered_as_it_is_and_redirects_are_not_followed() {
    let (sink, elsewhere) = (
        WebhookSink::start().await.unwrap(),
        WebhookSink::start().await.unwrap(),
    );
    for status in [200, 299, 410, 429, 500] {
        sink.answer(HookAnswer::Status(status));
        assert_eq!(send(&patient(), &sink.url()).await.unwrap(), status);
    }
    sink.answer(HookAnswer::Redirect(elsewhere.url()));
    assert_eq!(send(&patient(), &sink.url()).await.unwrap(), 302);
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn an_answer_without_an_end_is_not_read_to_it() {
    let sink = WebhookSink::start().await.unwrap();
    sink.answer(HookAnswer::Endless);
    let begun = Instant::now();
    assert_eq!(send(&patient(), &sink.url()).await.unwrap(), 200);
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "before the deadline"
    );
}

#[tokio::test]
async fn a_slow_endpoint_is_left_at_the_deadline() {
    let sink = WebhookSink::start().await.unwrap();
    sink.answer(HookAnswer::Silence);
    let hasty = sender(&["127.0.0.1/32"], Duration::from_millis(200));
    let error = send(&hasty, &sink.url()).await.unwrap_err();
    assert!(matches!(error, CallError::Unanswered(_)), "{error:?}");
    sink.wait_for(1).await;
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_allowed() {
    let sink = WebhookSink::start().await.unwrap();
    let port = sink.address().port();
    let (none, others): (&[&str], &[&str]) = (&[], &["10.0.0.0/8"]);
    for (allowed, host) in [
        (none, "127.0.0.1"),
        (others, "127.0.0.1"),
        (none, "localhost"),
        (none, "2130706433"),
        (none, "0x7f.1"),
        (none, "[::ffff:127.0.0.1]"),
        (none, "[::1]"),
        (none, "169.254.169.254"),
        (none, "0.0.0.0"),
    ] {
        let sender = sender(allowed, Duration::from_secs(20));
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let error = send(&sender, &url).await.unwrap_err();
            let refused = matches!(error, CallError::Target(TargetRefused::Private(_)));
            assert!(refused, "{url}: {error:?}");
            let checked = sender.check(&WebhookUrl::parse(&url).unwrap()).await;
            assert!(
                matches!(checked, Err(TargetRefused::Private(_))),
                "{url}: {checked:?}"
            );
        }
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn http_is_for_networks_that_are_allowed() {
    let sender = sender(&["127.0.0.0/8"], Duration::from_secs(20));
    let check = async |url: &str| sender.check(&WebhookUrl::parse(url).unwrap()).await;
    assert_eq!(
        check("http://8.8.8.8/").await,
        Err(TargetRefused::Unencrypted)
    );
    assert_eq!(check("https://8.8.8.8/").await, Ok(()));
    assert_eq!(check("http://127.0.0.1:1/").await, Ok(()));
    assert_eq!(
        check("https://nobody.invalid/").await,
        Err(TargetRefused::Unknown)
    );
}
