//! Statements of what came since a version: clients that hold the same version share one.

use super::FeedDocument;
use revolve_domain::revocations::FeedVersion;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// So many versions that this replica has told are remembered: two minutes of ticks, less while clients ask without waiting.
const REMEMBERED: usize = 600;
/// Each costs a signature, and anybody can make up a version: so many that this replica has not told are answered within
/// [`STRANGE_WITHIN`]; more get the whole. While little happens a replica tells a new version about once a second to one of those
/// that wait for 25 s, so that ten replicas know 250 of each other's.
const STRANGE: usize = 256;
const STRANGE_WITHIN: Duration = Duration::from_millis(250);

/// What an end takes in bytes: its id in the statement, and in the text.
const PER_END: usize = 16 + 22;
/// What a delta takes beside its ends, in bytes, and what each commit that its versions name takes.
const PER_DELTA: usize = 4096;
const PER_COMMIT: usize = 32;

/// Documents that lead to one version, and the versions that were told.
pub(super) struct Deltas {
    /// Bytes that the documents may take together, about.
    limit: usize,
    bytes: usize,
    upto: Option<FeedVersion>,
    since: HashMap<FeedVersion, Arc<FeedDocument>>,
    /// How many strange versions were answered, and since when that is counted.
    strange: Option<(Instant, usize)>,
    told: VecDeque<FeedVersion>,
}

impl Deltas {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            upto: None,
            since: HashMap::new(),
            strange: None,
            told: VecDeque::new(),
        }
    }

    /// The document that leads from one version to the other: one that was made before, or one that `make` makes of at most so many
    /// ends. `None` if there is none, or if that would be too many: of the room, strange versions get one half at most.
    pub(super) fn get(
        &mut self,
        known: &FeedVersion,
        upto: &FeedVersion,
        make: impl FnOnce(usize) -> Option<FeedDocument>,
    ) -> Option<Arc<FeedDocument>> {
        if self.upto.as_ref() != Some(upto) {
            self.since.clear();
            self.bytes = 0;
            self.upto = Some(upto.clone());
            self.tell(upto);
        }
        if let Some(made) = self.since.get(known) {
            return Some(Arc::clone(made));
        }
        let is_strange = !self.told.contains(known);
        let limit = if is_strange {
            self.limit / 2
        } else {
            self.limit
        };
        let commits = known.snapshot.unseen().len() + upto.snapshot.unseen().len();
        let around = PER_DELTA + PER_COMMIT * commits;
        let room = limit.checked_sub(self.bytes)?.checked_sub(around)?;
        if is_strange && !self.may_answer_strange() {
            return None;
        }
        let made = Arc::new(make(room / PER_END)?);
        self.bytes += around + PER_END * made.ends();
        self.since.insert(known.clone(), Arc::clone(&made));
        Some(made)
    }

    fn may_answer_strange(&mut self) -> bool {
        let (since, answered) = self
            .strange
            .filter(|(since, _)| since.elapsed() < STRANGE_WITHIN)
            .unwrap_or_else(|| (Instant::now(), 0));
        self.strange = Some((since, answered + 1));
        answered < STRANGE
    }

    /// A version is told to clients.
    pub(super) fn tell(&mut self, version: &FeedVersion) {
        if self.told.contains(version) {
            return;
        }
        self.told.push_back(version.clone());
        if self.told.len() > REMEMBERED {
            self.told.pop_front();
        }
    }
}
