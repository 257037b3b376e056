//! The revocation feed in packed statements, and what a verifier does that cannot keep up with it.

use crate::{
    feed::{FeedFixture, OTHER, WINDOW},
    support::{ISSUER, IssuerResponse, NOW, SESSION, TestKey, USER, b64, claims},
};
use aws_lc_rs::digest;
use revolve_verify::{Algorithm, FeedConfig, FeedHealth, LONGEST_STATEMENT, Stale, VerifyError};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A packed statement: its claims, and the ids that it names.
struct Packed {
    claims: Value,
    ids: Vec<u8>,
}

fn id(text: &str) -> [u8; 16] {
    let hex: Vec<char> = text.chars().filter(|c| *c != '-').collect();
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2].iter().collect::<String>(), 16);
    std::array::from_fn(|at| byte(2 * at).unwrap())
}

impl Packed {
    fn new(version: &str, since: Option<&str>, ended: &[&str]) -> Self {
        let mut claims = json!({
            "iss": ISSUER, "iat": NOW, "exp": NOW + WINDOW, "window": WINDOW, "version": version,
            "sessions": [[NOW, ended.len()]], "only": { "issued_before": NOW - 120, "users": 0 },
        });
        if let Some(since) = since {
            claims["since"] = json!(since);
        }
        Self {
            claims,
            ids: ended.iter().flat_map(|session| id(session)).collect(),
        }
    }

    /// With a user of whom only these sessions live.
    fn only(mut self, user: &str, living: &[&str]) -> Self {
        self.claims["only"]["users"] = json!(1);
        self.ids.extend(id(user));
        self.ids
            .extend(u16::try_from(living.len()).unwrap().to_be_bytes());
        self.ids
            .extend(living.iter().flat_map(|session| id(session)));
        self
    }

    /// With an account that is outdated before a version, since [`NOW`].
    fn outdated(mut self, user: &str, before: u64) -> Self {
        assert_eq!(self.claims["only"]["users"], 0, "these come last");
        let sessions = self.claims["sessions"].as_array_mut().unwrap();
        sessions.push(json!([NOW, 2]));
        let outdated = self.claims["outdated"].as_u64().unwrap_or(0);
        self.claims["outdated"] = json!(outdated + 1);
        self.ids.extend(id(user));
        self.ids.extend(before.to_be_bytes());
        self.ids.extend(NOW.to_be_bytes());
        self
    }

    fn with(mut self, claim: &str, value: Value) -> Self {
        self.claims[claim] = value;
        self
    }

    fn text(self, key: &TestKey) -> String {
        self.signed_as(key, "packed-revocations+jwt")
    }

    fn signed_as(mut self, key: &TestKey, typ: &str) -> String {
        let ids = b64(&self.ids);
        if self.claims.get("digest").is_none() {
            self.claims["digest"] = json!(b64(digest::digest(&digest::SHA256, ids.as_bytes())));
        }
        let header = key.header(typ).to_string();
        format!("{}~{ids}", key.token_of(header, self.claims.to_string()))
    }
}

impl FeedFixture {
    /// Publishes a text of a version, and gives it a moment to arrive.
    async fn publish_packed(&self, version: &str, text: String) {
        self.issuer.set_feed(IssuerResponse {
            hold: true,
            version: Some(version.to_owned()),
            ..IssuerResponse::ok(text)
        });
        sleep(Duration::from_secs(2)).await;
    }

    /// A fixture that holds the packed statement of version 1.
    async fn packed(behind: Stale) -> Self {
        let fixture = Self::new(behind);
        let text = Packed::new("1", None, &[OTHER]).text(&fixture.key);
        fixture.publish_packed("1", text).await;
        assert!(!fixture.revoked().await);
        fixture
    }

    fn health(&self) -> FeedHealth {
        self.verifier.feed_status().unwrap().health
    }
}

#[tokio::test(start_paused = true)]
async fn a_packed_statement_is_continued_by_what_came_since() {
    let fixture = FeedFixture::packed(Stale::Refuse).await;
    let text = Packed::new("2", Some("1"), &[SESSION]).text(&fixture.key);
    fixture.publish_packed("2", text).await;
    assert!(fixture.revoked().await);
    let mut other = claims();
    other["sid"] = json!(OTHER);
    let other = fixture.key.token(&other);
    assert!(matches!(
        fixture.verifier.verify(&other).await,
        Err(VerifyError::Revoked)
    ));
    let asked = fixture.issuer.asked("since=");
    assert!(
        asked
            .iter()
            .any(|request| request.url.ends_with("?since=1&wait=25"))
    );
    assert!(asked.last().unwrap().url.ends_with("?since=2&wait=25"));
    let status = fixture.verifier.feed_status().unwrap();
    assert_eq!(
        (status.health, status.entries, status.failures),
        (FeedHealth::Fresh, 2, 0)
    );
    // While nothing happens it is confirmed by statements that name nobody, and asked for no more often than it is held.
    let before = fixture.issuer.asked("since=").len();
    let text = Packed::new("2", Some("2"), &[]).text(&fixture.key);
    fixture.publish_packed("2", text).await;
    sleep(Duration::from_mins(10)).await;
    let asked = fixture.issuer.asked("since=").len() - before;
    assert!((12..40).contains(&asked), "{asked} requests in ten minutes");
    assert!(fixture.verifier.is_ready() && fixture.revoked().await);
}

