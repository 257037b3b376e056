//! The feed from end to end, under random histories: a user database whose transactions commit in any order, replicas of the service with
//! clocks of their own, and relying services that lose, repeat and mix up what they are told.

mod size;

use super::{
    document,
    index::{RevocationIndex, SharedIndex},
    packed::{self, PackedDocument},
};
use crate::{claims::Claims, claims::User, jwk_set::JwkSet};
use proptest::{collection::vec, prelude::*};
use revolve_adapters::jose::{Algorithm, CodecConfig, IdKey, JoseTokens, MasterKey};
use revolve_domain::{
    model::{SessionId, Timestamp, UserId},
    ports::{KeySet, RevocationSigner},
    revocations::{
        CROWDED, CommitSnapshot, FeedVersion, KEPT, RaisedEpoch, RevocationLog, RevocationQuery,
        RevocationRead, Revocations, SETTLED, SLACK, SessionEnd, window,
    },
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::OnceLock,
    time::Duration,
};
use uuid::Uuid;

const ISSUER: &str = "https://accounts.example.org";
const LIFE: i64 = 900;
const WINDOW: Duration = window(Duration::from_secs(LIFE.cast_unsigned()));
const START: i64 = 1_900_000_000;
const USERS: u8 = 3;
/// The most rows of ended sessions, as few as there can be.
const MAX_ENDED: usize = 10;
/// By how much the clocks of the replicas are off, in seconds: two differ by a minute.
const CLOCKS: [i64; 3] = [0, 30, -30];

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A user signs in at a replica; the number says where.
    SignIn(u8, usize),
    /// A session gets another ID token.
    Refresh(usize, usize),
    /// The end of a session is stamped and numbered, and not committed yet.
    BeginEnd(usize, usize),
    /// The transaction that began first, or last, commits, or is rolled back.
    Commit(usize),
    RollBack(usize),
    End(usize, usize),
    /// More transactions are opened than versions tell apart, or all of these are closed.
    Flood,
    Drain,
    /// A user signs in and out this often: rows are dropped.
    Crowd(u8, usize, u8),
    Pass(u16),
    Restart(usize),
    /// The database is restarted.
    RestartDatabase,
    /// A relying service asks a replica; what it is answered arrives, is lost, or arrives twice.
    Ask(usize, usize, Arrival),
    /// An old answer arrives once more.
    Again(usize, usize),
}

#[derive(Clone, Copy, Debug)]
enum Arrival {
    Once,
    Lost,
    Twice,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (any, user) = (any::<usize>(), 0..USERS);
    let arrival =
        prop_oneof![6 => Just(Arrival::Once), 1 => Just(Arrival::Lost), 1 => Just(Arrival::Twice)];
    let pass = prop_oneof![6 => 0..3_u16, 3 => 3..60_u16, 2 => 60..400_u16, 1 => 400..1200_u16];
    let step = prop_oneof![
        6 => (user.clone(), any).prop_map(|(user, at)| Step::SignIn(user, at)),
        3 => (any, any).prop_map(|(session, at)| Step::Refresh(session, at)),
        4 => (any, any).prop_map(|(session, at)| Step::BeginEnd(session, at)),
        4 => any.prop_map(Step::Commit),
        1 => any.prop_map(Step::RollBack),
        1 => Just(Step::Flood),
        2 => Just(Step::Drain),
        4 => (any, any).prop_map(|(session, at)| Step::End(session, at)),
        2 => (user, any, 1..15_u8).prop_map(|(user, at, times)| Step::Crowd(user, at, times)),
        6 => pass.prop_map(Step::Pass),
        1 => any.prop_map(Step::Restart),
        1 => Just(Step::RestartDatabase),
        12 => (any, any, arrival).prop_map(|(service, replica, arrival)| Step::Ask(service, replica, arrival)),
        2 => (any, any).prop_map(|(service, answer)| Step::Again(service, answer)),
    ];
    vec(step, 1..80)
}

#[derive(Clone, Debug)]
struct Row {
    id: SessionId,
    user: UserId,
    /// Every token's `iat`.
    tokens: Vec<i64>,
    ended: Option<(i64, u64)>,
    dropped: bool,
}

