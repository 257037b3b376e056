//! What the reads of the user database have seen, put together.

use super::{
    EndsOfMinute, FeedVersion, IDS_OF_OUTDATED, LivingOnly, OutdatedTokens, PackedStatement,
    RaisedEpoch, RevocationRead, RevocationStatement, SETTLED, SLACK, SessionEnd,
    by_commit::ByCommit, packed_length, plain_length,
};
use crate::model::{SessionId, Timestamp, UserId};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// Between two whole reads.
const READ_AGAIN: Duration = Duration::from_mins(5);
/// Between two removals of what has left the window.
const SWEEP: Duration = Duration::from_mins(1);

/// Everything that was revoked within the window, as of the last read. It takes about 50 bytes for each end.
#[derive(Clone, Debug)]
pub struct RevocationLog {
    window: Duration,
    version: FeedVersion,
    /// When everything was last read.
    whole_as_of: Timestamp,
    swept_at: Timestamp,
    ends: ByCommit<SessionEnd>,
    outdated: ByCommit<OutdatedTokens>,
    raised: HashMap<UserId, RaisedEpoch>,
    living: BTreeMap<UserId, Vec<SessionId>>,
}

impl RevocationLog {
    /// Begins with a read of the whole window.
    pub fn new(read: RevocationRead) -> Self {
        let mut log = Self {
            window: read.window,
            version: FeedVersion {
                as_of: read.as_of,
                snapshot: read.revocations.snapshot.clone(),
            },
            whole_as_of: read.as_of,
            swept_at: read.as_of,
            ends: ByCommit::default(),
            outdated: ByCommit::default(),
            raised: HashMap::new(),
            living: BTreeMap::new(),
        };
        log.apply(read);
        log
    }

    /// Takes in another read: in place of all that is known if it is whole, else in addition. Answers whether the content may be
    /// another one now.
    pub fn apply(&mut self, read: RevocationRead) -> bool {
        let RevocationRead {
            as_of,
            window,
            whole,
            revocations,
        } = read;
        let mut changed = whole || window != self.window;
        self.window = window;
        let snapshot = revocations.snapshot;
        if whole {
            (self.whole_as_of, self.swept_at) = (as_of, as_of);
            self.living = revocations.living;
            self.ends.clear();
            self.outdated.clear();
            self.raised.clear();
        }
        let new = revocations.ends;
        // One that is stamped long before its commit is not named any more.
        for end in &new {
            if let Some(living) = self.living.get_mut(&end.user) {
                living.retain(|session| *session != end.session);
            }
        }
        changed |= self.ends.add(new);
        changed |= self.outdated.add(revocations.outdated);
        for raised in revocations.raised {
            changed |= self.raised.insert(raised.user, raised) != Some(raised);
        }
        self.version = FeedVersion { as_of, snapshot };
        if as_of.since(self.swept_at) >= SWEEP {
            self.swept_at = as_of;
            let since = self.since();
            self.ends.forget(since);
            self.outdated.forget(since);
            self.raised.retain(|_, raised| raised.at >= since);
        }
        changed
    }

    /// What the next read may leave out; `None` if it must be whole, because rows that were not seen may have been deleted.
    pub fn known(&self, now: Timestamp) -> Option<&FeedVersion> {
        let as_of = self.version.as_of;
        (now.since(as_of) <= SLACK && as_of.since(now) <= SLACK).then_some(&self.version)
    }

    /// Whether it is time for another whole read: what lives of crowded users is as of such a read.
    pub fn is_to_be_read_again(&self, now: Timestamp) -> bool {
        now.since(self.whole_as_of) >= READ_AGAIN
    }

    /// What was read last.
    pub fn version(&self) -> &FeedVersion {
        &self.version
    }

    /// How far back it reaches, in whole seconds.
    pub fn window(&self) -> Duration {
        self.window
    }

    /// How many ends are known.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// About the length of the whole in the packed and in the plain form, in bytes.
    pub fn lengths(&self) -> [usize; 2] {
        let (ends, outdated) = (self.ends.len(), self.outdated.len());
        let of_users = self.raised.len() + outdated;
        [
            packed_length(ends + IDS_OF_OUTDATED * outdated),
            plain_length(ends, of_users),
        ]
    }