#[tokio::test(start_paused = true)]
async fn an_outdated_account_is_told_beside_ends_and_by_the_greatest_version() {
    let fixture = FeedFixture::packed(Stale::Refuse).await;
    let text = Packed::new("2", Some("1"), &[OTHER])
        .outdated(USER, 10)
        .outdated(USER, 8)
        .only(OTHER, &[])
        .text(&fixture.key);
    fixture.publish_packed("2", text).await;
    let status = fixture.verifier.feed_status().unwrap();
    assert_eq!((status.entries, status.failures), (3, 0));
    assert!(fixture.outdated(Some(9)).await && !fixture.outdated(Some(10)).await);
    let text = Packed::new("3", Some("2"), &[])
        .outdated(USER, 9)
        .text(&fixture.key);
    fixture.publish_packed("3", text).await;
    assert!(
        fixture.outdated(Some(9)).await,
        "one that is late takes nothing back"
    );
    let text = Packed::new("4", Some("3"), &[])
        .outdated(USER, 11)
        .text(&fixture.key);
    fixture.publish_packed("4", text).await;
    assert!(fixture.outdated(Some(10)).await && !fixture.outdated(Some(11)).await);
    // It is forgotten once every token of before has expired.
    let over = NOW + WINDOW + 6;
    fixture.set_clock(over);
    let text = Packed::new("5", Some("4"), &[])
        .with("iat", json!(over))
        .with("exp", json!(over + WINDOW))
        .text(&fixture.key);
    fixture.publish_packed("5", text).await;
    assert_eq!(
        fixture.verifier.feed_status().unwrap().entries,
        1,
        "an ended session stays a little longer"
    );
}