/// An end that is not committed yet.
struct Pending {
    row: usize,
    begun: i64,
    at: i64,
    number: u64,
}

struct Database {
    now: i64,
    source: u64,
    next: u64,
    rows: Vec<Row>,
    pending: Vec<Pending>,
    /// Transactions that end no session.
    open: Vec<u64>,
}

impl Database {
    fn sign_in(&mut self, user: u8, clock: i64) -> usize {
        let number = self.rows.len() as u128;
        let at = self.now + clock;
        let row = Row {
            id: SessionId::from_uuid(Uuid::from_u128(0x1000 + number)),
            user: UserId::from_uuid(Uuid::from_u128(1 + u128::from(user))),
            tokens: vec![at],
            ended: None,
            dropped: false,
        };
        self.rows.push(row);
        // As `begin` does: those over the limit go, the oldest first, but none that is young.
        let owner = self.rows[self.rows.len() - 1].user;
        let mut ended: Vec<_> = (0..self.rows.len())
            .filter(|row| self.rows[*row].user == owner && !self.rows[*row].dropped)
            .filter_map(|row| Some((self.rows[row].ended?.0, row)))
            .collect();
        ended.sort_unstable_by(|a, b| b.cmp(a));
        let kept_since = at - seconds(KEPT);
        for (_, row) in ended
            .into_iter()
            .skip(MAX_ENDED)
            .filter(|(at, _)| *at < kept_since)
        {
            self.rows[row].dropped = true;
        }
        self.rows.len() - 1
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Live sessions whose end is not under way.
    fn live(&self, which: usize) -> Option<usize> {
        let live: Vec<_> = (0..self.rows.len())
            .filter(|row| self.rows[*row].ended.is_none())
            .filter(|row| self.pending.iter().all(|pending| pending.row != *row))
            .collect();
        (!live.is_empty()).then(|| live[which % live.len()])
    }

    fn end(&mut self, row: usize, clock: i64) {
        let number = self.number();
        self.rows[row].ended = Some((self.now + clock, number));
    }

    fn snapshot(&self) -> CommitSnapshot {
        let pending = self.pending.iter().map(|pending| pending.number);
        let unseen: Vec<u64> = pending.chain(self.open.iter().copied()).collect();
        let none_from = self.next + 1;
        let all_below = unseen.iter().copied().min().unwrap_or(none_from);
        CommitSnapshot::new(self.source, all_below, none_from, unseen)
    }

    fn read(&self, query: &RevocationQuery) -> Revocations {
        let stored = || self.rows.iter().filter(|row| !row.dropped);
        let mut ends = Vec::new();
        for row in stored() {
            let Some((at, commit)) = row.ended else {
                continue;
            };
            let at = Timestamp::from_seconds(at);
            if at >= query.since {
                ends.push(SessionEnd {
                    session: row.id,
                    user: row.user,
                    at,
                    commit,
                });
            }
        }
        let mut living = BTreeMap::new();
        if let Some(seen) = &query.unseen_by {
            ends.retain(|end| !seen.saw(end.commit));
        } else {
            for user in ends.iter().map(|end| end.user).collect::<HashSet<_>>() {
                if ends.iter().filter(|end| end.user == user).count() >= query.crowded {
                    let live = stored().filter(|row| row.user == user && row.ended.is_none());
                    living.insert(user, live.map(|row| row.id).collect());
                }
            }
        }
        Revocations {
            snapshot: self.snapshot(),
            ends,
            raised: Vec::<RaisedEpoch>::new(),
            living,
        }
    }
}

/// A replica's part of the feed, as it follows the database.
#[derive(Default)]
struct Replica(Option<RevocationLog>);

impl Replica {
    fn look(&mut self, database: &Database, clock: i64) -> &RevocationLog {
        let as_of = Timestamp::from_seconds(database.now + clock);
        let known = self.0.as_ref().and_then(|log| log.known(as_of)).cloned();
        let mut query = RevocationQuery {
            since: as_of.minus(WINDOW),
            unseen_by: known.as_ref().map(|known| known.snapshot.clone()),
            crowded: CROWDED.min(MAX_ENDED),
        };
        let mut revocations = database.read(&query);
        if known.is_some_and(|known| known.snapshot.is_undone_by(&revocations.snapshot)) {
            query.unseen_by = None;
            revocations = database.read(&query);
        }
        let read = RevocationRead {
            as_of,
            window: WINDOW,
            whole: query.unseen_by.is_none(),
            revocations,
        };
        match &mut self.0 {
            Some(log) => {
                log.apply(read);
            }
            none => *none = Some(RevocationLog::new(read)),
        }
        self.0.as_ref().expect("it has just read")
    }
}

/// A relying service: what it holds, and the ends that it must refuse since an answer that had them has arrived.
#[derive(Default)]
struct RelyingService {
    index: SharedIndex,
    version: Option<String>,
    told: HashSet<SessionId>,
}

struct Answer {
    text: String,
    whole: bool,
    since: Option<String>,
    ended: HashSet<SessionId>,
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).expect("it is short")
}

