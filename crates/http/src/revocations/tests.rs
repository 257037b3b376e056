//! What reading the feed takes, counted by the memory that slices point to.

use super::feed::{Demand, Feed, FeedSettings};
use super::revocations;
use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    http::StatusCode,
    test::TestRequest,
    web::{Bytes, Data},
};
use futures_util::{
    future::{join_all, poll_fn},
    poll,
};
use revolve_domain::{
    model::SessionId,
    ports::{Clock, RevocationSigner, SignError},
    revocations::{PackedStatement, RevocationStatement},
    use_cases::SignOutScope,
};
use revolve_testkit::World;
use secrecy::SecretString;
use std::{
    iter,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

const MIB: usize = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);
const STREAM: (&str, &str) = ("Accept", "text/event-stream");

/// Signs with texts of one length that begin with the time of the statement.
struct LongSigner {
    len: usize,
    signed: AtomicUsize,
    /// The next whole statement is not signed before this has a message, or an end.
    held: Mutex<Option<mpsc::Receiver<()>>>,
    /// A whole statement is about to be signed.
    begun: Notify,
}

impl LongSigner {
    fn hold(&self) -> mpsc::Sender<()> {
        let (sender, receiver) = mpsc::channel();
        *self.held.lock().unwrap() = Some(receiver);
        sender
    }

    fn text(&self, statement: &RevocationStatement) -> String {
        let mut text = format!("{}.", statement.as_of.as_seconds());
        text.extend(iter::repeat_n('0', self.len - text.len()));
        text
    }
}

impl RevocationSigner for LongSigner {
    fn sign_revocations(&self, statement: &RevocationStatement) -> Result<SecretString, SignError> {
        self.signed.fetch_add(1, Ordering::Relaxed);
        Ok(self.text(statement).into())
    }

    fn sign_packed(&self, statement: &PackedStatement) -> Result<String, SignError> {
        self.signed.fetch_add(1, Ordering::Relaxed);
        if statement.since.is_none() {
            self.begun.notify_one();
            let held = self.held.lock().unwrap().take();
            held.map(|held| held.recv().ok());
        }
        let as_of = statement.as_of.as_seconds();
        let head = if let Some(since) = &statement.since {
            format!("{}|{since}|", statement.version)
        } else {
            let mut text = format!("{}|{as_of}|", statement.version);
            text.extend(iter::repeat_n('0', self.len.saturating_sub(text.len())));
            text
        };
        let ended = statement.ends.iter().flat_map(|ends| &ends.sessions);
        Ok(ended.fold(head, |text, session| format!("{text}{session},")))
    }
}

struct Served {
    world: World,
    feed: Data<Feed>,
    signer: Arc<LongSigner>,
}

impl Served {
    /// Runs a test with a feed of statements of that length.
    fn run(
        len: usize,
        memory: usize,
        test: impl AsyncFnOnce(&Self),
    ) -> Pin<Box<impl Future<Output = ()>>> {
        // A world of use cases is large.
        Box::pin(Self::run_within(len, memory, test))
    }

    async fn run_within(len: usize, memory: usize, test: impl AsyncFnOnce(&Self)) {
        let world = World::new();
        let signer = Arc::new(LongSigner {
            len,
            signed: AtomicUsize::new(0),
            held: Mutex::default(),
            begun: Notify::new(),
        });
        let settings = FeedSettings {
            interval: Duration::ZERO,
            max_watchers: 1000,
            memory,
        };
        let demand = Arc::new(Demand::default());
        let looks = world.revocation_feed.clone();
        let feed = Data::new(Feed::new(looks, signer.clone(), demand, settings));
        let served = Self {
            world,
            feed,
            signer,
        };
        tokio::select! {
            () = test(&served) => {}
            () = served.feed.keep_looking() => unreachable!("it looks for ever"),
        }
    }

    async fn ask(&self, host: u8, query: &str, header: (&str, &str)) -> HttpResponse {
        let request = TestRequest::with_uri(&format!("/{query}"))
            .insert_header(header)
            .peer_addr(SocketAddr::from(([192, 0, 2, host], 4711)))
            .to_http_request();
        match revocations(request, self.feed.clone()).await {
            Ok(answer) => answer,
            Err(problem) => actix_web::ResponseError::error_response(&problem),
        }
    }

    async fn reader(&self, host: u8) -> BoxBody {
        let answer = self.ask(host, "", ("Accept", "*/*")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        answer.into_body()
    }

    fn signatures(&self) -> usize {
        self.signer.signed.load(Ordering::Relaxed)
    }
}

async fn next(body: &mut BoxBody) -> Option<Bytes> {
    let part = poll_fn(|context| Pin::new(&mut *body).poll_next(context)).await;
    part.map(|part| part.expect("no part fails"))
}

/// All that is still to come at once.
async fn rest(body: &mut BoxBody) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(part) = next(body).await {
        all.extend_from_slice(&part);
    }
    all
}

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
