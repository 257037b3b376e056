//! Every interleaving of what an honest client can do at once, on one session.
//!
//! Two tabs share their storage. One refreshes, loses the answer and tries again; the other refreshes twice; the user signs
//! out; time passes: in ticks that keep a request within the free window, and in long pauses while no request is under way. A
//! retry reads the storage again, as a client does that waited, or sends the same request once more, as a client does at once; a
//! request that is going to be sent once more counts as under way. Each request has three steps (read of the row, step of the
//! white list, answer); a sign-out has two (commit of the row, clearing of the white list). All orders of all steps are walked;
//! orders that lead to the same state are walked on once, and the invariants are checked in each state.

use super::{NOW, OWNER, SESSION, entry, rotation, secs};
use revolve_domain::{
    model::{Epoch, Generation, Timestamp},
    rotation::{DeviceProof, Entry, LiveToken, Rotation, RotationOutcome, Write, step},
};
use std::collections::{BTreeMap, HashMap};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientPhase {
    Idle,
    /// The request is under way: the row was read, and lived or not.
    Read {
        presented: u64,
        lived: bool,
    },
    /// The white list has been stepped; the answer has not arrived.
    Stepped {
        answer: Option<LiveToken>,
    },
}

#[derive(Clone, Copy, Debug)]
struct Tab {
    phase: ClientPhase,
    /// Requests that it still makes.
    left: u8,
    /// What it presents: its own choice once, or the newest in the storage.
    presents: Option<u64>,
    loses_answers: bool,
}

#[derive(Clone, Debug)]
struct SystemState {
    now: Timestamp,
    row_lives: bool,
    cleared: bool,
    entry: Option<Entry>,
    /// The newest token in the tabs' storage.
    storage: LiveToken,
    /// First try, its retry, and the other tab.
    tabs: [Tab; 3],
    ticks: u8,
    pauses: u8,
    /// Every token that was ever handed out, by generation.
    handed: BTreeMap<u64, LiveToken>,
    client: SimulatedClient,
}

#[derive(Clone, Copy, Debug)]
struct SimulatedClient {
    shows_credential: bool,
    /// Whether the retry sends the same token whatever the storage has by then.
    retries_at_once: bool,
}

const FIRST_TRY: usize = 0;
const RETRY: usize = 1;
const OTHER_TAB: usize = 2;

impl SystemState {
    fn start(client: SimulatedClient) -> Self {
        let token = LiveToken {
            generation: Generation::FIRST,
            device: client.shows_credential.then_some(OWNER),
            ..entry(secs(0)).token
        };
        let tab = Tab {
            phase: ClientPhase::Idle,
            left: 1,
            presents: None,
            loses_answers: false,
        };
        Self {
            now: NOW,
            row_lives: true,
            cleared: false,
            entry: Some(Entry::begin(token, Epoch::FIRST, NOW)),
            storage: token,
            tabs: [
                Tab {
                    loses_answers: true,
                    ..tab
                },
                Tab { left: 0, ..tab },
                Tab { left: 2, ..tab },
            ],
            ticks: 2,
            pauses: 2,
            handed: BTreeMap::from([(1, token)]),
            client,
        }
    }

    fn rotation(&self, tab: usize, presented: u64) -> Rotation {
        // Every request would make a successor with times of its own.
        let issued_at = NOW.plus(secs(
            1000 * (tab as u64 + 1) + u64::from(self.tabs[tab].left),
        ));
        let device = DeviceProof {
            owner: OWNER,
            shown: self.client.shows_credential.then_some(OWNER),
            bound: false,
        };
        Rotation {
            session: SESSION,
            presented_issued_at: self.handed[&presented].issued_at,
            issued_at,
            expires_at: issued_at.plus(secs(7200)),
            device,
            ..rotation(presented)
        }
    }

    /// The tab's next step.
    fn advance(mut self, tab: usize) -> Option<Self> {
        match self.tabs[tab].phase {
            ClientPhase::Idle if self.tabs[tab].left == 0 => return None,
            ClientPhase::Idle => {
                let presented = self.tabs[tab]
                    .presents
                    .take()
                    .unwrap_or(self.storage.generation.number());
                self.tabs[tab].phase = ClientPhase::Read {
                    presented,
                    lived: self.row_lives,
                };
                self.tabs[tab].left -= 1;
                if tab == FIRST_TRY {
                    // From now on the client may lose patience and try again.
                    self.tabs[RETRY].left = 1;
                    self.tabs[RETRY].presents = self.client.retries_at_once.then_some(presented);
                }
            }
            ClientPhase::Read { lived: false, .. } => self.tabs[tab].phase = ClientPhase::Idle,
            ClientPhase::Read {
                presented,
                lived: true,
            } => {
                let (outcome, write) = step(
                    self.entry.as_ref(),
                    &self.rotation(tab, presented),
                    self.now,
                );
                match write {
                    Write::Keep => {}
                    Write::Put(entry) => self.entry = Some(entry),
                }
                self.tabs[tab].phase = ClientPhase::Stepped {
                    answer: self.judge(tab, presented, outcome),
                };
            }
            ClientPhase::Stepped { answer } => {
                let newest = answer.filter(|token| {
                    !self.tabs[tab].loses_answers && token.generation > self.storage.generation
                });
                self.storage = newest.unwrap_or(self.storage);
                self.tabs[tab].phase = ClientPhase::Idle;
            }
        }
        Some(self)
    }