fn tokens() -> &'static JoseTokens {
    static TOKENS: OnceLock<JoseTokens> = OnceLock::new();
    TOKENS.get_or_init(|| {
        let pem = IdKey::generate(Algorithm::EdDsa).expect("a key can be made");
        let key = IdKey::from_pem(Algorithm::EdDsa, &pem).expect("it is one");
        let config = CodecConfig {
            issuer: ISSUER.to_owned(),
            audience: "services".to_owned(),
        };
        let master = MasterKey::parse(&MasterKey::encode([[1; 16], [2; 16]])).expect("it is one");
        JoseTokens::new(config, key, &master).expect("it can sign")
    })
}

fn take(service: &mut RelyingService, answer: &Answer, now: i64) -> Result<(), String> {
    let keys = JwkSet::from_json(tokens().to_json().as_bytes()).map_err(|e| e.to_string())?;
    let (signed, ids) = packed::split(&answer.text).ok_or("it is packed")?;
    let jws = packed::parse(signed).map_err(|e| e.to_string())?;
    let key = keys.get(jws.key_id()).ok_or("the key is known")?;
    let now = u64::try_from(now).map_err(|e| e.to_string())?;
    let document = PackedDocument::read(&jws, ids, key, ISSUER, now).map_err(|e| e.to_string())?;
    service.index.expire(now);
    service.index.add_packed(&document, 60);
    service.version = Some(document.version);
    service.told.extend(&answer.ended);
    Ok(())
}

fn revoked(service: &RelyingService, row: &Row, issued_at: i64) -> bool {
    let unsigned = |seconds: i64| u64::try_from(seconds).expect("after 1970");
    let claims = Claims {
        user: User {
            uid: *row.user.as_uuid(),
            email: "ann@example.org".to_owned(),
            name: None,
            image_url: None,
            website: None,
        },
        session: *row.id.as_uuid(),
        epoch: 0,
        issued_at: unsigned(issued_at),
        expires_at: unsigned(issued_at + LIFE),
        authenticated_at: unsigned(issued_at),
        authenticated_by: vec!["pwd".to_owned()],
    };
    service
        .index
        .read(|index: &RevocationIndex| index.revokes(&claims))
}

