//! Packed statements: what came since a version, and the whole for who has none.

use super::{MIB, SECOND, Served, rest};
use actix_web::http::StatusCode;
use futures_util::{future::join_all, poll};
use revolve_domain::{model::SessionId, use_cases::SignOutScope};
use std::{pin::Pin, time::Duration};

impl Served {
    /// The packed form; its text.
    async fn packed(&self, query: &str) -> String {
        let answer = self.ask(1, query, ("Accept", "*/*")).await;
        assert_eq!(answer.status(), StatusCode::OK, "{query}");
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        String::from_utf8(rest(&mut answer.into_body()).await).expect("it is text")
    }

    async fn end_a_session(&self, name: &str) -> SessionId {
        let client = self.world.signed_up(name).await;
        let caller = client.caller();
        let ended = self.world.sign_out.execute(&caller, SignOutScope::This);
        ended.await.expect("they are signed in");
        client.session
    }
}

fn version(packed: &str) -> &str {
    packed.split('|').next().expect("the version comes first")
}

#[tokio::test(start_paused = true)]
async fn clients_that_hold_the_same_version_share_what_came_since() {
    Served::run(100, 16 * MIB, async |served| {
        let whole = served.packed("?since=0").await;
        let held = version(&whole).to_owned();
        let before = served.signatures();
        let waiting = (0..50).map(|_| served.packed_owned(format!("?since={held}&wait=60")));
        let (told, ended) = tokio::join!(join_all(waiting), served.end_a_session("ann"));
        for text in &told {
            assert_eq!(text, &told[0]);
            assert!(text.contains(&format!("|{held}|")) && text.contains(&ended.to_string()));
        }
        assert_eq!(served.signatures() - before, 1);
        assert_eq!(served.feed.ends(), 1);
    })
    .await;
}

impl Served {
    async fn packed_owned(&self, query: String) -> String {
        self.packed(&query).await
    }

