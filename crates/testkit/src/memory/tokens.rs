//! The white list in memory: one map per user, and the state machine of the domain.

use super::lock;
use async_trait::async_trait;
use revolve_domain::{
    model::{Epoch, SessionId, Timestamp, UserId},
    ports::{Clock, LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{Entry, Rotation, RotationOutcome, Write, step},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

type Entries = BTreeMap<SessionId, Entry>;

/// The white list in memory. Its clock is the store's clock.
pub struct MemoryTokens {
    clock: Arc<dyn Clock>,
    users: Mutex<HashMap<UserId, Entries>>,
}

impl MemoryTokens {
    /// An empty white list that runs on this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            users: Mutex::default(),
        }
    }

    /// The stored entry of a session, live or expired.
    pub fn entry(&self, user: UserId, session: SessionId) -> Option<Entry> {
        lock(&self.users).get(&user)?.get(&session).copied()
    }

    /// Replaces or removes a session's entry, like a store that lost acknowledged writes.
    pub fn restore(&self, user: UserId, session: SessionId, entry: Option<Entry>) {
        let mut users = lock(&self.users);
        let entries = users.entry(user).or_default();
        match entry {
            Some(entry) => entries.insert(session, entry),
            None => entries.remove(&session),
        };
    }

    /// How many entries the user has, expired ones included.
    pub fn size(&self, user: UserId) -> usize {
        lock(&self.users).get(&user).map_or(0, Entries::len)
    }

    /// One atomic step among the user's live entries.
    fn with<T>(&self, user: UserId, step: impl FnOnce(&mut Entries, Timestamp) -> T) -> T {
        let mut users = lock(&self.users);
        let now = self.clock.now();
        let entries = users.entry(user).or_default();
        entries.retain(|_, entry| entry.is_live(now));
        step(entries, now)
    }
}

fn seen((&session, entry): (&SessionId, &Entry)) -> Option<LiveSession> {
    (!entry.reused).then_some(LiveSession {
        session,
        token: entry.token,
        refreshed_at: entry.rotated_at,
    })
}

#[async_trait]
impl TokenRepository for MemoryTokens {
    async fn begin(&self, new: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        Ok(self.with(new.user, |entries, now| {
            entries.remove(&new.session);
            let mut counted: Vec<_> = entries
                .iter()
                .filter(|(_, entry)| !entry.reused)
                .map(|(id, entry)| (entry.rotated_at, *id))
                .collect();
            counted.sort_unstable();
            let excess = (counted.len() + 1).saturating_sub(new.ceiling);
            for (_, oldest) in counted.into_iter().take(excess) {
                entries.remove(&oldest);
            }
            let others = entries.iter().filter_map(seen).collect();
            entries.insert(new.session, Entry::begin(new.token, new.epoch, now));
            others
        }))
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        Ok(self.with(rotation.user, |entries, now| {
            let (outcome, write) = step(entries.get(&rotation.session), rotation, now);
            match write {
                Write::Keep => {}
                Write::Put(entry) => drop(entries.insert(rotation.session, entry)),
            }
            outcome
        }))
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        self.with(user, |entries, _| {
            entries.retain(|session, _| !sessions.contains(session));
        });
        Ok(())
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.with(user, |entries, _| {
            entries.retain(|&session, entry| entry.epoch >= epoch || kept == Some(session));
        });
        Ok(())
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        Ok(self.with(user, |entries, _| entries.iter().filter_map(seen).collect()))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