fn history(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut database = Database {
        now: START,
        source: 1,
        next: 0,
        rows: Vec::new(),
        pending: Vec::new(),
        open: Vec::new(),
    };
    let mut replicas: [Replica; CLOCKS.len()] = Default::default();
    let mut services: [RelyingService; 2] = Default::default();
    let mut answers: Vec<Answer> = Vec::new();
    for step in steps {
        match step {
            Step::SignIn(user, at) => {
                database.sign_in(user, CLOCKS[at % CLOCKS.len()]);
            }
            Step::Refresh(session, at) => {
                if let Some(row) = database.live(session) {
                    let issued_at = database.now + CLOCKS[at % CLOCKS.len()];
                    database.rows[row].tokens.push(issued_at);
                }
            }
            Step::BeginEnd(session, at) => {
                if let Some(row) = database.live(session) {
                    let (begun, number) = (database.now, database.number());
                    let at = begun + CLOCKS[at % CLOCKS.len()];
                    database.pending.push(Pending {
                        row,
                        begun,
                        at,
                        number,
                    });
                }
            }
            Step::Commit(which) => {
                if !database.pending.is_empty() {
                    let which = which % database.pending.len();
                    let done = database.pending.remove(which);
                    database.rows[done.row].ended = Some((done.at, done.number));
                }
            }
            Step::RollBack(which) => {
                if !database.pending.is_empty() {
                    let which = which % database.pending.len();
                    database.pending.remove(which);
                }
            }
            Step::End(session, at) => {
                if let Some(row) = database.live(session) {
                    database.end(row, CLOCKS[at % CLOCKS.len()]);
                }
            }
            Step::Flood => {
                for _ in 0..=CommitSnapshot::MAX_UNSEEN {
                    let number = database.number();
                    database.open.push(number);
                }
            }
            Step::Drain => database.open.clear(),
            Step::Crowd(user, at, times) => {
                for _ in 0..times {
                    let clock = CLOCKS[at % CLOCKS.len()];
                    let row = database.sign_in(user, clock);
                    database.end(row, clock);
                }
            }
            Step::Pass(seconds) => {
                let then = database.now + i64::from(seconds);
                // A call of a store does not take a minute.
                for done in database.pending.extract_if(.., |end| then - end.begun > 50) {
                    database.rows[done.row].ended = Some((done.at, done.number));
                }
                database.now = then;
            }
            Step::Restart(replica) => replicas[replica % CLOCKS.len()] = Replica::default(),
            Step::RestartDatabase => {
                database.pending.clear();
                database.open.clear();
                database.source += 1;
                // Its numbers may begin anywhere.
                database.next += 1000;
            }
            Step::Ask(service, replica, arrival) => {
                let (which, replica) = (service % services.len(), replica % CLOCKS.len());
                let log = replicas[replica].look(&database, CLOCKS[replica]);
                let service = &mut services[which];
                let known: Option<FeedVersion> = service
                    .version
                    .as_deref()
                    .map(|version| version.parse().expect("it is ours"));
                let statement = known
                    .as_ref()
                    .and_then(|known| log.delta(known, log.version(), usize::MAX));
                let whole = statement.is_none();
                let statement = statement.or_else(|| log.whole(document::LONGEST_STATEMENT));
                let statement = statement.expect("it is short");
                let answer = Answer {
                    text: tokens().sign_packed(&statement).expect("it can sign"),
                    whole,
                    since: service.version.clone().filter(|_| !whole),
                    ended: database
                        .rows
                        .iter()
                        .filter(|row| row.ended.is_some())
                        .map(|row| row.id)
                        .collect(),
                };
                let times = match arrival {
                    Arrival::Once => 1,
                    Arrival::Lost => 0,
                    Arrival::Twice => 2,
                };
                for _ in 0..times {
                    take(service, &answer, database.now).map_err(TestCaseError::fail)?;
                }
                answers.push(answer);
            }
            Step::Again(service, answer) => {
                let service = &mut services[service % services.len()];
                if !answers.is_empty() {
                    let answer = &answers[answer % answers.len()];
                    // A client takes a delta only for what it asked about; an old one has expired.
                    if answer.whole || answer.since == service.version {
                        let _expired_or_not = take(service, answer, database.now);
                    }
                }
            }
        }
        for row in &database.rows {
            for issued_at in row.tokens.iter().filter(|at| **at + LIFE > database.now) {
                for service in &services {
                    let revoked = revoked(service, row, *issued_at);
                    if row.ended.is_none() {
                        prop_assert!(
                            !revoked,
                            "a living session is refused: {:?} at {} after {:?}",
                            row,
                            database.now,
                            step
                        );
                    } else if service.told.contains(&row.id) {
                        prop_assert!(
                            revoked,
                            "a dead one is believed: {:?} at {} after {:?}",
                            row,
                            database.now,
                            step
                        );
                    }
                }
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_lives_is_refused_and_nothing_dead_is_believed(steps in steps()) {
        history(steps)?;
    }
}

#[test]
fn both_sides_have_the_same_bounds() {
    assert_eq!(Duration::from_secs(document::SLACK), SLACK);
    assert_eq!(
        document::LONGEST_STATEMENT,
        revolve_domain::revocations::LONGEST_STATEMENT
    );
}

#[test]
fn the_youngest_ends_of_a_crowded_user_are_named_one_by_one() {
    assert!(SETTLED < KEPT && CROWDED <= MAX_ENDED);
}
