//! The revocation feed: one look into the user database serves everybody who asks. A single task looks, only while
//! somebody wants to know, and hands what it saw to all requests at once; what ended is the domain's to say.

mod buffers;
mod deltas;
mod demand;
mod document;
mod events;
mod reads;
mod transfer;
mod whole;

pub use demand::Demand;
pub(crate) use document::{DocumentMark, FeedDocument};
use document::{FeedRevision, NotMade};
pub use events::EndNotices;
pub(crate) use transfer::{Transfer, TransferStep};

use crate::kit::{
    places::{NoPlace, Place, Places},
    sliced::SLICE,
};
use buffers::{Buffers, SharedBuffer};
use deltas::Deltas;
use reads::Reads;
use revolve_domain::{
    limits::AddressRange,
    ports::{RevocationSigner, StoreError},
    revocations::{FeedVersion, RevocationLog},
    use_cases::RevocationFeed,
};
use revolve_observe::telemetry::chain;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use whole::WholeStatements;

/// Looks never follow each other faster, however much ends.
const REST: Duration = Duration::from_millis(20);
/// A look that takes longer than any time-out of a store will not come.
const PATIENCE: Duration = Duration::from_secs(10);
/// What a reader in the midst of a document has in memory: its connection, with a slice in its write buffer.
const PER_READER: usize = 16 * 1024;
/// Statements are signed at this rate at most, in bytes a second, and at least once a second: a reader gets to the end of one
/// before those that come after it push it out of memory.
const SIGNED_BYTES: u64 = 2 << 20;
/// The longest pause between two of them.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a feed may take.
#[derive(Clone, Copy, Debug)]
pub struct FeedSettings {
    /// It looks at least so often while somebody wants to know.
    pub interval: Duration,
    /// Clients that may wait for a change at once.
    pub max_watchers: usize,
    /// Bytes for reading, beside the newest statement of each form: half for readers that are being sent one, and for each form a
    /// quarter for older ones that are still being read; one older of each form may always stay. What came since the versions that
    /// clients hold takes another quarter, half of it for those that were told last; who would need more gets the whole.
    pub memory: usize,
}

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
pub(crate) struct TooManyWatchers;

/// Why a document can't be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NotSent {
    /// Nobody knows what ended.
    Down,
    /// It can't be signed.
    Unsigned,
    /// Too many are reading.
    TooManyReaders,
    /// It is longer than those take who ask for it.
    TooLong,
}

impl From<FeedDown> for NotSent {
    fn from(_: FeedDown) -> Self {
        Self::Down
    }
}

impl From<NotMade> for NotSent {
    fn from(reason: NotMade) -> Self {
        match reason {
            NotMade::Unsigned => Self::Unsigned,
            NotMade::TooLong => Self::TooLong,
            NotMade::Down => Self::Down,
        }
    }
}

impl From<NoPlace> for NotSent {
    fn from(_: NoPlace) -> Self {
        Self::TooManyReaders
    }
}

/// The buffers of plain statements, of whole ones in the packed form, and of deltas.
const PLAIN: usize = 0;
const WHOLE: usize = 1;
const DELTA: usize = 2;

/// What everybody who asks shares.
pub struct Feed {
    use_case: RevocationFeed,
    reads: Arc<Reads>,
    signer: Arc<dyn RevocationSigner>,
    demand: Arc<Demand>,
    interval: Duration,
    looks: watch::Sender<Look>,
    watchers: Arc<Places>,
    readers: Arc<Places>,
    /// Each form has its own pace, and must not push out another.
    buffers: [Arc<Buffers>; 3],
    deltas: Arc<Mutex<Deltas>>,
    whole: Arc<WholeStatements>,
    /// When a plain statement may be signed next.
    next_signature: Mutex<Option<Instant>>,
    versions: AtomicU64,
    closing: CancellationToken,
}