    /// What must hold of each outcome; answers the token that was handed out.
    fn judge(&mut self, tab: usize, presented: u64, outcome: RotationOutcome) -> Option<LiveToken> {
        let token = match outcome {
            RotationOutcome::Rotated(token) | RotationOutcome::Repeated { token, .. } => token,
            RotationOutcome::Stale => return None,
            RotationOutcome::Unknown => {
                assert!(
                    self.cleared,
                    "only a session that was signed out may be unknown: {self:#?}"
                );
                return None;
            }
            other => panic!(
                "expected an honest client never to meet {other:?}: tab {tab} presented {presented} in {self:#?}"
            ),
        };
        assert!(
            !self.cleared,
            "after the white list was cleared nothing is handed out: {self:#?}"
        );
        assert_eq!(
            token.generation.number(),
            presented + 1,
            "a token of the next generation"
        );
        let first = *self.handed.entry(presented + 1).or_insert(token);
        assert_eq!(
            token, first,
            "all successes of one generation give the identical token"
        );
        Some(token)
    }

    fn commit_sign_out(mut self) -> Option<Self> {
        self.row_lives.then(|| {
            self.row_lives = false;
            self
        })
    }

    fn clear(mut self) -> Option<Self> {
        (!self.row_lives && !self.cleared).then(|| {
            (self.cleared, self.entry) = (true, None);
            self
        })
    }

    fn tick(mut self) -> Option<Self> {
        self.ticks = self.ticks.checked_sub(1)?;
        self.now = self.now.plus(secs(3));
        Some(self)
    }

    fn pause(mut self) -> Option<Self> {
        let under_way = self
            .tabs
            .iter()
            .any(|tab| matches!(tab.phase, ClientPhase::Read { .. }) || tab.presents.is_some());
        self.pauses = self.pauses.checked_sub(1).filter(|_| !under_way)?;
        self.now = self.now.plus(secs(60));
        Some(self)
    }

    /// What distinguishes this state from others. A token's `iat` identifies the request that made it.
    fn key(&self) -> Vec<i64> {
        let token = |token: &LiveToken| {
            [
                i64::try_from(token.generation.number()).expect("small"),
                token.issued_at.as_seconds(),
            ]
        };
        let phase = |tab: &Tab| match tab.phase {
            ClientPhase::Idle => [0, 0, 0],
            ClientPhase::Read { presented, lived } => [
                1,
                i64::try_from(presented).expect("small"),
                i64::from(lived),
            ],
            ClientPhase::Stepped { answer: None } => [2, 0, 0],
            ClientPhase::Stepped {
                answer: Some(answer),
            } => [3, token(&answer)[0], token(&answer)[1]],
        };
        let mut key = vec![
            self.now.as_millis(),
            i64::from(self.row_lives),
            i64::from(self.cleared),
            self.ticks.into(),
            self.pauses.into(),
        ];
        key.extend(token(&self.storage));
        for tab in &self.tabs {
            key.extend(phase(tab));
            key.extend([
                tab.left.into(),
                tab.presents
                    .map_or(0, |presents| i64::try_from(presents).expect("small")),
            ]);
        }
        if let Some(entry) = &self.entry {
            key.extend(token(&entry.token));
            key.extend([
                entry.rotated_at.as_millis(),
                entry.late.into(),
                entry.charged.into(),
            ]);
        }
        key.push(-1);
        key.extend(self.handed.values().flat_map(token));
        key
    }

    fn next(&self) -> Vec<Self> {
        let tabs = [FIRST_TRY, RETRY, OTHER_TAB].map(|tab| self.clone().advance(tab));
        let others = [
            self.clone().commit_sign_out(),
            self.clone().clear(),
            self.clone().tick(),
            self.clone().pause(),
        ];
        tabs.into_iter().chain(others).flatten().collect()
    }

    /// What must hold in every state: of all tokens ever handed out at most one would be replaced now, and every other
    /// that is accepted at all gives the live one.
    fn check(&self) {
        let mut replaced = Vec::new();
        for &presented in self.handed.keys() {
            match step(
                self.entry.as_ref(),
                &self.rotation(OTHER_TAB, presented),
                self.now,
            )
            .0
            {
                RotationOutcome::Rotated(_) => replaced.push(presented),
                RotationOutcome::Repeated { token, .. } => {
                    assert_eq!(
                        Some(token),
                        self.entry.map(|entry| entry.token),
                        "a retry gives the live token: {self:#?}"
                    );
                }
                RotationOutcome::Healed { .. } => panic!("expected nothing to be lost: {self:#?}"),
                _ => {}
            }
        }
        assert!(
            replaced.len() <= 1,
            "at most one live branch, got {replaced:?} in {self:#?}"
        );
        assert_eq!(
            replaced.is_empty(),
            self.entry.is_none(),
            "an entry's token has been handed out: {self:#?}"
        );
        assert!(
            !self.cleared || self.entry.is_none(),
            "after a sign-out the white list stays empty: {self:#?}"
        );
    }
}

/// Walks all orders from here on; answers how many there are.
fn walk(state: &SystemState, known: &mut HashMap<Vec<i64>, u128>) -> u128 {
    let key = state.key();
    if let Some(&orders) = known.get(&key) {
        return orders;
    }
    state.check();
    let next = state.next();
    let orders = if next.is_empty() {
        1
    } else {
        next.iter().map(|next| walk(next, known)).sum()
    };
    known.insert(key, orders);
    orders
}

#[test]
fn no_interleaving_makes_a_branch_or_accuses_an_honest_client() {
    for (shows_credential, retries_at_once) in
        [(false, false), (false, true), (true, false), (true, true)]
    {
        let mut known = HashMap::new();
        let orders = walk(
            &SystemState::start(SimulatedClient {
                shows_credential,
                retries_at_once,
            }),
            &mut known,
        );
        assert!(
            orders > 500_000_000,
            "expected all orders to be walked, got {orders} over {} states",
            known.len()
        );
    }
}
