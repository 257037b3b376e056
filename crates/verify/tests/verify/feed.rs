//! The revocation feed.

use crate::support::{
    FakeIssuer, ISSUER, IssuerResponse, NOW, SESSION, TestClock, TestKey, USER, b64, claims,
    config, key_set,
};
use revolve_verify::{Algorithm, FeedConfig, Stale, Verifier, VerifyError};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

pub(crate) const OTHER: &str = "0196a1b2-0000-7000-8000-0000000000ff";
pub(crate) const WINDOW: u64 = 900;
/// How far the times of a statement may be off.
const SLACK: u64 = 120;
/// Entries go at most so much later than they must.
const SLOT: u64 = 256;

pub(crate) struct FeedFixture {
    pub(crate) issuer: FakeIssuer,
    pub(crate) key: Arc<TestKey>,
    clock: TestClock,
    pub(crate) verifier: Verifier,
    pub(crate) token: String,
}

fn document(sessions: &Value, users: &Value, iat: u64) -> Value {
    json!({ "iss": ISSUER, "iat": iat, "exp": iat + WINDOW, "window": WINDOW, "sessions": sessions, "users": users })
}

fn signed(key: &TestKey, document: &Value) -> String {
    key.token_of(
        key.header("revocations+jwt").to_string(),
        document.to_string(),
    )
}

impl FeedFixture {
    pub(crate) fn new(stale: Stale) -> Self {
        let key = TestKey::of_issuer(Algorithm::Es256);
        let issuer = FakeIssuer::new(IssuerResponse::ok(key_set(&[&key])));
        issuer.set_feed(Self::response(
            &signed(&key, &document(&json!([]), &json!([]), NOW)),
            "\"0\"",
        ));
        let mut config = config();
        config.feed = Some(FeedConfig {
            stale,
            behind: stale,
            max_entries: 1000,
            ..FeedConfig::default()
        });
        let clock = TestClock::new();
        let verifier =
            Verifier::start_with(&config, Arc::new(issuer.clone()), Arc::new(clock.clone()))
                .unwrap();
        let token = key.token(&claims());
        Self {
            issuer,
            key,
            clock,
            verifier,
            token,
        }
    }

    fn response(body: &str, etag: &str) -> IssuerResponse {
        IssuerResponse {
            hold: true,
            ..IssuerResponse::ok(body)
        }
        .tagged(etag)
    }

    /// Publishes a document and gives it a moment to arrive.
    async fn publish(&self, sessions: Value, users: Value) {
        let body = signed(&self.key, &document(&sessions, &users, NOW));
        self.issuer.set_feed(Self::response(
            &body,
            &format!("\"{}\"", b64(&body[body.len() - 20..])),
        ));
        sleep(Duration::from_millis(300)).await;
    }

    pub(crate) fn set_clock(&self, seconds: u64) {
        self.clock.set(seconds);
    }

