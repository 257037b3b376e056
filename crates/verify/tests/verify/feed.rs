//! The revocation feed.

use crate::support::{
    Fake, ISSUER, NOW, SESSION, TestClock, TestKey, Told, USER, b64, claims, config, key_set,
};
use revolve_verify::{Algorithm, FeedConfig, Stale, Verifier, VerifyError};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;

const OTHER: &str = "0196a1b2-0000-7000-8000-0000000000ff";
const WINDOW: u64 = 900;

struct Scene {
    issuer: Fake,
    key: Arc<TestKey>,
    clock: TestClock,
    verifier: Verifier,
    token: String,
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

impl Scene {
    fn new(stale: Stale) -> Self {
        let key = TestKey::of_issuer(Algorithm::Es256);
        let issuer = Fake::new(Told::ok(key_set(&[&key])));
        issuer.tell_feed(Self::told(
            &signed(&key, &document(&json!([]), &json!([]), NOW)),
            "\"0\"",
        ));
        let mut config = config();
        config.feed = Some(FeedConfig {
            stale,
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

    fn told(body: &str, etag: &str) -> Told {
        Told {
            hold: true,
            ..Told::ok(body)
        }
        .tagged(etag)
    }

    /// Publishes a document and gives it a moment to arrive.
    async fn publish(&self, sessions: Value, users: Value) {
        let body = signed(&self.key, &document(&sessions, &users, NOW));
        self.issuer.tell_feed(Self::told(
            &body,
            &format!("\"{}\"", b64(&body[body.len() - 20..])),
        ));
        sleep(Duration::from_millis(300)).await;
    }

    async fn revoked(&self) -> bool {
        match self.verifier.verify(&self.token).await {
            Ok(_) => false,
            Err(VerifyError::Revoked) => true,
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_ended_session_is_refused_as_soon_as_the_feed_says_so() {
    let scene = Scene::new(Stale::Refuse);
    assert!(!scene.revoked().await);
    scene.publish(json!([[OTHER, NOW]]), json!([])).await;
    assert!(!scene.revoked().await);
    scene
        .publish(json!([[OTHER, NOW], [SESSION, NOW]]), json!([]))
        .await;
    assert!(scene.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ended_before_the_start_is_refused_from_the_first_token_on() {
    let scene = Scene::new(Stale::Accept);
    let body = signed(
        &scene.key,
        &document(&json!([[SESSION, NOW]]), &json!([]), NOW),
    );
    scene.issuer.tell_feed(Scene::told(&body, "\"1\""));
    assert!(scene.revoked().await);
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
        let scene = Scene::new(Stale::Refuse);
        assert!(!scene.revoked().await);
        scene.publish(json!([]), users.clone()).await;
        assert_eq!(scene.revoked().await, revoked, "{users}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_replica_that_is_behind_takes_nothing_back_and_entries_go_with_their_window() {
    let scene = Scene::new(Stale::Refuse);
    scene.publish(json!([[SESSION, NOW]]), json!([])).await;
    assert!(scene.revoked().await);
    scene.publish(json!([]), json!([])).await;
    assert!(scene.revoked().await);
    // The token has a longer life than the window here, so that only the entry can go.
    let mut long = claims();
    long["exp"] = json!(NOW + 10 * WINDOW);
    let token = scene.key.token(&long);
    scene.clock.set(NOW + WINDOW + 1);
    let body = signed(
        &scene.key,
        &document(&json!([[OTHER, NOW + WINDOW]]), &json!([]), NOW + WINDOW),
    );
    scene.issuer.tell_feed(Scene::told(&body, "\"later\""));
    sleep(Duration::from_mins(1)).await;
    scene.verifier.verify(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_are_held_and_neither_answers_nor_failures_make_a_storm() {
    let scene = Scene::new(Stale::Refuse);
    assert!(!scene.revoked().await);
    sleep(Duration::from_mins(10)).await;
    let asked = scene.issuer.asked("revocations");
    assert!(
        (20..30).contains(&asked.len()),
        "{} requests in ten minutes",
        asked.len()
    );
    assert!(asked[0].etag.is_none() && !asked[0].url.contains("wait"));
    assert!(asked[1].etag.is_some() && asked[1].url.ends_with("/.well-known/revocations?wait=25"));
    assert!(asked[1].timeout > Duration::from_secs(25));
    assert!(scene.verifier.is_ready());
    for (told, most) in [
        (Told::down(), 60),
        (
            Told {
                status: 429,
                ..Told::default()
            },
            60,
        ),
        (Told::ok("x").tagged("\"x\""), 60),
    ] {
        let before = scene.issuer.asked("revocations").len();
        scene.issuer.tell_feed(told);
        sleep(Duration::from_mins(10)).await;
        let asked = scene.issuer.asked("revocations").len() - before;
        assert!(asked <= most, "{asked} requests in ten minutes");
    }
    // An issuer that holds nothing is asked once a second.
    let body = signed(&scene.key, &document(&json!([]), &json!([]), NOW));
    for told in [Told::ok(body.clone()), Told::ok(body).tagged("\"t\"")] {
        scene.issuer.tell_feed(told);
        sleep(Duration::from_mins(1)).await;
        let before = scene.issuer.asked("revocations").len();
        sleep(Duration::from_mins(1)).await;
        let asked = scene.issuer.asked("revocations").len() - before;
        assert!((50..=61).contains(&asked), "{asked} requests in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_feed_refuses_or_accepts_as_configured_and_keeps_what_it_knows() {
    for stale in [Stale::Accept, Stale::Refuse] {
        let scene = Scene::new(stale);
        scene.publish(json!([[OTHER, NOW]]), json!([])).await;
        assert!(!scene.revoked().await);
        let mut ended = claims();
        ended["sid"] = json!(OTHER);
        let ended = scene.key.token(&ended);
        scene.issuer.tell_feed(Told::down());
        sleep(Duration::from_secs(90)).await;
        assert!(!scene.verifier.is_ready());
        assert!(matches!(
            scene.verifier.verify(&ended).await,
            Err(VerifyError::Revoked)
        ));
        let outcome = scene.verifier.verify(&scene.token).await;
        match stale {
            Stale::Accept => assert!(outcome.is_ok()),
            Stale::Refuse => assert!(outcome.unwrap_err().is_unavailable()),
        }
        scene.publish(json!([]), json!([])).await;
        sleep(Duration::from_secs(31)).await;
        assert!(!scene.revoked().await && scene.verifier.is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_is_asked_for_afresh_before_it_expires() {
    let scene = Scene::new(Stale::Refuse);
    assert!(!scene.revoked().await);
    scene.clock.set(NOW + WINDOW / 2 + 1);
    sleep(Duration::from_mins(2)).await;
    let afresh = scene
        .issuer
        .asked("revocations")
        .iter()
        .skip(1)
        .filter(|request| request.etag.is_none())
        .count();
    assert!(afresh >= 1);
    // It is confirmed only while it is valid.
    scene.clock.set(NOW + WINDOW + 10);
    sleep(Duration::from_mins(3)).await;
    assert!(!scene.verifier.is_ready());
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
            &document(&json!([[SESSION, NOW]]), &json!([]), NOW - WINDOW - 10),
        ),
        signed(
            &key,
            &document(&json!([[SESSION, NOW]]), &json!([]), NOW + 60),
        ),
    ];
    for body in bad {
        let scene = Scene::new(Stale::Accept);
        assert!(!scene.revoked().await);
        scene.issuer.tell_feed(Scene::told(&body, "\"bad\""));
        sleep(Duration::from_mins(1)).await;
        assert!(!scene.revoked().await, "{body}");
    }
}