impl Feed {
    /// A feed that nobody reads yet.
    pub fn new(
        use_case: RevocationFeed,
        signer: Arc<dyn RevocationSigner>,
        demand: Arc<Demand>,
        settings: FeedSettings,
    ) -> Self {
        let quarter = settings.memory / 4;
        let buffers = std::array::from_fn(|_| Arc::new(Buffers::new(quarter)));
        let deltas = Arc::new(Mutex::new(Deltas::new(quarter)));
        let whole = WholeStatements::new(
            Arc::clone(&signer),
            Arc::clone(&buffers[WHOLE]),
            Arc::clone(&deltas),
        );
        Self {
            use_case,
            reads: Arc::default(),
            deltas,
            whole: Arc::new(whole),
            signer,
            demand,
            interval: settings.interval,
            looks: watch::Sender::new(Look::default()),
            watchers: Places::new(settings.max_watchers),
            readers: Places::new((settings.memory / 2 / PER_READER).max(1)),
            buffers,
            next_signature: Mutex::default(),
            versions: AtomicU64::new(0),
            closing: CancellationToken::new(),
        }
    }

    /// Looks as long as it is polled.
    pub async fn keep_looking(&self) {
        tokio::join!(self.look_for_news(), self.reads.keep_whole(&self.use_case));
    }

