//! Requests to endpoints on this machine.

use async_trait::async_trait;
use revolve_adapters::{
    tls::TlsSettings,
    webhooks::{HttpWebhooks, Resolver, WebhookSettings},
};
use revolve_domain::{
    journal::Actor,
    model::{EventId, Timestamp},
    ports::{
        CallError, JournalRecord, StoreErrorKind, TargetRefused, WebhookCall, WebhookReply,
        WebhookSender,
    },
    webhooks::WebhookUrl,
};
use revolve_testkit::webhook_sink::{HookAnswer, WebhookSink};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    time::timeout,
};

const SECRET: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

fn settings(allowed: &[&str], timeout: Duration) -> WebhookSettings {
    WebhookSettings {
        allow_private: allowed
            .iter()
            .map(|network| network.parse().unwrap())
            .collect(),
        timeout,
        tls: TlsSettings::default(),
    }
}

fn sender(allowed: &[&str], timeout: Duration) -> HttpWebhooks {
    HttpWebhooks::new(settings(allowed, timeout))
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
    ask(sender, url).await.map(|reply| reply.status)
}

async fn ask(sender: &HttpWebhooks, url: &str) -> Result<WebhookReply, CallError> {
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
async fn an_answer_says_when_to_come_back() {
    let sink = WebhookSink::start().await.unwrap();
    for (when, wait) in [
        ("120", 120),
        // 100 s after the call.
        ("Sun, 17 Mar 2030 17:48:27 GMT", 100),
    ] {
        sink.answer(HookAnswer::RetryAfter(429, when.to_owned()));
        let expected = WebhookReply {
            status: 429,
            retry_after: Some(Duration::from_secs(wait)),
        };
        assert_eq!(ask(&patient(), &sink.url()).await.unwrap(), expected);
    }
    sink.answer(HookAnswer::Status(503));
    let reply = ask(&patient(), &sink.url()).await.unwrap();
    assert_eq!(reply.retry_after, None);
}

#[tokio::test]
async fn the_status_counts_whatever_becomes_of_the_body() {
    let sink = WebhookSink::start().await.unwrap();
    for begun in [0, 100, 4096, 1 << 19] {
        sink.answer(HookAnswer::Unfinished(begun));
        assert_eq!(send(&patient(), &sink.url()).await.unwrap(), 200);
    }
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
                matches!(checked, Ok(Err(TargetRefused::Private(_)))),
                "{url}: {checked:?}"
            );
        }
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn http_is_for_networks_that_are_allowed() {
    let sender = sender(&["127.0.0.0/8"], Duration::from_secs(20));
    let check = async |url: &str| {
        let checked = sender.check(&WebhookUrl::parse(url).unwrap()).await;
        checked.unwrap()
    };
    assert_eq!(
        check("http://8.8.8.8/").await,
        Err(TargetRefused::Unencrypted)
    );
    assert_eq!(check("https://8.8.8.8/").await, Ok(()));
    assert_eq!(check("http://127.0.0.1:1/").await, Ok(()));
}

/// A resolver that does not answer, or can't.
enum Broken {
    Failing,
    Silent,
}

#[async_trait]
impl Resolver for Broken {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::Failing => Err(io::Error::other("Temporary failure in name resolution")),
            Self::Silent => std::future::pending().await,
        }
    }
}

#[tokio::test]
async fn a_name_that_is_not_there_is_refused_and_one_that_can_not_be_resolved_now_is_a_failure() {
    let url = WebhookUrl::parse("https://hooks.example.org/").unwrap();
    let sender = |resolver: Arc<dyn Resolver>| {
        HttpWebhooks::with_resolver(settings(&[], Duration::from_millis(200)), resolver)
    };
    let nobody = sender(Changing::new([&[]]));
    assert_eq!(
        nobody.check(&url).await.unwrap(),
        Err(TargetRefused::Unknown)
    );
    let error = send(&nobody, url.as_str()).await.unwrap_err();
    assert!(matches!(error, CallError::Target(TargetRefused::Unknown)));
    for broken in [Broken::Failing, Broken::Silent] {
        let broken = sender(Arc::new(broken));
        let error = broken.check(&url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let error = send(&broken, url.as_str()).await.unwrap_err();
        assert!(matches!(error, CallError::Unanswered(_)), "{error:?}");
    }
}

/// Somebody who listens and takes no more connections: to connect is to wait.
async fn busy(address: SocketAddr) -> Option<(TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(address).ok()?;
    let listener = socket.listen(1).unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(500), TcpStream::connect(address)).await
    {
        waiting.push(connected.unwrap());
        assert!(waiting.len() < 100, "it takes them all");
    }
    Some((listener, waiting))
}

