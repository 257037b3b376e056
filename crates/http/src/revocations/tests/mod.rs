//! What reading the feed takes, counted by the memory that slices point to.

mod deltas;
mod readers;

use super::{
    feed::{Demand, Feed, FeedSettings},
    revocations,
};
use actix_web::{
    HttpResponse,
    body::{BoxBody, MessageBody},
    http::StatusCode,
    test::TestRequest,
    web::{Bytes, Data},
};
use futures_util::future::poll_fn;
use revolve_domain::{
    ports::{RevocationSigner, SignError},
    revocations::{PackedStatement, RevocationStatement},
};
use revolve_testkit::World;
use secrecy::SecretString;
use std::{
    iter,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::sync::Notify;

const MIB: usize = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);

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