    async fn look_for_news(&self) {
        loop {
            self.demand.wanted(|| self.watchers.held() > 0).await;
            let (number, at) = (self.demand.number(), Instant::now());
            let outcome = self.reads.read(&self.use_case).await;
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

    fn publish(&self, answers: u64, at: Instant, outcome: Result<u64, StoreError>) {
        let last = self.looks.borrow().document.clone();
        let document = match outcome {
            Ok(revision) => self.reads.with(|log| {
                let seen = FeedRevision {
                    revision,
                    source: log.version().snapshot.source(),
                    as_of: log.version().as_of,
                    window: log.window(),
                };
                // The same document keeps its signature.
                last.filter(|last| last.is_of(seen)).unwrap_or_else(|| {
                    Arc::new(FeedDocument::plain(
                        Arc::clone(&self.reads),
                        seen,
                        self.next_version(),
                    ))
                })
            }),
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

    /// Waits until the content is none that `known` knows, for so long at most or until the service stops; what it is then.
    pub(crate) async fn changed(
        &self,
        known: impl Fn(&FeedDocument) -> bool,
        wait: Duration,
    ) -> Result<Arc<FeedDocument>, FeedDown> {
        let mut looks = self.watch();
        let news = looks.wait_for(|look| look.document().is_ok_and(|document| !known(document)));
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = sleep(wait) => {}
            Ok(_) = news => {}
        }
        // Unchanged can be said only of what was seen.
        self.looks.borrow().document().cloned()
    }

    /// Every look from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Look> {
        self.looks.subscribe()
    }

    /// A place among those who may wait; while one is taken, the looks go on.
    pub(crate) fn watcher(&self, address: Option<AddressRange>) -> Result<Place, TooManyWatchers> {
        self.watchers.try_take(address).map_err(|_| TooManyWatchers)
    }

    /// How many ends are in the window; none while nobody wants to know.
    pub fn ends(&self) -> usize {
        self.reads.with(RevocationLog::len).unwrap_or(0)
    }

    /// About the length of a whole statement in the packed and in the plain form, in bytes.
    pub fn lengths(&self) -> [usize; 2] {
        self.reads.with(RevocationLog::lengths).unwrap_or_default()
    }

    /// How many wait for a change.
    pub fn watchers(&self) -> usize {
        self.watchers.held()
    }

    /// How many are in the midst of a statement.
    pub fn readers(&self) -> usize {
        self.readers.held()
    }

    /// How many wait for their turn to read one.
    pub fn waiting_readers(&self) -> usize {
        self.readers.waiting()
    }

    /// The bytes of all statements that are in memory to be sent.
    pub fn buffered(&self) -> usize {
        self.buffers.iter().map(|buffers| buffers.bytes()).sum()
    }

    fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether a client that holds this version lacks something.
    pub(crate) fn is_news_to(&self, known: &FeedVersion) -> bool {
        let is_news = |log: &RevocationLog, upto: &FeedVersion| log.is_news_to(known, upto);
        self.reads.with_tick(false, is_news).unwrap_or(false)
    }

    /// Waits until there is something that a client lacks which holds this version, for so long at most or until the service stops.
    pub(crate) async fn news(&self, known: &FeedVersion, wait: Duration) {
        let mut looks = self.watch();
        let news = async { while !self.is_news_to(known) && looks.changed().await.is_ok() {} };
        tokio::select! {
            () = self.closing.cancelled() => {}
            () = sleep(wait) => {}
            () = news => {}
        }
    }

    /// What came since a version in the packed form, or the whole; up to now if that is asked for, else up to a moment ago. Nothing
    /// that would take back who holds the version.
    pub(crate) fn packed(
        &self,
        known: Option<&FeedVersion>,
        newest: bool,
        address: Option<AddressRange>,
    ) -> Result<Arc<FeedDocument>, NotSent> {
        let look = self.looks.borrow().document().cloned()?;
        if let Some(known) = known {
            let delta = self.reads.with_tick(newest, |log, upto| {
                self.deltas().get(known, upto, address, |most| {
                    let statement = log.delta(known, upto, most)?;
                    Some(FeedDocument::delta(statement, look.seen(), look.version()))
                })
            });
            if let Some(delta) = delta.ok_or(FeedDown)? {
                return Ok(delta);
            }
        }
        let reads = Arc::clone(&self.reads);
        let new = || FeedDocument::whole(reads, look.seen(), look.version());
        let whole = self.whole.document(look.seen(), known, new);
        // It keeps what it has: soon there is another one.
        whole.ok_or(NotSent::TooManyReaders)
    }

    /// Sends the document, or a newer one, once it is the address's turn.
    pub(crate) async fn send(
        &self,
        document: Arc<FeedDocument>,
        address: Option<AddressRange>,
    ) -> Result<(DocumentMark, Transfer), NotSent> {
        let form = StatementForm::of(&document);
        let (mut mark, mut buffer) = self.signed(document).await?;
        if buffer.len() <= SLICE {
            return Ok((mark, Transfer::new(buffer, None)));
        }
        let place = self.readers.take(address, PATIENCE).await?;
        if buffer.is_gone() {
            let newest = self.newest(&form, address)?;
            (mark, buffer) = self.signed(newest).await?;
        }
        Ok((mark, Transfer::new(buffer, Some(place))))
    }

    /// The newest document of the same form.
    fn newest(
        &self,
        form: &StatementForm,
        address: Option<AddressRange>,
    ) -> Result<Arc<FeedDocument>, NotSent> {
        match form {
            StatementForm::Plain => Ok(self.looks.borrow().document().cloned()?),
            StatementForm::Packed(since) => self.packed(since.as_ref(), true, address),
        }
    }

    /// The document as it is signed, or a newer one if it is too early to sign another.
    async fn signed(
        &self,
        mut document: Arc<FeedDocument>,
    ) -> Result<(DocumentMark, Arc<SharedBuffer>), NotSent> {
        loop {
            if let Some(signed) = document.signed() {
                return Ok(signed?);
            }
            match StatementForm::of(&document) {
                StatementForm::Packed(Some(_)) => {
                    return Ok(document.sign(&*self.signer, &self.buffers[DELTA])?);
                }
                StatementForm::Packed(None) => {
                    let newest = || self.packed(None, false, None);
                    return self.whole.signed(document, newest).await;
                }
                StatementForm::Plain => {}
            }
            let next = *self.next_signature();
            if let Some(next) = next.filter(|next| *next > Instant::now()) {
                drop(document);
                sleep_until(next).await;
                document = self.looks.borrow().document().cloned()?;
            } else {
                let signed = document.sign(&*self.signer, &self.buffers[PLAIN]);
                let len = signed.map_or(0, |(_, buffer)| buffer.len());
                *self.next_signature() = Some(Instant::now() + pause(len).min(LONGEST_PAUSE));
            }
        }
    }

    fn deltas(&self) -> MutexGuard<'_, Deltas> {
        self.deltas.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_signature(&self) -> MutexGuard<'_, Option<Instant>> {
        let next = self.next_signature.lock();
        next.unwrap_or_else(PoisonError::into_inner)
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

/// How long no other statement is signed after one of so many bytes.
fn pause(bytes: usize) -> Duration {
    let millis = u64::try_from(bytes)
        .unwrap_or(u64::MAX)
        .saturating_mul(1000)
        / SIGNED_BYTES;
    Duration::from_millis(millis)
}

/// What a client asks for.
enum StatementForm {
    Plain,
    /// What came since a version, or the whole.
    Packed(Option<FeedVersion>),
}

impl StatementForm {
    fn of(document: &FeedDocument) -> Self {
        match document.since() {
            Some(since) => Self::Packed(Some(since.clone())),
            None if document.is_whole() => Self::Packed(None),
            None => Self::Plain,
        }
    }
}