    /// Whether a token of this version of the account is outdated.
    pub(crate) async fn outdated(&self, version: Option<u64>) -> bool {
        let mut claims = claims();
        if let Some(version) = version {
            claims["version"] = json!(version);
        }
        match self.verifier.verify(&self.key.token(&claims)).await {
            Ok(_) => false,
            Err(VerifyError::Outdated) => true,
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(crate) async fn revoked(&self) -> bool {
        match self.verifier.verify(&self.token).await {
            Ok(_) => false,
            Err(VerifyError::Revoked) => true,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_refused_as_soon_as_the_feed_says_so() {
    let fixture = FeedFixture::new(Stale::Refuse);
    assert!(!fixture.revoked().await);
    fixture.publish(json!([[OTHER, NOW]]), json!([])).await;
    assert!(!fixture.revoked().await);
    fixture
        .publish(json!([[OTHER, NOW], [SESSION, NOW]]), json!([]))
        .await;
    assert!(fixture.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn a_token_of_an_older_version_is_outdated_as_soon_as_the_feed_says_so() {
    let fixture = FeedFixture::new(Stale::Refuse);
    assert!(!fixture.outdated(Some(9)).await && !fixture.outdated(None).await);
    let mut document = document(&json!([]), &json!([]), NOW);
    document["outdated"] = json!([[USER, 10], [OTHER, 99]]);
    let body = signed(&fixture.key, &document);
    let response = FeedFixture::response(&body, "\"1\"");
    fixture.issuer.set_feed(response);
    sleep(Duration::from_millis(300)).await;
    for (version, outdated) in [
        (None, true),
        (Some(9), true),
        (Some(10), false),
        (Some(11), false),
    ] {
        assert_eq!(fixture.outdated(version).await, outdated, "{version:?}");
    }
    // An end says more.
    fixture.publish(json!([[SESSION, NOW]]), json!([])).await;
    assert!(fixture.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_before_the_start_is_refused_from_the_first_token_on() {
    let fixture = FeedFixture::new(Stale::Accept);
    let body = signed(
        &fixture.key,
        &document(&json!([[SESSION, NOW]]), &json!([]), NOW),
    );
    fixture
        .issuer
        .set_feed(FeedFixture::response(&body, "\"1\""));
    assert!(fixture.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn a_raised_epoch_ends_older_tokens_except_those_of_the_kept_session() {
    for (users, revoked) in [
        (json!([[USER, 1, null]]), true),
        (json!([[USER, 1, OTHER]]), true),
        (json!([[USER, 1, SESSION]]), false),
        (json!([[USER, 0, null]]), false),
        (json!([[OTHER, 1, null]]), false),
    ] {
        let fixture = FeedFixture::new(Stale::Refuse);
        assert!(!fixture.revoked().await);
        fixture.publish(json!([]), users.clone()).await;
        assert_eq!(fixture.revoked().await, revoked, "{users}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_behind_takes_nothing_back_and_entries_go_with_their_window() {
    let fixture = FeedFixture::new(Stale::Refuse);
    fixture.publish(json!([[SESSION, NOW]]), json!([])).await;
    assert!(fixture.revoked().await);
    fixture.publish(json!([]), json!([])).await;
    assert!(fixture.revoked().await);
    // The token has a longer life than the window here, so that only the entry can go.
    let mut long = claims();
    long["exp"] = json!(NOW + 10 * WINDOW);
    let token = fixture.key.token(&long);
    fixture.clock.set(NOW + WINDOW + SLOT);
    let body = signed(
        &fixture.key,
        &document(
            &json!([[OTHER, NOW + WINDOW]]),
            &json!([]),
            NOW + WINDOW + SLOT,
        ),
    );
    fixture
        .issuer
        .set_feed(FeedFixture::response(&body, "\"later\""));
    sleep(Duration::from_mins(1)).await;
    fixture.verifier.verify(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_are_held_and_neither_answers_nor_failures_make_a_storm() {
    let fixture = FeedFixture::new(Stale::Refuse);
    assert!(!fixture.revoked().await);
    sleep(Duration::from_mins(10)).await;
    let asked = fixture.issuer.asked("revocations");
    assert!(
        (20..30).contains(&asked.len()),
        "{} requests in ten minutes",
        asked.len()
    );
    assert!(asked[0].etag.is_none() && asked[0].url.ends_with("/.well-known/revocations?since=0"));
    assert!(asked[1].etag.is_some() && asked[1].url.ends_with("/.well-known/revocations?wait=25"));
    assert!(asked[1].timeout > Duration::from_secs(25));
    assert!(fixture.verifier.is_ready());
    for (response, most) in [
        (IssuerResponse::down(), 60),
        (
            IssuerResponse {
                status: 429,
                ..IssuerResponse::default()
            },
            60,
        ),
        (IssuerResponse::ok("x").tagged("\"x\""), 60),
    ] {
        let before = fixture.issuer.asked("revocations").len();
        fixture.issuer.set_feed(response);
        sleep(Duration::from_mins(10)).await;
        let asked = fixture.issuer.asked("revocations").len() - before;
        assert!(asked <= most, "{asked} requests in ten minutes");
    }
    // An issuer that holds nothing is asked once a second.
    let body = signed(&fixture.key, &document(&json!([]), &json!([]), NOW));
    for response in [
        IssuerResponse::ok(body.clone()),
        IssuerResponse::ok(body).tagged("\"t\""),
    ] {
        fixture.issuer.set_feed(response);
        sleep(Duration::from_mins(1)).await;
        let before = fixture.issuer.asked("revocations").len();
        sleep(Duration::from_mins(1)).await;
        let asked = fixture.issuer.asked("revocations").len() - before;
        assert!((50..=61).contains(&asked), "{asked} requests in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_feed_refuses_or_accepts_as_configured_and_keeps_what_it_knows() {
    for stale in [Stale::Accept, Stale::Refuse] {
        let fixture = FeedFixture::new(stale);
        fixture.publish(json!([[OTHER, NOW]]), json!([])).await;
        assert!(!fixture.revoked().await);
        let mut ended = claims();
        ended["sid"] = json!(OTHER);
        let ended = fixture.key.token(&ended);
        fixture.issuer.set_feed(IssuerResponse::down());
        sleep(Duration::from_secs(90)).await;
        assert!(!fixture.verifier.is_ready());
        assert!(matches!(
            fixture.verifier.verify(&ended).await,
            Err(VerifyError::Revoked)
        ));
        let outcome = fixture.verifier.verify(&fixture.token).await;
        match stale {
            Stale::Accept => assert!(outcome.is_ok()),
            Stale::Refuse => assert!(outcome.unwrap_err().is_unavailable()),
        }
        fixture.publish(json!([]), json!([])).await;
        sleep(Duration::from_secs(31)).await;
        assert!(!fixture.revoked().await && fixture.verifier.is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_is_asked_for_afresh_before_it_expires() {
    let fixture = FeedFixture::new(Stale::Refuse);
    assert!(!fixture.revoked().await);
    fixture.clock.set(NOW + WINDOW / 2 + 1);
    sleep(Duration::from_mins(2)).await;
    let afresh = fixture
        .issuer
        .asked("revocations")
        .iter()
        .skip(1)
        .filter(|request| request.etag.is_none())
        .count();
    assert!(afresh >= 1);
    // It is confirmed only while it is valid.
    fixture.clock.set(NOW + WINDOW + SLACK);
    sleep(Duration::from_mins(3)).await;
    assert!(!fixture.verifier.is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_document_of_a_replica_with_another_clock_is_taken() {
    let fixture = FeedFixture::new(Stale::Refuse);
    let body = signed(
        &fixture.key,
        &document(&json!([[SESSION, NOW]]), &json!([]), NOW + SLACK),
    );
    fixture
        .issuer
        .set_feed(FeedFixture::response(&body, "\"1\""));
    sleep(Duration::from_secs(1)).await;
    assert!(fixture.verifier.is_ready() && fixture.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn where_no_more_may_wait_it_is_asked_without_waiting() {
    for crowded in [429, 503] {
        let fixture = FeedFixture::new(Stale::Refuse);
        assert!(!fixture.revoked().await);
        let body = signed(&fixture.key, &document(&json!([]), &json!([]), NOW));
        fixture.issuer.set_feed(IssuerResponse {
            crowded: Some(crowded),
            ..FeedFixture::response(&body, "\"0\"")
        });
        sleep(Duration::from_mins(2)).await;
        let asked = fixture.issuer.asked("revocations").len();
        assert!(asked <= 250, "{asked} requests in two minutes");
        assert!(!fixture.revoked().await && fixture.verifier.is_ready());
        assert_eq!(fixture.verifier.feed_status().unwrap().failures, 0);
        let body = signed(
            &fixture.key,
            &document(&json!([[SESSION, NOW]]), &json!([]), NOW),
        );
        fixture.issuer.set_feed(IssuerResponse {
            crowded: Some(crowded),
            ..FeedFixture::response(&body, "\"1\"")
        });
        sleep(Duration::from_secs(2)).await;
        assert!(fixture.revoked().await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_not_right_counts_for_nothing() {
    let good = document(&json!([[SESSION, NOW]]), &json!([]), NOW);
    let with = |name: &str, value: Value| {
        let mut changed = good.clone();
        changed[name] = value;
        changed
    };
    let key = TestKey::of_issuer(Algorithm::Es256);
    let stranger = TestKey::generate(Algorithm::Es256);
    let mut header = stranger.header("revocations+jwt");
    header["kid"] = json!(key.id);
    let flipped = signed(&key, &good).replacen(".ey", ".ez", 1);
    let bad = [
        signed(&stranger, &good),
        stranger.token_of(header.to_string(), good.to_string()),
        key.token(&good),
        flipped,
        String::new(),
        "{}".to_owned(),
        signed(&key, &with("iss", json!("https://accounts.example.net"))),
        signed(&key, &with("exp", json!(NOW + 1))),
        signed(&key, &with("window", json!(null))),
        signed(&key, &with("sessions", json!([[SESSION]]))),
        signed(&key, &with("sessions", json!([["x", NOW]]))),
        signed(&key, &with("users", json!([[USER, -1, null]]))),
        signed(&key, &with("users", json!(null))),
        signed(
            &key,
            &document(&json!([[SESSION, NOW]]), &json!([]), NOW - WINDOW - SLACK),
        ),
        signed(
            &key,
            &document(&json!([[SESSION, NOW]]), &json!([]), NOW + SLACK + 1),
        ),
    ];
    for body in bad {
        let fixture = FeedFixture::new(Stale::Accept);
        assert!(!fixture.revoked().await);
        fixture
            .issuer
            .set_feed(FeedFixture::response(&body, "\"bad\""));
        sleep(Duration::from_mins(1)).await;
        assert!(!fixture.revoked().await, "{body}");
    }
}
