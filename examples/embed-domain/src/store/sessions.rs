//! The rows of sessions.

use super::{Lists, MemoryStore, ending};
use async_trait::async_trait;
use revolve_domain::{
    factors::may_begin,
    journal::Tell,
    model::{DeviceId, EndReason, Epoch, Session, SessionId, SessionRecord, Timestamp, UserId},
    ports::{BeginOutcome, BeginSession, EndOutcome, SessionRepository, StoreError},
    revocations::{CommitSnapshot, RaisedEpoch, RevocationQuery, Revocations, SessionEnd},
};
use std::{cmp::Reverse, collections::BTreeMap};

impl Lists {
    /// Ends the sessions that a new one replaces or evicts, and those that were not refreshed in time.
    fn make_room(&mut self, begin: &BeginSession) -> BeginOutcome {
        let (new, now) = (&begin.session, begin.session.began_at);
        let last_used = |row: &Session| {
            begin
                .refreshed
                .iter()
                .find(|(id, _)| *id == row.id)
                .map(|(_, at)| *at)
        };
        let mut live: Vec<&mut Session> = self
            .sessions
            .iter_mut()
            .filter(|row| row.user == new.user && row.ending.is_none())
            .collect();
        // The most recently used first: those over the limit are evicted.
        live.sort_by_key(|row| Reverse((last_used(row).unwrap_or(row.began_at), row.id)));
        let (mut replaced, mut expired, mut evicted) = (Vec::new(), Vec::new(), Vec::new());
        let mut room = begin.max_live.saturating_sub(1);
        for row in live {
            let forgotten = last_used(row).is_none() && now.since(row.began_at) > begin.idle;
            let is_same_device =
                row.device == new.device || begin.former_devices.contains(&row.device);
            let reason = if is_same_device && row.client.origin == new.client.origin {
                replaced.push(row.id);
                EndReason::Replaced
            } else if forgotten || now >= row.ends_at {
                expired.push(row.id);
                EndReason::Expired
            } else if room > 0 {
                room -= 1;
                continue;
            } else {
                evicted.push(row.id);
                EndReason::Evicted
            };
            row.ending = Some(ending(reason, now));
        }
        BeginOutcome::Begun {
            replaced,
            expired,
            evicted,
        }
    }

    fn forget_oldest_ended(&mut self, begin: &BeginSession) {
        let user = begin.session.user;
        let ended = self.sessions.iter().filter(|row| row.user == user);
        let mut ended: Vec<_> = ended
            .filter_map(|row| Some((row.ending?.at, row.began_at, row.id)))
            .collect();
        ended.sort_unstable_by_key(|row| Reverse(*row));
        let over = ended.into_iter().skip(begin.max_ended);
        let gone: Vec<SessionId> = over
            .filter(|(at, ..)| *at < begin.settled)
            .map(|(.., id)| id)
            .collect();
        self.sessions.retain(|row| !gone.contains(&row.id));
    }
}