    /// Whether nothing has ended.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a reader that holds this version lacks something of another one, or can't be told by a delta.
    pub fn is_news_to(&self, known: &FeedVersion, upto: &FeedVersion) -> bool {
        known != upto && (!known.leads_to(upto) || self.ids_between(known, upto).next().is_some())
    }

    /// What leads from one version to another, which this log has had before or has now; `None` if only a whole statement helps,
    /// or if it takes more than `most` ids.
    pub fn delta(
        &self,
        known: &FeedVersion,
        upto: &FeedVersion,
        most: usize,
    ) -> Option<PackedStatement> {
        let is_short = || self.ids_between(known, upto).nth(most).is_none();
        (known.leads_to(upto) && is_short()).then(|| {
            let none = LivingOnly {
                issued_before: self.only_before(),
                users: Vec::new(),
            };
            let (from, to, since) = (&known.snapshot, &upto.snapshot, self.since());
            let ends = self.ends.between(from, to, since);
            let outdated = self.outdated.between(from, to, since);
            PackedStatement {
                outdated: outdated.copied().collect(),
                ..self.packed(upto, Some(known.clone()), ends, none)
            }
        })
    }

    /// Everything in the packed form; `None` if its text is longer than `longest` bytes, which is found out before it is made. The
    /// ends of every crowded user collapse into the sessions that live, since rows may have been deleted, if only by a replica that
    /// keeps fewer of them; but for the youngest: a token may be a little younger than the end of its session, and a session a little
    /// older than its commit.
    pub fn whole(&self, longest: usize) -> Option<PackedStatement> {
        let (since, settled) = (self.since(), self.whole_as_of.minus(SETTLED));
        let is_named =
            |end: &&SessionEnd| end.at >= settled || !self.living.contains_key(&end.user);
        let ends = || self.ends.since(since).filter(is_named);
        let outdated: Vec<_> = self.outdated.since(since).copied().collect();
        // A user takes an id, and less than another one for the number of sessions.
        let ids = (self.living.values()).map(|living| living.len() + 2);
        let ids = ids.sum::<usize>() + IDS_OF_OUTDATED * outdated.len();
        if packed_length(ends().count() + ids) > longest {
            return None;
        }
        let users = (self.living.iter()).map(|(user, living)| (*user, living.clone()));
        let only = LivingOnly {
            issued_before: self.only_before(),
            users: users.collect(),
        };
        Some(PackedStatement {
            outdated,
            ..self.packed(&self.version, None, ends(), only)
        })
    }

    /// Everything in the plain form.
    pub fn plain(&self) -> RevocationStatement {
        let since = self.since();
        let ends = self.ends.since(since);
        let mut sessions: Vec<_> = ends.map(|end| (end.session, end.at)).collect();
        sessions.sort_unstable();
        sessions.dedup_by_key(|(session, _)| *session);
        let raised = self.raised.values().filter(|raised| raised.at >= since);
        let mut users: Vec<_> = raised.copied().collect();
        users.sort_unstable();
        let mut outdated = BTreeMap::new();
        for tokens in self.outdated.since(since) {
            let before = outdated.entry(tokens.user).or_insert(tokens.before);
            *before = tokens.before.max(*before);
        }
        RevocationStatement {
            as_of: self.version.as_of,
            window: self.window,
            sessions,
            users,
            outdated: outdated.into_iter().collect(),
        }
    }

    fn since(&self) -> Timestamp {
        self.version.as_of.minus(self.window)
    }

    /// A session that had begun by the time of the read is among those that live; one that began later has younger tokens.
    fn only_before(&self) -> Timestamp {
        self.whole_as_of.minus(SLACK)
    }

