//! The white list. The domain computes each step; this keeps the result, on the store's clock.

use super::{Lists, MemoryStore, WhiteListEntry};
use async_trait::async_trait;
use revolve_domain::{
    model::{Epoch, SessionId, Timestamp, UserId},
    ports::{LiveSession, NewLiveSession, StoreError, TokenRepository},
    rotation::{Entry, Rotation, RotationOutcome, Write, step},
};

impl MemoryStore {
    /// The lists without expired entries, and the current time.
    fn alive(&self) -> (std::sync::MutexGuard<'_, Lists>, Timestamp) {
        let mut lists = self.lists();
        let now = self.clock.now();
        lists.white_list.retain(|listed| listed.entry.is_live(now));
        (lists, now)
    }
}

impl Lists {
    fn of(&self, user: UserId) -> Vec<LiveSession> {
        let own = self
            .white_list
            .iter()
            .filter(|listed| listed.user == user && !listed.entry.reused);
        own.map(|listed| LiveSession {
            session: listed.session,
            token: listed.entry.token,
            refreshed_at: listed.entry.rotated_at,
        })
        .collect()
    }

    fn forget(&mut self, user: UserId, session: SessionId) {
        self.white_list
            .retain(|listed| listed.user != user || listed.session != session);
    }

    fn keep(&mut self, user: UserId, session: SessionId, entry: Entry) {
        self.forget(user, session);
        self.white_list.push(WhiteListEntry {
            user,
            session,
            entry,
        });
    }
}

#[async_trait]
impl TokenRepository for MemoryStore {
    async fn begin(&self, new: NewLiveSession) -> Result<Vec<LiveSession>, StoreError> {
        let (mut lists, now) = self.alive();
        lists.forget(new.user, new.session);
        let mut others = lists.of(new.user);
        others.sort_by_key(|other| other.refreshed_at);
        let excess = (others.len() + 1)
            .saturating_sub(new.ceiling)
            .min(others.len());
        for gone in others.drain(..excess) {
            lists.forget(new.user, gone.session);
        }
        lists.keep(
            new.user,
            new.session,
            Entry::begin(new.token, new.epoch, now),
        );
        Ok(others)
    }

    async fn rotate(&self, rotation: &Rotation) -> Result<RotationOutcome, StoreError> {
        let (mut lists, now) = self.alive();
        let (user, session) = (rotation.user, rotation.session);
        let found = lists
            .white_list
            .iter()
            .find(|listed| listed.user == user && listed.session == session);
        let (outcome, write) = step(found.map(|listed| &listed.entry), rotation, now);
        match write {
            Write::Keep => {}
            Write::Put(entry) => lists.keep(user, session, entry),
        }
        Ok(outcome)
    }

    async fn end(&self, user: UserId, sessions: &[SessionId]) -> Result<(), StoreError> {
        self.lists()
            .white_list
            .retain(|listed| listed.user != user || !sessions.contains(&listed.session));
        Ok(())
    }

    async fn end_older(
        &self,
        user: UserId,
        epoch: Epoch,
        kept: Option<SessionId>,
    ) -> Result<(), StoreError> {
        let stays = |listed: &WhiteListEntry| {
            listed.user != user || listed.entry.epoch >= epoch || kept == Some(listed.session)
        };
        self.lists().white_list.retain(stays);
        Ok(())
    }

    async fn list(&self, user: UserId) -> Result<Vec<LiveSession>, StoreError> {
        Ok(self.alive().0.of(user))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
