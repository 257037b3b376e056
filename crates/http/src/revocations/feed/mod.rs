//! The revocation feed: one look into the user database serves everybody who asks. A single task looks, only while
//! somebody wants to know, and hands what it saw to all requests at once; what ended is the domain's to say.

mod demand;
mod document;
mod events;
mod reads;

pub use demand::Demand;
pub(crate) use document::FeedDocument;
pub use events::EndNotices;
use reads::Reads;

use revolve_domain::{
    ports::{RevocationSigner, StoreError},
    revocations::{RevocationLog, RevocationStatement},
    use_cases::RevocationFeed,
};
use revolve_observe::telemetry::chain;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Looks never follow each other faster, however much ends.
const REST: Duration = Duration::from_millis(20);
/// A look that takes longer than any time-out of a store will not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last look into the user database.
#[derive(Clone, Default)]
pub(crate) struct Look {
    /// All demands up to this number are met by it.
    answers: u64,
    /// When it began.
    at: Option<Instant>,
    /// What was seen; `None` if the user database did not answer: then nobody knows what ended.
    document: Option<Arc<FeedDocument>>,
}

impl Look {
    /// What was seen, if the last look saw anything.
    pub(crate) fn document(&self) -> Result<&Arc<FeedDocument>, FeedDown> {
        self.document.as_ref().ok_or(FeedDown)
    }
}

/// The user database does not answer. What was known before is not passed on: it would claim to be complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeedDown;

/// As many watch as are allowed to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoPlace;

/// What everybody who asks shares.
pub struct Feed {
    use_case: RevocationFeed,
    reads: Reads,
    signer: Arc<dyn RevocationSigner>,
    demand: Arc<Demand>,
    interval: Duration,
    looks: watch::Sender<Look>,
    places: Arc<Semaphore>,
    max_watchers: usize,
    closing: CancellationToken,
}

impl Feed {
    /// A feed that looks at least each `interval` while somebody wants to know.
    pub fn new(
        use_case: RevocationFeed,
        signer: Arc<dyn RevocationSigner>,
        demand: Arc<Demand>,
        interval: Duration,
        max_watchers: usize,
    ) -> Self {
        let max_watchers = max_watchers.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(max_watchers));
        let (looks, closing) = (
            watch::Sender::new(Look::default()),
            CancellationToken::new(),
        );
        Self {
            use_case,
            reads: Reads::default(),
            signer,
            demand,
            interval,
            looks,
            places,
            max_watchers,
            closing,
        }
    }

    /// Looks as long as it is polled.
    pub async fn keep_looking(&self) {
        loop {
            self.demand
                .wanted(|| self.places.available_permits() < self.max_watchers)
                .await;
            let (number, at) = (self.demand.number(), Instant::now());
            let outcome = self.look().await;
            self.publish(number, at, outcome);
            sleep(REST).await;
            // An end on this replica is a demand; an end on another one is seen when the time is over.
            drop(
                timeout(
                    self.interval.saturating_sub(REST),
                    self.demand.beyond(number),
                )
                .await,
            );
        }
    }

    async fn look(&self) -> Result<RevocationStatement, StoreError> {
        self.reads.read(&self.use_case).await?;
        let statement = self.reads.with(RevocationLog::plain);
        Ok(statement.expect("it was just read"))
    }

    fn publish(&self, answers: u64, at: Instant, outcome: Result<RevocationStatement, StoreError>) {
        let last = self.looks.borrow().document.clone();
        let document = match outcome {
            // The same document keeps its signature.
            Ok(statement) => Some(
                last.filter(|last| last.says(&statement))
                    .unwrap_or_else(|| Arc::new(FeedDocument::new(statement))),
            ),
            Err(error) => {
                // Once per outage, not once per look.
                if last.is_some() || self.looks.borrow().at.is_none() {
                    tracing::warn!(error = %chain(&error), "the revocation feed can't be read");
                }
                None
            }
        };
        self.looks.send_replace(Look {
            answers,
            at: Some(at),
            document,
        });
    }

    /// What has ended up to now: at most the interval old, and never older than the last end on this replica.
    pub(crate) async fn current(&self) -> Result<Arc<FeedDocument>, FeedDown> {
        let fresh = {
            let look = self.looks.borrow();
            let young = look.at.is_some_and(|at| at.elapsed() < self.interval)
                && look.answers >= self.demand.number();
            young.then(|| look.document().cloned())
        };
        if let Some(document) = fresh {
            self.demand.still_wanted();
            return document;
        }
        let number = self.demand.ask();
        let mut looks = self.looks.subscribe();
        let look = timeout(PATIENCE, looks.wait_for(|look| look.answers >= number)).await;
        look.ok()
            .and_then(Result::ok)
            .ok_or(FeedDown)?
            .document()
            .cloned()
    }

    /// Waits until the content is none that `known` knows, for so long at most or until the service stops.
    pub(crate) async fn changed(
        &self,
        known: impl Fn(&FeedDocument) -> bool,
        wait: Duration,
    ) -> Result<Option<Arc<FeedDocument>>, FeedDown> {
        let mut looks = self.watch();
        let news = looks.wait_for(|look| look.document().is_ok_and(|document| !known(document)));
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = sleep(wait) => {}
            Ok(look) = news => return look.document().cloned().map(Some),
        }
        // Unchanged can be said only of what was seen.
        self.looks.borrow().document().map(|_| None)
    }

    /// Every look from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Look> {
        self.looks.subscribe()
    }

    /// A place among those who may wait; while one is taken, the looks go on.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, NoPlace> {
        Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| NoPlace)
    }

    /// How many wait for a change.
    pub fn watchers(&self) -> usize {
        self.max_watchers - self.places.available_permits()
    }

    /// Signs, at most once for each document.
    pub(crate) fn sign<'d>(&self, document: &'d FeedDocument) -> Option<&'d str> {
        document.jws(&*self.signer)
    }

    /// Answers all waiting requests and ends the streams.
    pub fn close(&self) {
        self.closing.cancel();
    }

    /// Whether, or when, everybody is sent home.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.closing
    }
}