#[tokio::test(start_paused = true)]
async fn where_no_more_may_wait_what_came_since_is_asked_for_without_waiting() {
    let fixture = FeedFixture::packed(Stale::Refuse).await;
    let text = Packed::new("1", Some("1"), &[SESSION]).text(&fixture.key);
    fixture.issuer.set_feed(IssuerResponse {
        crowded: Some(503),
        ..IssuerResponse::ok(text)
    });
    sleep(Duration::from_mins(2)).await;
    assert!(fixture.verifier.is_ready() && fixture.revoked().await);
    assert_eq!(fixture.verifier.feed_status().unwrap().failures, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_already_takes_no_room_again() {
    let many: Vec<String> = (0..900)
        .map(|number| format!("0196a1b2-0000-7000-8000-{number:012x}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let fixture = FeedFixture::new(Stale::Refuse);
    let held = |fixture: &FeedFixture| {
        let status = fixture.verifier.feed_status().unwrap();
        (status.entries, status.failures)
    };
    let text = Packed::new("1", None, &many[..600])
        .only(USER, &[SESSION])
        .text(&fixture.key);
    fixture.publish_packed("1", text).await;
    assert_eq!(held(&fixture), (601, 0));
    // Everything once more, and some of it is new.
    let text = Packed::new("2", None, &many)
        .only(USER, &[SESSION])
        .text(&fixture.key);
    fixture.publish_packed("2", text).await;
    assert_eq!(held(&fixture), (901, 0));
}

#[tokio::test(start_paused = true)]
async fn of_a_crowded_user_only_what_lives_is_accepted_among_older_tokens() {
    let old = NOW - 121;
    for (living, issued_at, revoked) in [
        (&[][..], old, true),
        (&[OTHER][..], old, true),
        (&[OTHER, SESSION][..], old, false),
        (&[][..], NOW - 120, false),
    ] {
        let fixture = FeedFixture::new(Stale::Refuse);
        let text = Packed::new("1", None, &[])
            .only(USER, living)
            .text(&fixture.key);
        fixture.publish_packed("1", text).await;
        let mut claims = claims();
        claims["iat"] = json!(issued_at);
        let token = fixture.key.token(&claims);
        let outcome = fixture.verifier.verify(&token).await;
        assert_eq!(
            matches!(outcome, Err(VerifyError::Revoked)),
            revoked,
            "{living:?} {issued_at} {outcome:?}"
        );
        assert!(revoked || outcome.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn a_packed_statement_that_is_not_right_counts_for_nothing() {
    let key = TestKey::of_issuer(Algorithm::Es256);
    let stranger = TestKey::generate(Algorithm::Es256);
    let good = || Packed::new("2", Some("1"), &[SESSION]);
    let sound = good().text(&key);
    let (signed, ids) = sound.split_once('~').unwrap();
    let longer = Packed {
        ids: good().ids.into_iter().chain([0]).collect(),
        ..good()
    };
    let bad = [
        good().text(&stranger),
        signed.to_owned(),
        format!("{signed}~"),
        format!("{signed}~{}", b64(id(OTHER))),
        format!("{signed}~{ids}~{ids}"),
        format!("{signed}.{ids}"),
        longer.text(&key),
        good()
            .with("iss", json!("https://accounts.example.net"))
            .text(&key),
        good().with("exp", json!(NOW)).text(&key),
        good().with("digest", json!("")).text(&key),
        good().with("since", json!("0")).text(&key),
        good().with("since", json!(1)).text(&key),
        good().with("sessions", json!([[NOW, 0]])).text(&key),
        good().with("sessions", json!([[NOW, 2]])).text(&key),
        good()
            .with("sessions", json!([[NOW, u64::MAX], [NOW, 1]]))
            .text(&key),
        good()
            .with("sessions", json!([[NOW, 1_u64 << 60]]))
            .text(&key),
        good()
            .with("only", json!({ "issued_before": NOW, "users": 1 }))
            .text(&key),
        good()
            .with("only", json!({ "issued_before": NOW, "users": u64::MAX }))
            .text(&key),
        good().with("version", json!(null)).text(&key),
        good().with("outdated", json!(1)).text(&key),
        good().with("outdated", json!(1_u64 << 60)).text(&key),
        good().with("outdated", json!(null)).text(&key),
        good().with("outdated", json!(-1)).text(&key),
        good().signed_as(&key, "revocations+jwt"),
        good().signed_as(&key, "JWT"),
    ];
    for text in bad {
        let fixture = FeedFixture::packed(Stale::Accept).await;
        fixture.publish_packed("2", text.clone()).await;
        assert!(!fixture.revoked().await, "{text}");
        let status = fixture.verifier.feed_status().unwrap();
        assert!(
            status.failures > 0 && status.last_failure.is_some(),
            "{text}"
        );
    }
    let fixture = FeedFixture::packed(Stale::Accept).await;
    fixture.publish_packed("2", sound).await;
    assert!(fixture.revoked().await, "what is right is taken");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_keep_up_says_so_and_never_silently_believes_what_was_revoked() {
    let many: Vec<String> = (0..1001)
        .map(|number| format!("0196a1b2-0000-7000-8000-{number:012x}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let key = TestKey::of_issuer(Algorithm::Es256);
    let too_long = IssuerResponse {
        status: 503,
        body: json!({ "code": "statement_too_long" }).to_string(),
        ..IssuerResponse::default()
    };
    for response in [
        IssuerResponse::ok("x".repeat(LONGEST_STATEMENT + 1)),
        IssuerResponse::ok(Packed::new("2", Some("1"), &many).text(&key)),
        IssuerResponse::ok("{\"form\":\"of another time\"}"),
        too_long,
    ] {
        for behind in [Stale::Refuse, Stale::Accept] {
            let fixture = FeedFixture::packed(behind).await;
            let mut ended = claims();
            ended["sid"] = json!(OTHER);
            let ended = fixture.key.token(&ended);
            fixture.issuer.set_feed(response.clone());
            sleep(Duration::from_secs(30)).await;
            assert_eq!(
                fixture.health(),
                FeedHealth::Fresh,
                "what is known is young enough"
            );
            assert!(!fixture.revoked().await);
            sleep(Duration::from_mins(1)).await;
            assert_eq!(fixture.health(), FeedHealth::Behind);
            assert!(!fixture.verifier.is_ready());
            // An outage on top of it changes nothing.
            fixture.issuer.set_feed(IssuerResponse::down());
            sleep(Duration::from_mins(2)).await;
            assert_eq!(fixture.health(), FeedHealth::Behind);
            let outcome = fixture.verifier.verify(&fixture.token).await;
            match behind {
                Stale::Accept => assert!(outcome.is_ok()),
                Stale::Refuse => {
                    let error = outcome.unwrap_err();
                    assert!(matches!(error, VerifyError::RevocationsUnknown(Some(_))));
                    assert!(error.is_unavailable());
                }
            }
            assert!(matches!(
                fixture.verifier.verify(&ended).await,
                Err(VerifyError::Revoked)
            ));
            let text = Packed::new("3", None, &[OTHER]).text(&fixture.key);
            fixture.publish_packed("3", text).await;
            sleep(Duration::from_secs(31)).await;
            assert_eq!(fixture.health(), FeedHealth::Fresh, "it catches up");
            assert!(!fixture.revoked().await);
        }
    }
}

#[test]
fn by_default_a_verifier_that_cannot_keep_up_refuses() {
    let default = FeedConfig::default();
    assert_eq!(
        (default.stale, default.behind),
        (Stale::Accept, Stale::Refuse)
    );
}