#[tokio::test]
#[cfg_attr(
    not(target_os = "linux"),
    ignore = "other systems have one loopback address"
)]
async fn a_silent_address_leaves_time_to_the_next() {
    // Two addresses with one port, which is free at both.
    let (sink, _busy) = loop {
        let sink = WebhookSink::start().await.unwrap();
        let port = sink.address().port();
        if let Some(busy) = busy(([127, 0, 0, 2], port).into()).await {
            break (sink, busy);
        }
    };
    let resolver = Changing::new([&[[127, 0, 0, 2], LOCALHOST]]);
    let allowed = settings(&["127.0.0.0/8"], Duration::from_secs(4));
    let sender = HttpWebhooks::with_resolver(allowed, resolver);
    let url = format!("http://hooks.example.org:{}/", sink.address().port());
    assert_eq!(send(&sender, &url).await.unwrap(), 204);
}

/// A name whose addresses change: each is the answer once, the last one for ever.
struct Changing(Mutex<VecDeque<Vec<IpAddr>>>);

impl Changing {
    fn new<const N: usize>(answers: [&[[u8; 4]]; N]) -> Arc<Self> {
        let addresses = |one: &[[u8; 4]]| one.iter().copied().map(IpAddr::from).collect();
        Arc::new(Self(Mutex::new(answers.map(addresses).into())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Resolver for Changing {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        assert_eq!(name, "hooks.example.org");
        let mut answers = self.0.lock().unwrap();
        let now = answers.front().cloned().unwrap();
        if answers.len() > 1 {
            answers.pop_front();
        }
        Ok(now
            .into_iter()
            .map(|address| (address, port).into())
            .collect())
    }
}

const LOCALHOST: [u8; 4] = Ipv4Addr::LOCALHOST.octets();

#[tokio::test]
async fn a_name_that_leads_elsewhere_later_is_refused_then() {
    let sink = WebhookSink::start().await.unwrap();
    let port = sink.address().port();
    for (scheme, later) in [
        ("https", &[LOCALHOST][..]),
        ("http", &[LOCALHOST]),
        // One that is public beside it changes nothing.
        ("https", &[[8, 8, 8, 8], LOCALHOST]),
    ] {
        let resolver = Changing::new([&[[8, 8, 8, 8]], later]);
        let none = settings(&[], Duration::from_secs(20));
        let sender = HttpWebhooks::with_resolver(none, resolver);
        let url = format!("https://hooks.example.org:{port}/");
        let made = sender.check(&WebhookUrl::parse(&url).unwrap()).await;
        assert_eq!(made.unwrap(), Ok(()), "it was public when it was made");
        let url = format!("{scheme}://hooks.example.org:{port}/");
        let error = send(&sender, &url).await.unwrap_err();
        let refused = TargetRefused::Private(LOCALHOST.into());
        assert!(
            matches!(&error, CallError::Target(target) if *target == refused),
            "{error:?}"
        );
    }
    assert!(sink.received().is_empty());
}

#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_checked_is_connected_to() {
    let sink = WebhookSink::start().await.unwrap();
    let resolver = Changing::new([&[LOCALHOST], &[[192, 0, 2, 1]], &[[192, 0, 2, 1]]]);
    let allowed = settings(&["127.0.0.0/8"], Duration::from_secs(20));
    let sender = HttpWebhooks::with_resolver(allowed, resolver.clone());
    let url = format!("http://hooks.example.org:{}/", sink.address().port());
    assert_eq!(send(&sender, &url).await.unwrap(), 204);
    assert_eq!(resolver.left(), 2, "it was asked once");
    let hook = sink.wait_for(1).await.remove(0);
    assert!(hook.header("host").starts_with("hooks.example.org:"));
}

#[tokio::test]
async fn https_is_for_certificates_of_authorities_that_are_trusted() {
    let sink = WebhookSink::start_tls().await.unwrap();
    let other = WebhookSink::start_tls().await.unwrap();
    let trusting = |sink: &WebhookSink| {
        let tls = TlsSettings {
            authorities: sink.authority().map(str::to_owned),
            ..TlsSettings::default()
        };
        HttpWebhooks::new(WebhookSettings {
            tls,
            ..settings(&["127.0.0.0/8", "::1/128"], Duration::from_secs(20))
        })
    };
    assert_eq!(send(&trusting(&sink), &sink.url()).await.unwrap(), 204);
    assert!(sink.take().remove(0).is_signed_with(SECRET));
    // Of another authority, and for another name.
    let elsewhere = sink.url().replace("127.0.0.1", "localhost");
    for (sender, url) in [(trusting(&other), sink.url()), (trusting(&sink), elsewhere)] {
        let error = send(&sender, &url).await.unwrap_err();
        let CallError::Unanswered(source) = &error else {
            panic!("{url}: {error:?}")
        };
        let why = source.to_string();
        assert!(why.contains("invalid peer certificate"), "{url}: {why}");
    }
    assert!(sink.received().is_empty());
}
