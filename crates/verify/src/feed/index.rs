//! What is revoked, in a form to look up and to add to.

use super::{document::RevocationDocument, packed::PackedDocument};
use crate::claims::Claims;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{PoisonError, RwLock},
};
use uuid::Uuid;

/// Entries that end within one of these, in seconds, are forgotten together.
const SLOT: u64 = 256;
/// So many are added before a call that verifies may have its turn.
const BATCH: usize = 4096;

/// Ended sessions, raised epochs, the living sessions of users with many ends, and outdated accounts.
///
/// Each statement is added; an entry goes when every token that it concerns has expired. A session never comes back to life, so this
/// can't refuse too much; and a replica of the issuer that is behind can't undo a revocation.
#[derive(Debug, Default)]
pub(super) struct RevocationIndex {
    /// By the slot in which the entry ends.
    ended: BTreeMap<u64, HashSet<Uuid>>,
    users: HashMap<Uuid, Raised>,
    only: HashMap<Uuid, Only>,
    outdated: HashMap<Uuid, Outdated>,
}

/// A user whose epoch rose.
#[derive(Clone, Copy, Debug)]
struct Raised {
    epoch: u64,
    kept: Option<Uuid>,
    until: u64,
}

/// A user of whom only these sessions live, among those with tokens from before an instant.
#[derive(Clone, Debug)]
struct Only {
    issued_before: u64,
    living: Box<[Uuid]>,
    until: u64,
}

/// An account whose tokens before a version are outdated.
#[derive(Clone, Copy, Debug)]
struct Outdated {
    before: u64,
    until: u64,
}

impl RevocationIndex {
    /// Whether the token says what is not so any more.
    pub(super) fn outdates(&self, claims: &Claims) -> bool {
        let outdated = self.outdated.get(&claims.user.uid);
        outdated.is_some_and(|outdated| claims.version < outdated.before)
    }

    /// Whether the token's session has ended.
    pub(super) fn revokes(&self, claims: &Claims) -> bool {
        self.ended
            .values()
            .any(|slot| slot.contains(&claims.session))
            || self.users.get(&claims.user.uid).is_some_and(|raised| {
                raised.epoch > claims.epoch && raised.kept != Some(claims.session)
            })
            || self.only.get(&claims.user.uid).is_some_and(|only| {
                claims.issued_at < only.issued_before && !only.living.contains(&claims.session)
            })
    }

    /// How many sessions and users there are.
    pub(super) fn len(&self) -> usize {
        let ended: usize = self.ended.values().map(HashSet::len).sum();
        ended + self.users.len() + self.only.len() + self.outdated.len()
    }

    /// Takes out what concerns no token any more, to be dropped where nobody waits.
    fn expired(&mut self, now: u64) -> BTreeMap<u64, HashSet<Uuid>> {
        self.users.retain(|_, raised| raised.until > now);
        self.only.retain(|_, only| only.until > now);
        self.outdated.retain(|_, outdated| outdated.until > now);
        let left = self.ended.split_off(&(now / SLOT));
        std::mem::replace(&mut self.ended, left)
    }

    fn has_ended(&self, session: Uuid, until: u64) -> bool {
        let slot = self.ended.get(&(until / SLOT));
        slot.is_some_and(|slot| slot.contains(&session))
    }

    fn end(&mut self, session: Uuid, until: u64) {
        self.ended.entry(until / SLOT).or_default().insert(session);
    }

    fn raise(&mut self, user: Uuid, epoch: u64, kept: Option<Uuid>, until: u64) {
        let new = Raised { epoch, kept, until };
        let raised = self.users.entry(user).or_insert(new);
        if epoch >= raised.epoch {
            *raised = Raised {
                until: until.max(raised.until),
                ..new
            };
        }
    }

    /// The greatest version counts, whatever comes last.
    fn outdate(&mut self, user: Uuid, before: u64, until: u64) {
        let outdated = self
            .outdated
            .entry(user)
            .or_insert(Outdated { before, until });
        outdated.before = outdated.before.max(before);
        outdated.until = outdated.until.max(until);
    }

