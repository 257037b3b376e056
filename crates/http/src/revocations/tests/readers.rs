//! How many read a statement, for how long, and who gives way.

use super::{MIB, SECOND, Served, next, rest};
use actix_web::{body::BoxBody, http::StatusCode, web::Bytes};
use futures_util::poll;
use revolve_domain::ports::Clock;
use std::{pin::pin, time::Duration};
use tokio::time::Instant;

const STREAM: (&str, &str) = ("Accept", "text/event-stream");

/// The next event of a stream, from its first part to its last.
async fn event(body: &mut BoxBody) -> Vec<Bytes> {
    let mut parts = Vec::new();
    while !parts.ends_with(&[Bytes::from_static(b"\n\n")]) {
        parts.push(next(body).await.expect("the stream goes on"));
    }
    parts
}

#[tokio::test(start_paused = true)]
async fn however_many_read_a_statement_it_is_in_memory_once() {
    Served::run(MIB, 64 * MIB, async |served| {
        let mut bodies = Vec::new();
        for _ in 0..400 {
            bodies.push(served.reader(1).await);
        }
        let mut streams = Vec::new();
        for _ in 0..300 {
            streams.push(served.ask(1, "", STREAM).await.into_body());
        }
        let mut slices = Vec::new();
        for body in &mut bodies {
            slices.push(next(body).await.expect("the first slice"));
        }
        for stream in &mut streams {
            let begin = next(stream).await.expect("the beginning of an event");
            assert_eq!(begin, "event: revocations\ndata: ");
            slices.push(next(stream).await.expect("the first slice"));
        }
        let first = &slices[0];
        assert!(slices.iter().all(|slice| slice.as_ptr() == first.as_ptr()));
        assert!(slices.iter().all(|slice| slice.len() <= 8192));
        assert_eq!((served.feed.buffered(), served.signatures()), (MIB, 1));
        assert_eq!((served.feed.readers(), served.feed.watchers()), (700, 300));
        for body in &mut bodies {
            let all = rest(body).await;
            assert_eq!(first.len() + all.len(), MIB);
        }
        for stream in &mut streams {
            let parts = event(stream).await;
            let rest: usize = parts.iter().map(Bytes::len).sum();
            assert_eq!(first.len() + rest, MIB + 2);
        }
        drop(bodies);
        assert_eq!((served.feed.readers(), served.feed.watchers()), (0, 300));
        drop(streams);
        assert_eq!((served.feed.readers(), served.feed.watchers()), (0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn older_statements_are_bounded_whatever_their_readers_do() {
    Served::run(MIB, 8 * MIB, async |served| {
        let mut bodies = Vec::new();
        for _ in 0..100 {
            let mut body = served.reader(1).await;
            next(&mut body).await.expect("the first slice");
            bodies.push(body);
            served.world.advance(SECOND);
            assert!(served.feed.buffered() <= 3 * MIB);
        }
        assert_eq!(served.signatures(), 100, "each reads another one");
        let (mut whole, mut cut) = (0, 0);
        for body in &mut bodies {
            if rest(body).await.is_empty() {
                cut += 1;
            } else {
                whole += 1;
            }
        }
        assert_eq!((whole, cut), (3, 97));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_change_keeps_no_statement_in_memory() {
    Served::run(MIB, 64 * MIB, async |served| {
        let any = ("If-None-Match", "*");
        let mut waiting = Vec::new();
        for _ in 0..10 {
            drop(served.reader(1).await);
            let mut poll = Box::pin(served.ask(1, "?wait=60", any));
            // It looks first.
            let looked = tokio::time::timeout(SECOND, &mut poll).await;
            assert!(looked.is_err(), "it waits");
            waiting.push(poll);
            served.world.advance(SECOND);
        }
        drop(served.reader(1).await);
        assert_eq!((served.feed.buffered(), served.feed.watchers()), (MIB, 10));
        for poll in waiting {
            assert_eq!(poll.await.status(), StatusCode::NOT_MODIFIED);
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_large_statement_is_replaced_no_faster_than_it_can_be_read() {
    for (len, pause) in [
        (1000, Duration::ZERO),
        (MIB, Duration::from_millis(500)),
        (3 * MIB, SECOND),
    ] {
        Served::run(len, 16 * MIB, async |served| {
            drop(served.reader(1).await);
            let begun = Instant::now();
            for turn in 1..5 {
                served.world.advance(SECOND);
                let mut body = served.reader(1).await;
                let slice = next(&mut body).await.expect("a slice");
                let now = served.world.clock.now().as_seconds();
                assert!(
                    slice.starts_with(format!("{now}.").as_bytes()),
                    "the newest"
                );
                let took = begun.elapsed();
                assert!(took >= pause * turn, "{took:?}");
                // Looks have a rest of their own.
                let most = pause.max(Duration::from_millis(25)) * turn;
                assert!(took <= most + Duration::from_millis(100), "{took:?}");
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_waits_for_its_turn_and_an_address_with_many_gives_way() {
    // 64 readers.
    Served::run(MIB, 2 * MIB, async |served| {
        let mut greedy = Vec::new();
        for _ in 0..64 {
            greedy.push(served.reader(1).await);
        }
        // More of the same address wait, and in the end are told so.
        let begun = Instant::now();
        let refused = served.ask(1, "", ("Accept", "*/*")).await;
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(refused.headers().get("retry-after").unwrap(), "1");
        assert!(begun.elapsed() >= Duration::from_secs(10));
        assert!(begun.elapsed() < Duration::from_secs(11));
        // Another address does not wait.
        let begun = Instant::now();
        let mut other = served.reader(2).await;
        assert!(begun.elapsed() < SECOND);
        assert_eq!(rest(&mut other).await.len(), MIB);
        assert!(rest(&mut greedy[0]).await.is_empty(), "the oldest gave way");
        assert_eq!(rest(&mut greedy[1]).await.len(), MIB);
        drop(other);
        // Who waits is served as soon as there is a place.
        greedy.push(served.reader(1).await);
        let mut waits = pin!(served.ask(1, "", ("Accept", "*/*")));
        assert!(tokio::time::timeout(SECOND, &mut waits).await.is_err());
        assert_eq!(served.feed.waiting_readers(), 1);
        drop(greedy.pop());
        assert!(poll!(&mut waits).is_ready());
        assert_eq!(served.feed.waiting_readers(), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_is_too_slow_is_cut_off() {
    Served::run(MIB, 16 * MIB, async |served| {
        let (mut slow, mut quick) = (served.reader(1).await, served.reader(1).await);
        let mut stream = served.ask(1, "", STREAM).await.into_body();
        for _ in 0..2 {
            next(&mut slow).await.expect("a slice");
            next(&mut stream).await.expect("a part");
        }
        assert_eq!(rest(&mut quick).await.len(), MIB);
        tokio::time::advance(Duration::from_secs(121)).await;
        assert!(rest(&mut slow).await.is_empty());
        assert_eq!(next(&mut stream).await, None);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn watchers_of_an_address_give_way_to_others() {
    Served::run(100, 16 * MIB, async |served| {
        let mut poll = Box::pin(served.ask(1, "?wait=60", ("If-None-Match", "*")));
        let waits = tokio::time::timeout(SECOND, &mut poll).await;
        assert!(waits.is_err());
        let mut greedy = Vec::new();
        for _ in 0..999 {
            let answer = served.ask(1, "", STREAM).await;
            assert_eq!(answer.status(), StatusCode::OK);
            greedy.push(answer.into_body());
        }
        let more = served.ask(1, "", STREAM).await;
        assert_eq!(more.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(more.headers().get("retry-after").unwrap(), "1");
        let mut others = Vec::new();
        for _ in 0..500 {
            let mut other = served.ask(2, "", STREAM).await.into_body();
            assert_eq!(event(&mut other).await.len(), 3);
            others.push(other);
        }
        let more = served.ask(2, "", STREAM).await;
        assert_eq!(more.status(), StatusCode::SERVICE_UNAVAILABLE);
        // The oldest gave way: it is answered, and a stream ends.
        assert_eq!(poll.await.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(next(&mut greedy[498]).await, None);
        assert_eq!(event(&mut greedy[499]).await.len(), 3);
        assert_eq!(served.feed.watchers(), 1000);
    })
    .await;
}