    /// An item for each id that a delta takes.
    fn ids_between<'s>(
        &'s self,
        known: &'s FeedVersion,
        upto: &'s FeedVersion,
    ) -> impl Iterator<Item = ()> + 's {
        let (from, to, since) = (&known.snapshot, &upto.snapshot, self.since());
        let ends = self.ends.between(from, to, since).map(|_| ());
        let outdated = self.outdated.between(from, to, since);
        ends.chain(outdated.flat_map(|_| [(); IDS_OF_OUTDATED]))
    }

    fn packed<'e>(
        &self,
        version: &FeedVersion,
        since: Option<FeedVersion>,
        ends: impl Iterator<Item = &'e SessionEnd>,
        only: LivingOnly,
    ) -> PackedStatement {
        let mut minutes: BTreeMap<i64, Vec<SessionId>> = BTreeMap::new();
        for end in ends {
            let minute = end.at.as_seconds().div_euclid(60);
            minutes.entry(minute).or_default().push(end.session);
        }
        let ends = minutes.into_iter().map(|(minute, sessions)| EndsOfMinute {
            before: Timestamp::from_seconds(minute.saturating_add(1).saturating_mul(60)),
            sessions,
        });
        PackedStatement {
            as_of: version.as_of,
            window: self.window,
            version: version.clone(),
            since,
            ends: ends.collect(),
            only,
            outdated: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::CommitSnapshot, *};
    use crate::{model::AccountVersion, revocations::Revocations};
    use uuid::Uuid;

    fn read(whole: bool, second: i64, snapshot: CommitSnapshot, commits: &[u64]) -> RevocationRead {
        let as_of = Timestamp::from_seconds(second);
        let end = |commit: &u64| SessionEnd {
            session: SessionId::from_uuid(Uuid::from_u64_pair(1, *commit)),
            user: UserId::from_uuid(Uuid::from_u64_pair(2, *commit)),
            at: as_of,
            commit: *commit,
        };
        RevocationRead {
            as_of,
            window: Duration::from_mins(16),
            whole,
            revocations: Revocations {
                snapshot,
                ends: commits.iter().map(end).collect(),
                raised: Vec::new(),
                living: BTreeMap::new(),
                outdated: Vec::new(),
            },
        }
    }

    fn told(statement: &PackedStatement) -> Vec<u64> {
        let sessions = statement.ends.iter().flat_map(|ends| &ends.sessions);
        sessions
            .map(|session| session.as_uuid().as_u64_pair().1)
            .collect()
    }

    fn delta(log: &RevocationLog, known: &FeedVersion, upto: &FeedVersion) -> PackedStatement {
        log.delta(known, upto, usize::MAX).expect("it leads on")
    }

    fn whole(log: &RevocationLog) -> PackedStatement {
        log.whole(usize::MAX).expect("it is short")
    }

    #[test]
    fn an_end_that_commits_after_a_later_one_was_told_is_told_next() {
        let mut log = RevocationLog::new(read(true, 100, CommitSnapshot::serial(1, 4), &[]));
        let first = log.version().clone();
        // 5 is under way while 6 is seen.
        log.apply(read(false, 101, CommitSnapshot::new(1, 5, 7, [5]), &[6]));
        let second = log.version().clone();
        log.apply(read(false, 102, CommitSnapshot::serial(1, 6), &[5]));
        let third = log.version().clone();
        let delta = |known, upto| told(&delta(&log, known, upto));
        assert_eq!(delta(&first, &second), [6]);
        assert_eq!(delta(&second, &third), [5]);
        assert_eq!(delta(&first, &third), [5, 6]);
        assert_eq!(told(&whole(&log)), [5, 6]);
    }

    #[test]
    fn with_more_under_way_than_are_told_apart_an_end_is_told_at_once_and_once_more() {
        let mut log = RevocationLog::new(read(true, 100, CommitSnapshot::serial(1, 4), &[]));
        let first = log.version().clone();
        let many = CommitSnapshot::new(1, 5, 1400, 5..1300);
        assert!(!many.saw(1399), "it counts as unseen, although it was read");
        log.apply(read(false, 101, many, &[1399]));
        let second = log.version().clone();
        assert!(log.is_news_to(&first, &second));
        assert_eq!(told(&whole(&log)), [1399]);
        let delta = |log: &RevocationLog, known, upto| told(&delta(log, known, upto));
        assert_eq!(delta(&log, &first, &second), [1399]);
        assert!(!log.is_news_to(&second, &second), "nothing was read since");
        log.apply(read(false, 102, CommitSnapshot::serial(1, 1500), &[1399]));
        let third = log.version().clone();
        assert_eq!(delta(&log, &second, &third), [1399]);
        assert_eq!(delta(&log, &first, &third), [1399]);
        assert_eq!(log.len(), 1, "it was read twice");
    }

    #[test]
    fn a_session_whose_end_is_read_late_does_not_live() {
        let user = UserId::from_uuid(Uuid::from_u128(1));
        let session = |number| SessionId::from_uuid(Uuid::from_u64_pair(1, number));
        let mut first = read(
            true,
            10_000,
            CommitSnapshot::serial(1, 100),
            &(1..=100).collect::<Vec<u64>>(),
        );
        for end in &mut first.revocations.ends {
            (end.user, end.at) = (user, Timestamp::from_seconds(9_500));
        }
        let living = vec![session(101), session(102)];
        first.revocations.living.insert(user, living);
        let mut log = RevocationLog::new(first);
        let mut next = read(false, 10_001, CommitSnapshot::serial(1, 101), &[101]);
        // Before what is named one by one.
        for end in &mut next.revocations.ends {
            (end.user, end.at) = (user, Timestamp::from_seconds(9_700));
        }
        log.apply(next);
        let whole = whole(&log);
        assert!(told(&whole).is_empty());
        assert_eq!(whole.only.users, [(user, vec![session(102)])]);
    }

    fn outdated(user: u128, before: u64, commit: u64, second: i64) -> OutdatedTokens {
        OutdatedTokens {
            user: UserId::from_uuid(Uuid::from_u128(user)),
            before: AccountVersion::new(before).expect("a version"),
            at: Timestamp::from_seconds(second),
            commit,
        }
    }

    #[test]
    fn an_account_is_outdated_once_in_each_form_until_the_window_is_over() {
        let begin = || read(true, 100, CommitSnapshot::serial(1, 4), &[]);
        let (first, second) = (outdated(7, 10, 5, 101), outdated(7, 12, 6, 102));
        let mut log = RevocationLog::new(begin());
        let start = log.version().clone();
        let with = |second, last, outdated: &[OutdatedTokens]| {
            let mut read = read(false, second, CommitSnapshot::serial(1, last), &[]);
            read.revocations.outdated = outdated.to_vec();
            read
        };
        assert!(log.apply(with(101, 5, &[first])), "the content is another");
        let middle = log.version().clone();
        assert!(log.is_news_to(&start, &middle));
        assert!(log.apply(with(102, 6, &[second])));
        assert!(!log.apply(with(103, 6, &[second])), "it was known");
        let last = log.version().clone();
        assert_eq!(delta(&log, &start, &middle).outdated, [first]);
        assert_eq!(delta(&log, &middle, &last).outdated, [second]);
        assert_eq!(log.delta(&middle, &last, 1), None, "it takes two ids");
        assert_eq!(whole(&log).outdated, [first, second]);
        assert_eq!(log.plain().outdated, [(second.user, second.before)]);
        let over = 102 + 16 * 60;
        log.apply(with(over, 6, &[]));
        assert_eq!(whole(&log).outdated, [second]);
        log.apply(with(over + 1, 6, &[]));
        assert_eq!(whole(&log).outdated, []);
        assert_eq!(log.plain().outdated, []);
    }

    #[test]
    fn what_is_too_long_is_not_made() {
        let mut log = RevocationLog::new(read(true, 100, CommitSnapshot::serial(1, 4), &[]));
        let first = log.version().clone();
        let commits: Vec<u64> = (5..105).collect();
        log.apply(read(false, 101, CommitSnapshot::serial(1, 104), &commits));
        let version = log.version();
        assert!(log.delta(&first, version, 100).is_some());
        assert_eq!(log.delta(&first, version, 99), None);
        let length = packed_length(100);
        assert!(log.whole(length).is_some());
        assert_eq!(log.whole(length - 1), None);
    }
}
