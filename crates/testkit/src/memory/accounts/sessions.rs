//! The rows of sessions.

use super::{DeviceSignIn, MemoryAccounts, MemoryTables, Numbered, end};
use async_trait::async_trait;
use revolve_domain::{
    factors::may_begin,
    journal::Tell,
    model::{DeviceId, EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId},
    ports::{BeginOutcome, BeginSession, EndOutcome, SessionRepository, StoreError},
    revocations::{
        CommitSnapshot, OutdatedTokens, RaisedEpoch, RevocationQuery, Revocations, SessionEnd,
    },
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

impl MemoryTables {
    /// Makes room for a new session: replaced, then expired, then evicted.
    fn make_room(&mut self, begin: &BeginSession) -> BeginOutcome {
        let (new, now) = (&begin.session, begin.session.began_at);
        let refreshed: HashMap<_, _> = begin.refreshed.iter().copied().collect();
        let (mut replaced, mut expired, mut left) = (Vec::new(), Vec::new(), Vec::new());
        for row in self.rows(new.user).filter(|row| row.ending.is_none()) {
            let idle = !refreshed.contains_key(&row.id) && now.since(row.began_at) > begin.idle;
            let is_same_device =
                row.device == new.device || begin.former_devices.contains(&row.device);
            if is_same_device && row.client.origin == new.client.origin {
                end(row, EndReason::Replaced, now);
                replaced.push(row.id);
            } else if idle || now >= row.ends_at {
                end(row, EndReason::Expired, now);
                expired.push(row.id);
            } else {
                left.push((
                    refreshed.get(&row.id).copied().unwrap_or(row.began_at),
                    row.id,
                ));
            }
        }
        left.sort_unstable();
        let excess = (left.len() + 1).saturating_sub(begin.max_live);
        let evicted: Vec<_> = left
            .into_iter()
            .take(excess)
            .map(|(_, session)| session)
            .collect();
        for row in self.rows(new.user).filter(|row| evicted.contains(&row.id)) {
            end(row, EndReason::Evicted, now);
        }
        BeginOutcome::Begun {
            replaced,
            expired,
            evicted,
        }
    }

    /// Remembers the device of a session.
    pub(super) fn know_device(&mut self, session: &Session) {
        let new = DeviceSignIn {
            at: session.began_at,
            epoch: Some(session.epoch),
        };
        self.devices
            .entry((session.user, session.device))
            .and_modify(|known| {
                known.at = new.at;
                known.epoch = known.epoch.and(new.epoch);
            })
            .or_insert(new);
    }

    /// Forgets the former devices, and the oldest over the limit.
    fn forget_devices(&mut self, begin: &BeginSession) {
        let session = &begin.session;
        for former in &begin.former_devices {
            self.devices.remove(&(session.user, *former));
        }
        let mut known: Vec<_> = self
            .devices
            .iter()
            .filter(|((user, _), _)| *user == session.user)
            .map(|(key, known)| (known.at, *key))
            .collect();
        // The one of this sign-in stays, whatever its time.
        known.sort_unstable_by_key(|&(at, (_, device))| {
            Reverse((device == session.device, at, device))
        });
        for (_, device) in known.into_iter().skip(begin.max_devices) {
            self.devices.remove(&device);
        }
    }

    pub(super) fn begin(&mut self, begin: &BeginSession) -> BeginOutcome {
        let new = &begin.session;
        let may_begin = self.users.get(&new.user).is_some_and(|(user, _)| {
            user.disabled_at.is_none()
                && user.epoch == new.epoch
                && may_begin(user, begin.unless_factor)
        });
        let is_current = |device| self.is_current(new.user, device);
        if !may_begin || !begin.kept_device().is_none_or(is_current) {
            return BeginOutcome::Superseded;
        }
        let begun = self.make_room(begin);
        self.sessions.insert(new.id, new.clone());
        self.drop_oldest_ended(begin);
        self.know_device(new);
        self.forget_devices(begin);
        begun
    }

    fn bind(
        &mut self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
    ) -> Option<DeviceId> {
        let epoch = self.row(user, session)?.epoch;
        let other = devices.iter().copied().find(|device| {
            let known = self.devices.get(&(user, *device));
            known.and_then(|known| known.epoch) >= Some(epoch)
        });
        let row = self.row(user, session)?;
        if !devices.contains(&row.device) {
            row.device = other.filter(|_| row.bound_at.is_none())?;
        }
        row.bound_at.get_or_insert(at);
        Some(row.device)
    }

    fn drop_oldest_ended(&mut self, begin: &BeginSession) {
        let mut ended: Vec<_> = self
            .rows(begin.session.user)
            .filter_map(|row| Some((row.ending?.at, row.began_at, row.id)))
            .collect();
        ended.sort_unstable_by_key(|&row| Reverse(row));
        let over = ended.into_iter().skip(begin.max_ended);
        for (.., session) in over.filter(|(at, ..)| *at < begin.settled) {
            self.sessions.remove(&session);
        }
    }
}

#[async_trait]
impl SessionRepository for MemoryAccounts {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let mut tables = self.tables();
        let session = tables.row(user, session).cloned();
        let user = tables.users.get(&user).map(|(user, _)| user.clone());
        Ok(session.map(|session| SessionRecord { session, user }))
    }

    async fn begin(
        &self,
        begin: &BeginSession,
        tell: &Tell<BeginOutcome>,
    ) -> Result<BeginOutcome, StoreError> {
        self.change(tell, |tables| tables.begin(begin))
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
        tell: &Tell<Option<DeviceId>>,
    ) -> Result<Option<DeviceId>, StoreError> {
        self.change(tell, |tables| tables.bind(user, session, devices, at))
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<EndOutcome>,
    ) -> Result<EndOutcome, StoreError> {
        self.change(tell, |tables| {
            let Some(row) = tables.row(user, session) else {
                return EndOutcome::NotFound;
            };
            let (ended, device) = (end(row, reason, at), row.device);
            if reason == EndReason::Reused
                && let Some(known) = tables.devices.get_mut(&(user, device))
            {
                known.epoch = None;
            }
            if ended {
                EndOutcome::Ended
            } else {
                EndOutcome::AlreadyEnded
            }
        })
    }

    async fn end_all(
        &self,
        user: UserId,
        kept: Option<SessionId>,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<Option<Epoch>>,
    ) -> Result<Option<Epoch>, StoreError> {
        self.change(tell, |tables| {
            if kept.is_some_and(|kept| !tables.lives(user, kept, at)) {
                return None;
            }
            tables.raise(user, kept, reason, at);
            tables.users.get(&user).map(|(user, _)| user.epoch)
        })
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let tables = self.tables();
        let mut live: Vec<_> = tables
            .sessions
            .values()
            .filter(|row| tables.lives(user, row.id, now))
            .cloned()
            .collect();
        live.sort_by_key(|row| Reverse(row.began_at));
        Ok(live)
    }

    async fn revoked(&self, query: &RevocationQuery) -> Result<Revocations, StoreError> {
        let mut tables = self.tables();
        let MemoryTables {
            users,
            sessions,
            raised,
            outdated,
            numbers,
            restarts,
            ..
        } = &mut *tables;
        let (mut ends, mut ended_of) = (Vec::new(), HashMap::<UserId, usize>::new());
        let mut number = |what| {
            let next = numbers.len() as u64 + 1;
            *numbers.entry(what).or_insert(next)
        };
        for row in sessions.values() {
            let Some(ending) = row.ending else { continue };
            let commit = number(Numbered::End(row.id));
            if ending.at >= query.since {
                *ended_of.entry(row.user).or_default() += 1;
                ends.push(SessionEnd {
                    session: row.id,
                    user: row.user,
                    at: ending.at,
                    commit,
                });
            }
        }
        let outdated = outdated
            .iter()
            .map(|(&user, &(before, at))| OutdatedTokens {
                user,
                before,
                at,
                commit: number(Numbered::Outdated(user, before)),
            });
        let mut outdated: Vec<_> = outdated.collect();
        outdated.retain(|tokens| tokens.at >= query.since);
        let last = numbers.len() as u64;
        let mut living = BTreeMap::new();
        if let Some(seen) = &query.unseen_by {
            ends.retain(|end| !seen.saw(end.commit));
            outdated.retain(|tokens| !seen.saw(tokens.commit));
        } else {
            let crowded = ended_of
                .into_iter()
                .filter(|(_, ended)| *ended >= query.crowded);
            for (user, _) in crowded {
                let live = sessions
                    .values()
                    .filter(|row| row.user == user && row.ending.is_none());
                living.insert(user, live.map(|row| row.id).collect());
            }
        }
        let raised = raised
            .iter()
            .filter(|(_, at)| **at >= query.since)
            .filter_map(|(user, at)| Some((&users.get(user)?.0, *at)));
        Ok(Revocations {
            snapshot: CommitSnapshot::serial(*restarts + 1, last),
            ends,
            raised: raised
                .map(|(user, at)| RaisedEpoch {
                    user: user.id,
                    epoch: user.epoch,
                    kept: user.kept_session,
                    at,
                })
                .collect(),
            living,
            outdated,
        })
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let old: Vec<_> = tables
            .devices
            .iter()
            .filter(|(_, known)| known.at < before)
            .take(limit as usize)
            .map(|(key, _)| *key)
            .collect();
        for device in &old {
            tables.devices.remove(device);
        }
        Ok(old.len() as u64)
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let over = |row: &&Session| {
            row.ending
                .map_or(row.ends_at, |ending| ending.at.min(row.ends_at))
                < before
        };
        let gone: Vec<_> = tables
            .sessions
            .values()
            .filter(over)
            .take(limit as usize)
            .map(|row| row.id)
            .collect();
        for session in &gone {
            tables.sessions.remove(session);
        }
        Ok(gone.len() as u64)
    }
}
