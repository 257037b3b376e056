//! Statements of what came since a version: clients that hold the same version share one.

use super::FeedDocument;
use revolve_domain::{limits::AddressRange, revocations::FeedVersion};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// So many versions that this replica has told are remembered: two minutes of ticks, less while clients ask without waiting.
const REMEMBERED: usize = 600;
/// So many of these, the last, are the ones that honest readers hold. Each has room of its own: an equal share of one half.
const RECENT: usize = 32;
/// What a delta for another version takes of the other half at most, as a part of all: some must fit, however old the versions are
/// that somebody asks with.
const LARGEST: usize = 16;
/// Each costs a signature, and anybody can make up a version: so many that this replica has not told are answered within
/// [`STRANGE_WITHIN`]; more get the whole. While little happens a replica tells a new version about once a second to one of those
/// that wait for 25 s, so that ten replicas know 250 of each other's.
const STRANGE: usize = 256;
/// So many of these for one address.
const STRANGE_OF_ADDRESS: usize = 32;
const STRANGE_WITHIN: Duration = Duration::from_millis(250);

/// What an id takes in bytes: in the statement, and in the text.
const PER_ID: usize = 16 + 22;
/// What a delta takes beside its ids, in bytes, and what each commit that its versions name takes.
const PER_DELTA: usize = 4096;
const PER_COMMIT: usize = 32;

/// Documents that lead to one version, and the versions that were told.
pub(super) struct Deltas {
    /// Bytes that the documents may take together, about.
    limit: usize,
    /// Those that don't fit the room of their own.
    bytes: usize,
    upto: Option<FeedVersion>,
    since: HashMap<FeedVersion, Arc<FeedDocument>>,
    strange: StrangeVersions,
    told: VecDeque<FeedVersion>,
}

/// How many strange versions were answered.
#[derive(Default)]
struct StrangeVersions {
    since: Option<Instant>,
    answered: usize,
    of_address: HashMap<Option<AddressRange>, usize>,
}

impl StrangeVersions {
    /// Counts one more of this address, if it may be answered.
    fn take(&mut self, address: Option<AddressRange>) -> bool {
        if self
            .since
            .is_none_or(|since| since.elapsed() >= STRANGE_WITHIN)
        {
            self.since = Some(Instant::now());
            self.answered = 0;
            self.of_address.clear();
        }
        if self.answered >= STRANGE {
            return false;
        }
        let of_address = self.of_address.entry(address).or_default();
        if *of_address >= STRANGE_OF_ADDRESS {
            return false;
        }
        *of_address += 1;
        self.answered += 1;
        true
    }
}

