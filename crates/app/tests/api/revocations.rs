//! `GET /.well-known/revocations`

use crate::support::{
    Actor, Answer, App, FEED, PASSWORD, Store, on_both_stores, sessions, with_config,
};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Longer than any of these tests.
const LONG: &str = "?wait=60";

fn user(actor: &Actor) -> Value {
    Actor::claims(&actor.id_token)["sub"].clone()
}

/// A long-poll, once there is a place for it.
async fn poll(reader: Actor, tag: String) -> Answer {
    loop {
        let answer = reader.feed_unless(&tag, LONG).await;
        if answer.status != 503 {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Fails unless both are the same, in any order.
#[track_caller]
fn assert_same(mut found: Vec<&str>, expected: &[&Actor]) {
    let mut expected: Vec<&str> = expected
        .iter()
        .map(|actor| actor.session.as_str())
        .collect();
    assert!(found.is_sorted(), "{found:?}");
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}

on_both_stores! {
    async fn is_a_signed_statement_of_what_ended(app: App, "tokens.algorithm = 'RS256'") {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let nothing = ann.revoked().await;
        assert_eq!((&nothing["sessions"], &nothing["users"], &nothing["outdated"]), (&json!([]), &json!([]), &json!([])));
        let before = Actor::claims(&ann.id_token)["iat"].as_i64().unwrap();
        ann.sign_out("this").await.expect(204);
        // What was answered with 204 is there for whoever asks next.
        let claims = bob.revoked().await;
        let mut names: Vec<&String> = claims.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["exp", "iat", "iss", "outdated", "sessions", "users", "window"]);
        assert_eq!(claims["iss"], Actor::claims(&ann.id_token)["iss"]);
        assert_eq!(claims["window"], 17 * 60, "the life of an ID token, a minute for clocks and one for calls");
        assert_eq!(claims["exp"].as_i64(), Some(claims["iat"].as_i64().unwrap() + 17 * 60));
        assert_eq!(claims["sessions"][0][0], ann.session);
        let ended = claims["sessions"][0][1].as_i64().unwrap();
        assert!((before..=claims["iat"].as_i64().unwrap()).contains(&ended), "{claims}");
        assert_eq!((claims["sessions"].as_array().unwrap().len(), &claims["users"]), (1, &json!([])));
    }

    async fn names_every_way_to_end(app: App, "sessions.max_per_user = 3\n") {
        let (one, two) = (app.sign_up("ann").await, app.sign_in("ann").await);
        one.sign_out("others").await.expect(204);
        let claims = one.revoked().await;
        assert_same(sessions(&claims), &[&two]);
        assert_eq!(claims["users"], json!([[user(&one), 1, one.session]]), "the epoch rose, and one is kept");

        let three = app.sign_in("ann").await;
        one.put("/password", json!({ "currentPassword": PASSWORD, "newPassword": "correct horse staple" })).await.expect(204);
        let claims = one.revoked().await;
        assert_same(sessions(&claims), &[&two, &three]);
        assert_eq!(claims["users"], json!([[user(&one), 2, one.session]]));

        one.sign_out("everywhere").await.expect(204);
        let claims = one.revoked().await;
        assert_same(sessions(&claims), &[&one, &two, &three]);
        assert_eq!(claims["users"], json!([[user(&one), 3, null]]));

        let bob = app.sign_up("bob").await;
        bob.delete_account().await.expect(204);
        let claims = one.revoked().await;
        assert_same(sessions(&claims), &[&one, &two, &three, &bob]);
        assert_eq!(claims["users"].as_array().unwrap().len(), 1, "a deleted account has no epoch");
    }

    async fn names_replaced_evicted_and_single_ends(app: App, "sessions.max_per_user = 2\n") {
        let first = app.sign_up("ann").await;
        let mut again = first.clone();
        again.sign_in_again("ann@example.org").await.expect(200);
        assert_same(sessions(&again.revoked().await), &[&first]);
        let (third, fourth) = (app.sign_in("ann").await, app.sign_in("ann").await);
        assert_same(sessions(&again.revoked().await), &[&first, &again]);
        fourth.delete(&format!("/sessions/{}", third.session)).await.expect(204);
        assert_same(sessions(&fourth.revoked().await), &[&first, &again, &third]);
    }

    async fn has_a_tag_of_its_content(app: App) {
        let ann = app.sign_up("ann").await;
        let answer = ann.feed().await.expect(200);
        let tag = answer.header("etag").to_owned();
        assert!(tag.starts_with("W/\""), "{tag}");
        assert_eq!((answer.header("cache-control"), answer.header("vary")), ("no-cache", "Accept"));
        for known in [tag.clone(), tag.strip_prefix("W/").unwrap().to_owned(), format!("\"other\", {tag}"), "*".to_owned()] {
            let unchanged = ann.feed_unless(&known, "").await.expect(304);
            assert_eq!((unchanged.text.as_str(), unchanged.header("etag")), ("", tag.as_str()), "{known}");
        }
        ann.sign_out("this").await.expect(204);
        let changed = ann.feed_unless(&tag, "").await.expect(200);
        assert_ne!(changed.header("etag"), tag);
        assert_eq!(ann.feed().await.header("etag"), changed.header("etag"), "the same content has the same tag");
    }

    async fn refuses_what_it_does_not_understand(app: App) {
        let anon = app.anon();
        for query in ["?wait=", "?wait=soon", "?wait=-1", "?wait=1.5"] {
            anon.send(anon.feed_request(query)).await.expect_problem(400, "invalid_wait");
        }
        anon.send(anon.request(Method::POST, FEED)).await.expect_problem(405, "method_not_allowed");
    }

    async fn a_long_poll_is_over_when_nothing_ends(app: App) {
        let anon = app.anon();
        let tag = anon.feed().await.header("etag").to_owned();
        let started = Instant::now();
        anon.feed_unless(&tag, "?wait=1").await.expect(304);
        assert!(started.elapsed() >= Duration::from_secs(1));
        // Who knows nothing, or something else, has nothing to wait for.
        anon.send(anon.feed_request(LONG)).await.expect(200);
        anon.feed_unless("W/\"other\"", LONG).await.expect(200);
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    async fn a_long_poll_wakes_up_when_a_session_ends_here_or_on_another_replica(app: App) {
        let replica = app.replica().await;
        let reader = replica.anon();
        // Its own end first, then the other replica's: the first is told, the second is seen.
        let mut there = replica.anon();
        there.sign_up("bob@example.org").await.expect(201);
        for ends in [there, app.sign_up("ann").await] {
            let tag = reader.feed().await.header("etag").to_owned();
            let started = Instant::now();
            let (answer, ended) = tokio::join!(reader.feed_unless(&tag, LONG), async {
                ends.sign_out("this").await.expect(204);
                Instant::now()
            });
            let answer = answer.expect(200);
            assert!(started.elapsed() < Duration::from_secs(30), "well before its wait");
            // The interval is half a second; the rest is for a machine that does something else, too.
            assert!(ended.elapsed() < Duration::from_secs(20), "{:?}", ended.elapsed());
            assert!(sessions(&reader.verified(&answer.text).await).contains(&ends.session.as_str()));
        }
        replica.stop().await;
    }

    async fn a_stream_says_it_at_once_and_at_each_change(app: App) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let replica = app.replica().await;
        let (mut here, mut there) = (bob.events().await, replica.anon().events().await);
        for events in [&mut here, &mut there] {
            assert_eq!(sessions(&bob.verified(&events.next().await.unwrap()).await), [] as [&str; 0]);
        }
        ann.sign_out("this").await.expect(204);
        for events in [&mut here, &mut there] {
            assert_eq!(sessions(&bob.verified(&events.next().await.unwrap()).await), [&ann.session]);
        }
        bob.sign_out("everywhere").await.expect(204);
        for events in [&mut here, &mut there] {
            assert_eq!(bob.verified(&events.next().await.unwrap()).await["users"], json!([[user(&bob), 1, null]]));
        }
        replica.stop().await;
        while there.next().await.is_some() {}
    }

    async fn only_so_many_may_wait(app: App, "http.max_watchers = 2\n") {
        let ann = app.sign_up("ann").await;
        let (one, two) = (ann.events().await, ann.events().await);
        let tag = ann.feed().await.expect(200).header("etag").to_owned();
        ann.feed_unless(&tag, LONG).await.expect_problem(503, "too_many_watchers");
        ann.feed_unless(&tag, "").await.expect(304);
        drop((one, two));
        // Their places are free once the service writes to them in vain.
        ann.sign_out("this").await.expect(204);
        let tag = ann.feed().await.expect(200).header("etag").to_owned();
        let started = Instant::now();
        while ann.feed_unless(&tag, "?wait=1").await.status == 503 {
            assert!(started.elapsed() < Duration::from_secs(30), "a place becomes free");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn the_packed_form_goes_on_from_a_version_on_any_replica(app: App, "tokens.algorithm = 'RS256'") {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let replica = app.replica().await;
        let (here, there) = (app.anon(), replica.anon());
        let whole = here.packed("0").await;
        assert_eq!((&whole.ended[..], &whole.claims["since"]), (&[][..], &Value::Null));
        ann.sign_out("this").await.expect(204);
        // What was answered with 204 is there for whoever asks next.
        let one = here.packed(&whole.version).await;
        assert_eq!((&one.ended[..], &one.claims["since"]), (std::slice::from_ref(&ann.session), &json!(whole.version)));
        let nothing = here.packed(&one.version).await;
        assert_eq!((&nothing.ended[..], &nothing.claims["since"]), (&[][..], &json!(one.version)));
        bob.sign_out("everywhere").await.expect(204);
        // The other replica goes on from it, or has everything.
        let started = Instant::now();
        let mut ended = vec![];
        while !ended.contains(&bob.session) {
            assert!(started.elapsed() < Duration::from_mins(1), "{ended:?}");
            ended = there.packed(&one.version).await.ended;
        }
        assert_eq!(ended.contains(&ann.session), app.backing.server.is_none(), "a file tells each process apart");
        let mut all = there.packed("0").await.ended;
        all.sort();
        let mut both = vec![ann.session, bob.session];
        both.sort();
        assert_eq!(all, both);
        replica.stop().await;
    }

    async fn a_long_poll_of_the_packed_form_wakes_up_and_says_when_nothing_came(app: App) {
        let ann = app.sign_up("ann").await;
        let reader = app.anon();
        let whole = reader.packed("0").await;
        let started = Instant::now();
        let query = format!("{}&wait=60", whole.version);
        let (woken, ()) = tokio::join!(reader.packed(&query), async {
            ann.sign_out("this").await.expect(204);
        });
        assert!(started.elapsed() < Duration::from_secs(30), "well before its wait");
        assert_eq!(woken.ended, std::slice::from_ref(&ann.session));
        let started = Instant::now();
        let nothing = reader.packed(&format!("{}&wait=1", woken.version)).await;
        assert!(started.elapsed() >= Duration::from_secs(1));
        assert_eq!((&nothing.ended[..], &nothing.claims["since"]), (&[][..], &json!(woken.version)));
    }

    async fn a_stream_of_the_packed_form_sends_changes_and_is_taken_up_again(app: App) {
        let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
        let mut events = bob.packed_events("?since=0", None).await;
        let whole = bob.next_packed(&mut events).await;
        assert_eq!((&whole.ended[..], &whole.claims["since"]), (&[][..], &Value::Null));
        ann.sign_out("this").await.expect(204);
        let change = bob.next_packed(&mut events).await;
        assert_eq!((&change.ended[..], &change.claims["since"]), (std::slice::from_ref(&ann.session), &json!(whole.version)));
        drop(events);
        let cleo = app.sign_up("cleo").await;
        cleo.sign_out("this").await.expect(204);
        let mut events = bob.packed_events("?since=0", Some(&change.version)).await;
        let missed = bob.next_packed(&mut events).await;
        assert_eq!(missed.ended, std::slice::from_ref(&cleo.session));
    }

    async fn a_version_that_is_old_or_of_elsewhere_is_answered_by_the_whole(app: App) {
        let (ann, reader) = (app.sign_up("ann").await, app.anon());
        ann.sign_out("this").await.expect(204);
        let whole = reader.packed("0").await;
        let mut parts: Vec<u64> = whole.version.split('.').map(|part| part.parse().unwrap()).collect();
        let text = |parts: &[u64]| parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
        parts[1] -= 300;
        let old = text(&parts);
        (parts[0], parts[1]) = (parts[0] + 1, parts[1] + 300);
        for version in [old, text(&parts)] {
            let answer = reader.packed(&version).await;
            assert_eq!((&answer.claims["since"], &answer.ended), (&Value::Null, &vec![ann.session.clone()]));
        }
        for bad in ["", "1", "x", "-1.2.3.4", "1.2.3.4.5.6%00"] {
            reader.send(reader.feed_request(&format!("?since={bad}"))).await.expect_problem(400, "invalid_since");
        }
    }

    async fn a_user_with_many_ends_is_told_by_what_lives(app: App) {
        let ann = app.sign_up("ann").await;
        let mut last = ann.clone();
        for _ in 0..12 {
            last.sign_in_again("ann@example.org").await.expect(200);
        }
        let replica = app.replica().await;
        let whole = replica.anon().packed("0").await;
        let user = user(&ann).as_str().unwrap().to_owned();
        assert_eq!(whole.only, [(user, vec![last.session.clone()])]);
        assert!(whole.ended.contains(&ann.session), "those of the last minutes are named, too");
        assert!(!whole.ended.contains(&last.session));
        let iat = whole.claims["iat"].as_u64().unwrap();
        assert_eq!(whole.claims["only"]["issued_before"], json!(iat - 120));
        replica.stop().await;
    }

    async fn stopping_does_not_wait_for_those_who_wait(app: App, "http.max_watchers = 6\n") {
        let replica = app.replica().await;
        let reader = replica.anon();
        let tag = reader.feed().await.header("etag").to_owned();
        let mut events = reader.events().await;
        events.next().await.expect("the first event");
        let polls: Vec<_> = (0..5).map(|_| actix_web::rt::spawn(poll(reader.clone(), tag.clone()))).collect();
        // When there is no place left, the stream and all polls wait.
        let started = Instant::now();
        while reader.feed_unless(&tag, "?wait=1").await.status != 503 {
            assert!(started.elapsed() < Duration::from_secs(30), "all places are taken");
            // The place is for those who try, too.
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let started = Instant::now();
        replica.stop().await;
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
        for poll in polls {
            poll.await.unwrap().expect(304);
        }
        assert_eq!(events.next().await, None, "the stream ended");
    }

    async fn many_ask_and_few_looks_are_made(app: App) {
        let ann = app.sign_up("ann").await;
        let answers = join_all((0..200).map(|_| ann.feed())).await;
        let mut seen: Vec<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert!(seen.len() <= 20, "one signature per second, not {} for 200 answers", seen.len());
    }
}

#[test]
fn without_postgres_the_feed_does_not_pretend() {
    with_config(
        Store::Server,
        "tokens.feed_interval = '50ms'",
        |app| async move {
            let ann = app.sign_up("ann").await;
            let tag = ann.feed().await.expect(200).header("etag").to_owned();
            let mut events = ann.events().await;
            events.next().await.unwrap();
            app.backing.server().postgres.cut();
            // An answer may be as old as the interval; after that nobody knows.
            let started = Instant::now();
            while ann.feed().await.status == 200 {
                assert!(
                    started.elapsed() < Duration::from_mins(1),
                    "the outage is not noticed"
                );
            }
            ann.feed().await.expect_problem(503, "unavailable");
            ann.feed_unless(&tag, "?wait=1")
                .await
                .expect_problem(503, "unavailable");

            app.backing.server().postgres.restore();
            let started = Instant::now();
            while ann.feed().await.status != 200 {
                assert!(
                    started.elapsed() < Duration::from_mins(1),
                    "the feed does not recover"
                );
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            ann.sign_out("this").await.expect(204);
            assert_eq!(
                sessions(&ann.verified(&events.next().await.unwrap()).await),
                [&ann.session],
                "the stream goes on"
            );
        },
    );
}

#[test]
fn what_ended_long_ago_is_not_listed() {
    with_config(
        Store::Server,
        "tokens.id_lifetime = '2s'",
        |app| async move {
            let (ann, bob) = (app.sign_up("ann").await, app.sign_up("bob").await);
            ann.sign_out("everywhere").await.expect(204);
            bob.sign_out("this").await.expect(204);
            let claims = ann.revoked().await;
            assert_eq!(
                (&claims["window"], sessions(&claims).len()),
                (&json!(122), 2)
            );
            assert_eq!(claims["users"].as_array().unwrap().len(), 1);
            // Time passes in the store, but for Bob.
            let url = app.backing.server().postgres_url.as_str();
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
                .await
                .unwrap();
            actix_web::rt::spawn(connection);
            let shift = "UPDATE users SET epoch_raised_at = epoch_raised_at - interval '124s'; \
             UPDATE sessions SET ended_at = ended_at - interval '124s' WHERE user_id IN (SELECT id FROM users WHERE session_epoch > 0)";
            client.batch_execute(shift).await.unwrap();
            // A replica that runs goes on from what it has read; one that starts reads everything.
            let replica = app.replica().await;
            let claims = replica.anon().revoked().await;
            assert_eq!(
                (sessions(&claims), &claims["users"]),
                (vec![bob.session.as_str()], &json!([]))
            );
            replica.stop().await;
        },
    );
}