    async fn status_of(&self, host: u8, query: String) -> StatusCode {
        self.ask(host, &query, ("Accept", "*/*")).await.status()
    }
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_delta_is_not_taken_back_by_a_whole_statement_of_a_moment_ago() {
    Served::run(20 * MIB, 16 * MIB, async |served| {
        let first = served.packed("?since=0").await;
        let held = version(&first).to_owned();
        let parts: Vec<&str> = held.split('.').collect();
        let (source, as_of) = (parts[0], parts[1]);
        // At once, since so many are answered for each moment.
        let made_up = (0..40).map(|number| {
            let version = format!("{source}.{as_of}.1.{}", 1000 + number);
            served.status_of(1, format!("?since={version}"))
        });
        let answers = join_all(made_up).await;
        let refused = StatusCode::SERVICE_UNAVAILABLE;
        let count = answers.iter().filter(|status| **status == refused).count();
        assert_eq!(count, 40 - 32, "the whole has seen less");
        let ahead = |number| format!("?since={source}.{as_of}.1.{number}");
        assert_eq!(served.status_of(1, ahead(2000)).await, refused);
        assert_eq!(
            served.status_of(2, ahead(2000)).await,
            StatusCode::OK,
            "of another address it is answered"
        );
        // Too old to go on from, so that only the whole helps.
        let old = as_of.parse::<i64>().expect("it is a number") - 121;
        let whole = served
            .packed(&format!("?since={source}.{old}.1.2000"))
            .await;
        assert_eq!(version(&whole), held);
        tokio::time::advance(Duration::from_secs(11)).await;
        served.world.advance(SECOND);
        served.packed("?since=0").await;
        let told = served.packed(&format!("?since={held}")).await;
        assert!(
            told.contains(&format!("|{held}|")),
            "what was told leads on"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_told_leads_on_however_many_are_made_up() {
    Served::run(100, 16 * MIB, async |served| {
        let whole = served.packed("?since=0").await;
        let held = version(&whole).to_owned();
        let ended = served.end_a_session("ann").await;
        let parts: Vec<&str> = held.split('.').collect();
        let before = served.signatures();
        // At once, since so many are answered for each moment.
        let made_up = (0..1000_usize).map(|number| {
            let version = format!("{}.{}.1.{}", parts[0], parts[1], 1000 + number);
            let host = u8::try_from(1 + number % 20).expect("it is small");
            served.status_of(host, format!("?since={version}"))
        });
        join_all(made_up).await;
        let told = served.packed(&format!("?since={held}")).await;
        assert!(told.contains(&format!("|{held}|")) && told.contains(&ended.to_string()));
        assert_eq!(served.signatures() - before, 256 + 1 + 1, "and one whole");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_long_whole_statement_serves_all_who_come_while_it_is_read_and_deltas_go_on() {
    Served::run(20 * MIB, 16 * MIB, async |served| {
        let first = served.packed("?since=0").await;
        let held = version(&first).to_owned();
        let before = served.signatures();
        for name in ["ann", "bob", "cleo"] {
            let ended = served.end_a_session(name).await;
            served.world.advance(SECOND);
            // Who begins gets one of a moment ago, and at once what came since.
            let whole = served.packed("?since=0").await;
            assert_eq!(version(&whole), held, "the same one");
            let told = served.packed(&format!("?since={held}")).await;
            assert!(told.contains(&ended.to_string()), "{name}");
        }
        assert_eq!(served.signatures() - before, 3, "the whole is signed once");
        tokio::time::advance(Duration::from_secs(11)).await;
        let later = served.packed("?since=0").await;
        assert_ne!(version(&later), held);
    })
    .await;
}

impl Served {
    /// Lets somebody ask until the signing of a whole statement has begun.
    async fn begin_signing(&self, asking: impl Future) {
        tokio::select! {
            _ = asking => panic!("it waits"),
            () = self.signer.begun.notified() => {}
        }
    }

    /// Lets somebody ask, who must wait, while looks go on.
    async fn wait_a_while(&self, mut asking: Pin<&mut impl Future>) {
        for _ in 0..4 {
            assert!(poll!(&mut asking).is_pending());
            tokio::time::advance(Duration::from_millis(25)).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_while_a_whole_statement_is_made_waits_for_that_one() {
    Served::run(MIB, 16 * MIB, async |served| {
        let held = served.signer.hold();
        let mut first = Box::pin(served.packed("?since=0"));
        served.begin_signing(&mut first).await;
        let mut others = Vec::new();
        for (name, ends) in [("ann", 1), ("bob", 2), ("cleo", 3)] {
            served.end_a_session(name).await;
            served.world.advance(SECOND);
            let mut other = Box::pin(served.packed("?since=0"));
            served.wait_a_while(other.as_mut()).await;
            assert_eq!(served.feed.ends(), ends, "looks go on");
            others.push(other);
        }
        drop(held);
        let first = first.await;
        for other in join_all(others).await {
            assert_eq!(version(&other), version(&first));
        }
        assert_eq!(served.signatures(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_statement_is_made_for_others_when_who_asked_for_it_has_gone() {
    Served::run(MIB, 16 * MIB, async |served| {
        let held = served.signer.hold();
        served.begin_signing(served.packed("?since=0")).await;
        served.end_a_session("ann").await;
        served.world.advance(SECOND);
        let mut other = Box::pin(served.packed("?since=0"));
        served.wait_a_while(other.as_mut()).await;
        drop(held);
        let whole = other.await;
        assert_eq!(served.packed("?since=0").await, whole);
        assert_eq!(served.signatures(), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_whole_statement_of_before_a_restart_of_the_database_is_not_sent_after_it() {
    Served::run(20 * MIB, 16 * MIB, async |served| {
        let before = served.packed("?since=0").await;
        served.world.accounts.inner().restart();
        let after = served.packed("?since=0").await;
        assert!(before.starts_with("1.") && after.starts_with("2."));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_would_need_more_than_deltas_may_take_gets_the_whole() {
    const KIB: usize = 1024;
    // One half has room for eight, and none of the shares of the other for one.
    Served::run(100, 4 * 70 * KIB, async |served| {
        let mut versions = Vec::new();
        for _ in 0..12 {
            served.world.advance(SECOND);
            versions.push(version(&served.packed("?since=0").await).to_owned());
        }
        let ended = served.end_a_session("ann").await.to_string();
        let before = served.signatures();
        let asking = versions
            .iter()
            .map(|held| served.packed_owned(format!("?since={held}")));
        let answers = join_all(asking).await;
        assert!(answers.iter().all(|answer| answer.contains(&ended)));
        let deltas = answers.iter().zip(&versions);
        let deltas = deltas.filter(|(answer, held)| answer.contains(&format!("|{held}|")));
        assert_eq!((deltas.count(), served.signatures() - before), (8, 9));
    })
    .await;
}