#[async_trait]
impl SessionRepository for MemoryStore {
    async fn find(
        &self,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<SessionRecord>, StoreError> {
        let mut lists = self.lists();
        let owner = lists.account(user).map(|account| account.user.clone());
        Ok(lists.session(user, session).map(|row| SessionRecord {
            session: row.clone(),
            user: owner,
        }))
    }

    async fn begin(
        &self,
        begin: &BeginSession,
        tell: &Tell<BeginOutcome>,
    ) -> Result<BeginOutcome, StoreError> {
        self.change(tell, |lists| {
            let new = &begin.session;
            let owner = lists.account(new.user).map(|owner| owner.user.clone());
            let may_begin = owner.is_some_and(|owner| {
                let kept = begin.kept_device();
                owner.disabled_at.is_none()
                    && owner.epoch == new.epoch
                    && may_begin(&owner, begin.unless_factor)
                    && kept.is_none_or(|device| lists.is_current(&owner, device))
            });
            if !may_begin {
                return BeginOutcome::Superseded;
            }
            let begun = lists.make_room(begin);
            lists.sessions.push(new.clone());
            lists.forget_oldest_ended(begin);
            lists.known_devices.retain(|known| {
                known.user != new.user || !begin.former_devices.contains(&known.device)
            });
            lists.know_device(new, begin.max_devices);
            begun
        })
    }

    async fn bind(
        &self,
        user: UserId,
        session: SessionId,
        devices: &[DeviceId],
        at: Timestamp,
        tell: &Tell<Option<DeviceId>>,
    ) -> Result<Option<DeviceId>, StoreError> {
        self.change(tell, |lists| {
            let epoch = lists.session(user, session).map(|row| row.epoch)?;
            let other = devices.iter().copied().find(|device| {
                let known = lists.known(user, *device);
                known.and_then(|known| known.epoch) >= Some(epoch)
            });
            let row = lists.session(user, session)?;
            if !devices.contains(&row.device) {
                match other {
                    Some(other) if row.bound_at.is_none() => row.device = other,
                    _ => return None,
                }
            }
            row.bound_at.get_or_insert(at);
            Some(row.device)
        })
    }

    async fn end(
        &self,
        user: UserId,
        session: SessionId,
        reason: EndReason,
        at: Timestamp,
        tell: &Tell<EndOutcome>,
    ) -> Result<EndOutcome, StoreError> {
        self.change(tell, |lists| {
            let Some(row) = lists.session(user, session) else {
                return EndOutcome::NotFound;
            };
            let (lived, device) = (row.ending.is_none(), row.device);
            row.ending.get_or_insert(ending(reason, at));
            for known in &mut lists.known_devices {
                if reason == EndReason::Reused && (known.user, known.device) == (user, device) {
                    known.epoch = None;
                }
            }
            if lived {
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
        self.change(tell, |lists| match kept {
            Some(kept) if !lists.is_live(user, kept, at) => None,
            _ => lists.raise(user, kept, ending(reason, at)),
        })
    }

    async fn live(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let mut lists = self.lists();
        let mut rows: Vec<Session> = lists
            .sessions
            .iter()
            .filter(|row| row.user == user)
            .cloned()
            .collect();
        rows.retain(|row| lists.is_live(user, row.id, now));
        rows.sort_by_key(|row| Reverse(row.began_at));
        Ok(rows)
    }

    /// Rows change under one lock, so that ends are numbered in the order in which they are read.
    async fn revoked(&self, query: &RevocationQuery) -> Result<Revocations, StoreError> {
        let mut lists = self.lists();
        let Lists {
            accounts,
            sessions,
            end_numbers,
            ..
        } = &mut *lists;
        let mut ends = Vec::new();
        for row in sessions.iter() {
            let Some(ending) = row.ending else { continue };
            let next = end_numbers.len() as u64 + 1;
            let commit = *end_numbers.entry(row.id).or_insert(next);
            if ending.at >= query.since {
                ends.push(SessionEnd {
                    session: row.id,
                    user: row.user,
                    at: ending.at,
                    commit,
                });
            }
        }
        let mut living = BTreeMap::<_, Vec<_>>::new();
        if let Some(seen) = &query.unseen_by {
            ends.retain(|end| !seen.saw(end.commit));
        } else {
            for end in &ends {
                let of_user = ends.iter().filter(|other| other.user == end.user);
                if of_user.count() >= query.crowded {
                    let live = sessions
                        .iter()
                        .filter(|row| row.user == end.user && row.ending.is_none());
                    living.insert(end.user, live.map(|row| row.id).collect());
                }
            }
        }
        let raised = accounts.iter().filter_map(|account| {
            let at = account.raised_at.filter(|at| *at >= query.since)?;
            Some(RaisedEpoch {
                user: account.user.id,
                epoch: account.user.epoch,
                kept: account.user.kept_session,
                at,
            })
        });
        Ok(Revocations {
            snapshot: CommitSnapshot::serial(1, end_numbers.len() as u64),
            ends,
            raised: raised.collect(),
            living,
            // Nobody is an operator here.
            outdated: Vec::new(),
        })
    }

    async fn prune_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (mut lists, mut forgotten) = (self.lists(), 0);
        lists.known_devices.retain(|known| {
            let goes = known.at < before && forgotten < u64::from(limit);
            forgotten += u64::from(goes);
            !goes
        });
        Ok(forgotten)
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let (mut lists, mut pruned) = (self.lists(), 0);
        lists.sessions.retain(|row| {
            let over = row.ends_at < before || row.ending.is_some_and(|ending| ending.at < before);
            let goes = over && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        Ok(pruned)
    }
}
