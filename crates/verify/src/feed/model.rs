//! The feed from end to end, under random histories: a user database whose transactions commit in any order, replicas of the service with
//! clocks of their own, and relying services that lose, repeat and mix up what they are told.

mod database;
mod size;

use super::{
    document,
    index::{RevocationIndex, SharedIndex},
    packed::{self, PackedDocument},
};
use crate::{claims::Claims, claims::User, jwk_set::JwkSet};
use database::{Database, Row, Token};
use proptest::{collection::vec, prelude::*};
use revolve_adapters::jose::{Algorithm, CodecConfig, IdKey, JoseTokens, MasterKey};
use revolve_domain::{
    model::{AccountVersion, SessionId, Timestamp, UserId},
    ports::{KeySet, RevocationSigner},
    revocations::{
        CROWDED, FeedVersion, KEPT, OutdatedTokens, RevocationLog, RevocationQuery, RevocationRead,
        SETTLED, SLACK, window,
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
    time::Duration,
};

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
    /// The same, by a call that read the account before its last change.
    SlowRefresh(usize, usize),
    /// Operators change what an account shows: stamped and numbered, and not committed yet.
    BeginChange(u8, usize),
    Change(u8, usize),
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
        2 => (any, any).prop_map(|(session, at)| Step::SlowRefresh(session, at)),
        2 => (user.clone(), any).prop_map(|(user, at)| Step::BeginChange(user, at)),
        2 => (user.clone(), any).prop_map(|(user, at)| Step::Change(user, at)),
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

/// A relying service: what it holds, and the ends and older versions that it must refuse since an answer that had them has arrived.
#[derive(Default)]
struct RelyingService {
    index: SharedIndex,
    version: Option<String>,
    told: HashSet<SessionId>,
    told_outdated: HashMap<UserId, AccountVersion>,
}

struct Answer {
    text: String,
    whole: bool,
    since: Option<String>,
    ended: HashSet<SessionId>,
    outdated: Vec<OutdatedTokens>,
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
    for tokens in &answer.outdated {
        let told = service.told_outdated.entry(tokens.user).or_default();
        *told = tokens.before.max(*told);
    }
    Ok(())
}

/// Whether a token is refused because its session has ended, and because it is outdated.
fn refused(service: &RelyingService, row: &Row, token: Token) -> (bool, bool) {
    let issued_at = token.issued_at;
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
        email_verified: false,
        roles: Vec::new(),
        app: serde_json::Map::new(),
        version: token.version.number(),
    };
    service
        .index
        .read(|index: &RevocationIndex| (index.revokes(&claims), index.outdates(&claims)))
}

fn history(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut database = Database::new();
    let mut replicas: [Replica; CLOCKS.len()] = Default::default();
    let mut services: [RelyingService; 2] = Default::default();
    let mut answers: Vec<Answer> = Vec::new();
    for step in steps {
        match step {
            Step::Restart(replica) => replicas[replica % CLOCKS.len()] = Replica::default(),
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
                    outdated: database
                        .accounts
                        .iter()
                        .filter_map(|account| account.outdated)
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
            step => database.apply(step),
        }
        for row in &database.rows {
            let of_now = |token: &&Token| token.issued_at + LIFE > database.now;
            for token in row.tokens.iter().filter(of_now) {
                for service in &services {
                    let (revoked, outdated) = refused(service, row, *token);
                    let told = service.told_outdated.get(&row.user);
                    prop_assert!(
                        outdated || told.is_none_or(|before| token.version >= *before),
                        "an older token is believed: {:?} of {:?} at {} after {:?}",
                        token,
                        row,
                        database.now,
                        step
                    );
                    let last = database.account(row.user).outdated;
                    prop_assert!(
                        !outdated || last.is_some_and(|last| token.version < last.before),
                        "a token of now is refused: {:?} of {:?} at {} after {:?}",
                        token,
                        row,
                        database.now,
                        step
                    );
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