    /// The younger read knows more: a session that it does not name any more has ended, one that it names anew is younger
    /// than the older one's instant.
    fn live_only(&mut self, user: Uuid, new: Only) {
        let only = self.only.entry(user).or_insert_with(|| new.clone());
        if new.issued_before >= only.issued_before {
            *only = new;
        }
    }
}

/// The index, for calls that verify while it grows.
#[derive(Debug, Default)]
pub(super) struct SharedIndex(RwLock<RevocationIndex>);

impl SharedIndex {
    pub(super) fn read<T>(&self, work: impl FnOnce(&RevocationIndex) -> T) -> T {
        work(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, work: impl FnOnce(&mut RevocationIndex) -> T) -> T {
        work(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets what has expired.
    pub(super) fn expire(&self, now: u64) {
        drop(self.write(|index| index.expired(now)));
    }

    /// How many entries a plain statement adds.
    pub(super) fn new_in_plain(&self, document: &RevocationDocument) -> usize {
        self.read(|index| {
            let sessions = document.sessions.iter();
            let users = document.users.iter();
            sessions
                .filter(|(session, _)| !index.has_ended(*session, document.exp))
                .count()
                + users
                    .filter(|(user, ..)| !index.users.contains_key(user))
                    .count()
                + document
                    .outdated
                    .iter()
                    .filter(|(user, _)| !index.outdated.contains_key(user))
                    .count()
        })
    }

    /// Adds a plain statement.
    pub(super) fn add_plain(&self, document: &RevocationDocument) {
        let until = document.exp;
        for batch in document.sessions.chunks(BATCH) {
            self.write(|index| {
                for (session, _) in batch {
                    index.end(*session, until);
                }
            });
        }
        self.write(|index| {
            for &(user, epoch, kept) in &document.users {
                index.raise(user, epoch, kept, until);
            }
            for &(user, before) in &document.outdated {
                index.outdate(user, before, until);
            }
        });
    }

    /// How many entries a packed statement adds.
    pub(super) fn new_in_packed(&self, document: &PackedDocument, leeway: u64) -> usize {
        self.read(|index| {
            let ended = document.ended().map(|(before, sessions)| {
                let until = ended_until(document, before, leeway);
                let is_new = |id: &&[u8; 16]| !index.has_ended(Uuid::from_bytes(**id), until);
                sessions.iter().filter(is_new).count()
            });
            let is_new =
                |(user, _): &([u8; 16], _)| !index.only.contains_key(&Uuid::from_bytes(*user));
            let outdated = document.outdated();
            let outdated = outdated.filter(|tokens| !index.outdated.contains_key(&tokens.user));
            ended.sum::<usize>() + document.living().filter(is_new).count() + outdated.count()
        })
    }

    /// Adds a packed statement.
    pub(super) fn add_packed(&self, document: &PackedDocument, leeway: u64) {
        for (before, sessions) in document.ended() {
            let until = ended_until(document, before, leeway);
            for batch in sessions.chunks(BATCH) {
                self.write(|index| {
                    for session in batch {
                        index.end(Uuid::from_bytes(*session), until);
                    }
                });
            }
        }
        self.write(|index| {
            for tokens in document.outdated() {
                let until = ended_until(document, tokens.at, leeway);
                index.outdate(tokens.user, tokens.before, until);
            }
            for (user, living) in document.living() {
                let living = living.iter().copied().map(Uuid::from_bytes);
                let only = Only {
                    issued_before: document.only.issued_before,
                    living: living.collect(),
                    until: document.exp.saturating_add(leeway),
                };
                index.live_only(Uuid::from_bytes(user), only);
            }
        });
    }
}

/// Until when what was before then stays listed. Tokens of a session may be issued until a little after its end, and such of the state before
/// a change until a little after that; the window has a margin for both.
fn ended_until(document: &PackedDocument, before: u64, leeway: u64) -> u64 {
    before
        .saturating_add(document.window)
        .saturating_add(leeway)
}