impl Deltas {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            upto: None,
            since: HashMap::new(),
            strange: StrangeVersions::default(),
            told: VecDeque::new(),
        }
    }

    /// The document that leads from one version to the other: one that was made before, or one that `make` makes of at most so many
    /// ids. `None` if there is none, or if that would be too many.
    pub(super) fn get(
        &mut self,
        known: &FeedVersion,
        upto: &FeedVersion,
        address: Option<AddressRange>,
        make: impl FnOnce(usize) -> Option<FeedDocument>,
    ) -> Option<Arc<FeedDocument>> {
        // Nonsense must not use up what versions of other replicas need.
        if !known.leads_to(upto) {
            return None;
        }
        if self.upto.as_ref() != Some(upto) {
            self.since.clear();
            self.bytes = 0;
            self.upto = Some(upto.clone());
            self.tell(upto);
        }
        if let Some(made) = self.since.get(known) {
            return Some(Arc::clone(made));
        }
        let half = self.limit / 2;
        let is_recent = self
            .told
            .iter()
            .rev()
            .take(RECENT)
            .any(|told| told == known);
        let own = if is_recent { half / RECENT } else { 0 };
        let shared = half.saturating_sub(self.bytes).min(self.limit / LARGEST);
        let commits = known.snapshot.unseen().len() + upto.snapshot.unseen().len();
        let around = PER_DELTA + PER_COMMIT * commits;
        let room = own.max(shared).checked_sub(around)?;
        let is_strange = !is_recent && !self.told.contains(known);
        if is_strange && !self.strange.take(address) {
            return None;
        }
        let made = Arc::new(make(room / PER_ID)?);
        let bytes = around + PER_ID * made.ids();
        if bytes > own {
            self.bytes += bytes;
        }
        self.since.insert(known.clone(), Arc::clone(&made));
        Some(made)
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

#[cfg(test)]
mod tests {
    use super::{super::document::FeedRevision, *};
    use revolve_domain::{
        model::{SessionId, Timestamp},
        revocations::{CommitSnapshot, EndsOfMinute, LivingOnly, PackedStatement},
    };
    use uuid::Uuid;

    const LIMIT: usize = 4 << 20;
    const NOW: i64 = 1_900_000_000;

    fn version(commit: u64) -> FeedVersion {
        FeedVersion {
            as_of: Timestamp::from_seconds(NOW),
            snapshot: CommitSnapshot::serial(1, commit),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "a request may have none")]
    fn address(host: u8) -> Option<AddressRange> {
        Some(AddressRange::of([192, 0, 2, host].into(), 64))
    }

    fn document(known: &FeedVersion, upto: &FeedVersion, ends: usize) -> FeedDocument {
        let window = Duration::from_mins(17);
        let ends = EndsOfMinute {
            before: upto.as_of,
            sessions: vec![SessionId::from_uuid(Uuid::nil()); ends],
        };
        let statement = PackedStatement {
            as_of: upto.as_of,
            window,
            version: upto.clone(),
            since: Some(known.clone()),
            ends: vec![ends],
            only: LivingOnly {
                issued_before: upto.as_of,
                users: Vec::new(),
            },
            outdated: Vec::new(),
        };
        let seen = FeedRevision {
            source: 1,
            revision: 1,
            as_of: upto.as_of,
            window,
        };
        FeedDocument::delta(statement, seen, 1)
    }

    /// How many bytes are answered to who holds this version and lacks so many ends, or as many as there is room for.
    fn answered(
        deltas: &mut Deltas,
        known: u64,
        upto: u64,
        host: u8,
        ends: Option<usize>,
    ) -> Option<usize> {
        let (known, upto) = (version(known), version(upto));
        let made = deltas.get(&known, &upto, address(host), |most| {
            let ends = ends.unwrap_or(most);
            (ends <= most).then(|| document(&known, &upto, ends))
        });
        made.map(|made| PER_DELTA + PER_ID * made.ids())
    }

    #[test]
    fn old_versions_do_not_take_the_room_of_those_that_readers_hold() {
        let mut deltas = Deltas::new(LIMIT);
        for told in 0..=200 {
            deltas.tell(&version(told));
        }
        let mut all = 0;
        for old in 0..150 {
            let bytes = answered(&mut deltas, old, 200, 1, None).unwrap_or(0);
            assert!(bytes <= LIMIT / LARGEST, "{old}");
            all += bytes;
        }
        assert!(all > LIMIT / 4 && all <= LIMIT / 2, "{all}");
        for recent in 170..200 {
            let bytes = answered(&mut deltas, recent, 200, 2, Some(1500));
            all += bytes.expect("it has room of its own");
        }
        assert!(all <= LIMIT, "{all}");
    }

    #[test]
    fn a_recent_version_takes_of_the_shared_room_what_its_own_does_not_hold() {
        let mut deltas = Deltas::new(LIMIT);
        deltas.tell(&version(1));
        assert!(answered(&mut deltas, 1, 9000, 1, Some(5000)).is_some());
        assert!(deltas.bytes > 5000 * PER_ID);
    }

    #[tokio::test(start_paused = true)]
    async fn strange_versions_are_counted_for_each_address_and_for_all() {
        let mut deltas = Deltas::new(LIMIT);
        let mut strange = 1000;
        let mut ask = |host| {
            strange += 1;
            answered(&mut deltas, strange, 9000, host, Some(0)).is_some()
        };
        for host in 1..=7 {
            let some = (0..100).filter(|_| ask(host)).count();
            assert_eq!(some, STRANGE_OF_ADDRESS, "{host}");
        }
        assert_eq!((8..40).filter(|host| ask(*host)).count(), 32);
        assert!(!ask(40), "as many as are answered within a moment");
    }

    #[test]
    fn what_leads_nowhere_counts_for_nothing() {
        let mut deltas = Deltas::new(LIMIT);
        let upto = version(9000);
        for number in 0..1000 {
            let snapshot = CommitSnapshot::serial(2, number);
            let known = FeedVersion {
                snapshot,
                ..upto.clone()
            };
            let made = deltas.get(&known, &upto, address(1), |_| panic!("it is not asked"));
            assert!(made.is_none());
        }
        assert!(answered(&mut deltas, 1, 9000, 1, Some(0)).is_some());
    }
}
