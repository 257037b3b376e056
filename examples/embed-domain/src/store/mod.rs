//! One store for all repositories and the journal: plain lists behind one lock, so that every method of a port is atomic. Nothing
//! outlives the process.

mod journal;
mod sessions;
mod users;
mod white_list;

use revolve_domain::{
    model::{
        DeviceId, EndReason, Ending, Epoch, PasswordHash, Session, SessionId, Timestamp, User,
        UserId,
    },
    ports::{Clock, JournalRecord},
    rotation::Entry,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The store. The windows and the expiry of the white list run on its clock.
pub(crate) struct MemoryStore {
    clock: Arc<dyn Clock>,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    accounts: Vec<StoredAccount>,
    sessions: Vec<Session>,
    white_list: Vec<WhiteListEntry>,
    known_devices: Vec<KnownDevice>,
    end_numbers: HashMap<SessionId, u64>,
    journal: Vec<(u64, JournalRecord)>,
    last_entry: u64,
}

struct StoredAccount {
    user: User,
    hash: PasswordHash,
    raised_at: Option<Timestamp>,
}

/// A device that a user has signed in on.
struct KnownDevice {
    user: UserId,
    device: DeviceId,
    at: Timestamp,
    /// `None` once reuse was found on it.
    epoch: Option<Epoch>,
}

struct WhiteListEntry {
    user: UserId,
    session: SessionId,
    entry: Entry,
}

impl MemoryStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lists: Mutex::default(),
        }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    /// Remembers the device of a sign-in; forgets the least recently used over the limit.
    fn know_device(&mut self, session: &Session, most: usize) {
        let copied = self.known(session.user, session.device);
        let copied = copied.is_some_and(|known| known.epoch.is_none());
        self.known_devices
            .retain(|known| known.user != session.user || known.device != session.device);
        let mut others: Vec<(Timestamp, DeviceId)> = self
            .known_devices
            .iter()
            .filter(|known| known.user == session.user)
            .map(|known| (known.at, known.device))
            .collect();
        others.sort_unstable();
        let surplus = (others.len() + 1).saturating_sub(most);
        self.known_devices.retain(|known| {
            known.user != session.user || !others[..surplus].contains(&(known.at, known.device))
        });
        self.known_devices.push(KnownDevice {
            user: session.user,
            device: session.device,
            at: session.began_at,
            epoch: (!copied).then_some(session.epoch),
        });
    }

    fn known(&self, user: UserId, device: DeviceId) -> Option<&KnownDevice> {
        self.known_devices
            .iter()
            .find(|known| known.user == user && known.device == device)
    }

    /// Whether a sign-in may keep the device.
    fn is_current(&self, user: &User, device: DeviceId) -> bool {
        let epoch = self.known(user.id, device).and_then(|known| known.epoch);
        epoch.is_some_and(|epoch| epoch >= user.epoch)
    }

    fn account(&mut self, user: UserId) -> Option<&mut StoredAccount> {
        self.accounts
            .iter_mut()
            .find(|account| account.user.id == user)
    }

    fn session(&mut self, user: UserId, session: SessionId) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|row| row.id == session && row.user == user)
    }

    /// Whether the session is live.
    fn is_live(&mut self, user: UserId, session: SessionId, now: Timestamp) -> bool {
        let (Some(row), Some(account)) = (self.session(user, session).cloned(), self.account(user))
        else {
            return false;
        };
        row.ending.is_none() && now < row.ends_at && row.survives(&account.user)
    }

    /// Raises the epoch and ends every session but the kept one.
    fn raise(&mut self, user: UserId, kept: Option<SessionId>, ending: Ending) -> Option<Epoch> {
        let account = self.account(user)?;
        account.user.epoch = account.user.epoch.next();
        account.user.kept_session = kept;
        account.raised_at = Some(ending.at);
        let epoch = account.user.epoch;
        for row in self
            .sessions
            .iter_mut()
            .filter(|row| row.user == user && Some(row.id) != kept)
        {
            row.ending.get_or_insert(ending);
        }
        Some(epoch)
    }
}

fn ending(reason: EndReason, at: Timestamp) -> Ending {
    Ending { at, reason }
}
