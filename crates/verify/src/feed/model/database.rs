//! The user database of the histories.

use super::{CLOCKS, MAX_ENDED, START, Step, USERS, seconds};
use revolve_domain::{
    model::{AccountVersion, SessionId, Timestamp, UserId},
    revocations::{
        CommitSnapshot, KEPT, OutdatedTokens, RaisedEpoch, RevocationQuery, Revocations, SessionEnd,
    },
};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: SessionId,
    pub(super) user: UserId,
    pub(super) tokens: Vec<Token>,
    pub(super) ended: Option<(i64, u64)>,
    dropped: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) issued_at: i64,
    pub(super) version: AccountVersion,
}

/// What an account shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Account {
    version: AccountVersion,
    /// The version before the last change, and when that began.
    former: Option<(AccountVersion, i64)>,
    pub(super) outdated: Option<OutdatedTokens>,
}

/// What is not committed yet.
struct Pending {
    what: Uncommitted,
    begun: i64,
    at: i64,
    number: u64,
}

/// How long a change is under way, and a refresh beside it, in seconds: its stamp, a token of the state before and a read of the feed may be
/// by three clocks.
const LONGEST_CHANGE: i64 = 25;

impl Pending {
    /// A call of a store does not take a minute.
    fn longest(&self) -> i64 {
        match self.what {
            Uncommitted::End(_) => 50,
            Uncommitted::Change(_) => LONGEST_CHANGE,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Uncommitted {
    End(usize),
    Change(u8),
}

pub(super) struct Database {
    pub(super) now: i64,
    source: u64,
    next: u64,
    pub(super) rows: Vec<Row>,
    pub(super) accounts: [Account; USERS as usize],
    pending: Vec<Pending>,
    /// Transactions that change nothing of this.
    open: Vec<u64>,
}

fn user_id(user: u8) -> UserId {
    UserId::from_uuid(Uuid::from_u128(1 + u128::from(user)))
}

impl Database {
    /// Without sessions; no account was ever changed.
    pub(super) fn new() -> Self {
        Self {
            now: START,
            source: 1,
            next: 0,
            rows: Vec::new(),
            accounts: [Account::default(); USERS as usize],
            pending: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Does a step that is one of the database alone.
    pub(super) fn apply(&mut self, step: Step) {
        match step {
            Step::SignIn(user, at) => {
                self.sign_in(user, CLOCKS[at % CLOCKS.len()]);
            }
            Step::Refresh(session, at) => {
                if let Some(row) = self.live(session) {
                    let token = Token {
                        issued_at: self.now + CLOCKS[at % CLOCKS.len()],
                        version: self.account(self.rows[row].user).version,
                    };
                    self.rows[row].tokens.push(token);
                }
            }
            Step::SlowRefresh(session, at) => {
                if let Some(row) = self.live(session) {
                    let account = self.account(self.rows[row].user);
                    let is_under_way = |begun| self.now - begun <= LONGEST_CHANGE;
                    let former = account.former.filter(|(_, begun)| is_under_way(*begun));
                    if let Some((version, _)) = former {
                        let issued_at = self.now + CLOCKS[at % CLOCKS.len()];
                        self.rows[row].tokens.push(Token { issued_at, version });
                    }
                }
            }
            Step::BeginChange(user, at) => {
                self.begin(Uncommitted::Change(user), CLOCKS[at % CLOCKS.len()]);
            }
            Step::Change(user, at) => {
                self.begin(Uncommitted::Change(user), CLOCKS[at % CLOCKS.len()]);
                let is_it = |pending: &mut Pending| pending.what == Uncommitted::Change(user);
                let done: Vec<_> = self.pending.extract_if(.., is_it).collect();
                for done in done {
                    self.commit(&done);
                }
            }
            Step::BeginEnd(session, at) => {
                if let Some(row) = self.live(session) {
                    self.begin(Uncommitted::End(row), CLOCKS[at % CLOCKS.len()]);
                }
            }
            Step::Commit(which) => {
                if !self.pending.is_empty() {
                    let which = which % self.pending.len();
                    let done = self.pending.remove(which);
                    self.commit(&done);
                }
            }
            Step::RollBack(which) => {
                if !self.pending.is_empty() {
                    let which = which % self.pending.len();
                    self.pending.remove(which);
                }
            }
            Step::End(session, at) => {
                if let Some(row) = self.live(session) {
                    self.end(row, CLOCKS[at % CLOCKS.len()]);
                }
            }
            Step::Flood => {
                for _ in 0..=CommitSnapshot::MAX_UNSEEN {
                    let number = self.number();
                    self.open.push(number);
                }
            }
            Step::Drain => self.open.clear(),
            Step::Crowd(user, at, times) => {
                for _ in 0..times {
                    let clock = CLOCKS[at % CLOCKS.len()];
                    let row = self.sign_in(user, clock);
                    self.end(row, clock);
                }
            }
            Step::Pass(seconds) => {
                let then = self.now + i64::from(seconds);
                let is_over = |pending: &mut Pending| then - pending.begun > pending.longest();
                let done: Vec<_> = self.pending.extract_if(.., is_over).collect();
                for done in done {
                    self.commit(&done);
                }
                self.now = then;
            }
            Step::RestartDatabase => {
                self.pending.clear();
                self.open.clear();
                self.source += 1;
                // Its numbers may begin anywhere.
                self.next += 1000;
            }
            Step::Restart(_) | Step::Ask(..) | Step::Again(..) => {}
        }
    }

    pub(super) fn account(&self, user: UserId) -> &Account {
        let of_user = (0..USERS).find(|number| user_id(*number) == user);
        &self.accounts[usize::from(of_user.expect("there are no others"))]
    }

    /// Begins what is committed later. A change locks the row of its account.
    fn begin(&mut self, what: Uncommitted, clock: i64) {
        let is_locked = self.pending.iter().any(|pending| pending.what == what);
        if !is_locked {
            let (begun, number) = (self.now, self.number());
            self.pending.push(Pending {
                what,
                begun,
                at: begun + clock,
                number,
            });
        }
    }

    fn commit(&mut self, done: &Pending) {
        match done.what {
            Uncommitted::End(row) => self.rows[row].ended = Some((done.at, done.number)),
            Uncommitted::Change(user) => {
                let account = &mut self.accounts[usize::from(user)];
                let at = Timestamp::from_seconds(done.at);
                account.former = Some((account.version, done.begun));
                account.version = account.version.next(at);
                account.outdated = Some(OutdatedTokens {
                    user: user_id(user),
                    before: account.version,
                    at,
                    commit: done.number,
                });
            }
        }
    }

    fn sign_in(&mut self, user: u8, clock: i64) -> usize {
        let number = self.rows.len() as u128;
        let at = self.now + clock;
        let row = Row {
            id: SessionId::from_uuid(Uuid::from_u128(0x1000 + number)),
            user: user_id(user),
            tokens: vec![Token {
                issued_at: at,
                version: self.accounts[usize::from(user)].version,
            }],
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
            .filter(|row| {
                let end = Uncommitted::End(*row);
                self.pending.iter().all(|pending| pending.what != end)
            })
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

    pub(super) fn read(&self, query: &RevocationQuery) -> Revocations {
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
        let outdated = self.accounts.iter().filter_map(|account| account.outdated);
        let mut outdated: Vec<_> = outdated.filter(|tokens| tokens.at >= query.since).collect();
        let mut living = BTreeMap::new();
        if let Some(seen) = &query.unseen_by {
            ends.retain(|end| !seen.saw(end.commit));
            outdated.retain(|tokens| !seen.saw(tokens.commit));
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
            outdated,
        }
    }
}
