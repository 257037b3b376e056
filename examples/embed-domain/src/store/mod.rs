//! One store for all three repositories: plain lists behind one lock, so that every method of a port is atomic. What it
//! holds is gone with the process.

mod sessions;
mod users;
mod white_list;

use revolve_domain::{
    model::{
        DeviceId, EndReason, Ending, Epoch, PasswordHash, Session, SessionId, Timestamp, User,
        UserId,
    },
    ports::Clock,
    rotation::Entry,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The store. Its clock is the one that windows and expiry of the white list run on.
pub(crate) struct Store {
    clock: Arc<dyn Clock>,
    lists: Mutex<Lists>,
}

#[derive(Default)]
struct Lists {
    accounts: Vec<Account>,
    sessions: Vec<Session>,
    white_list: Vec<Listed>,
    known_devices: Vec<Known>,
}

struct Account {
    user: User,
    hash: PasswordHash,
    raised_at: Option<Timestamp>,
}

/// A device that a user has signed in on.
struct Known {
    user: UserId,
    device: DeviceId,
    at: Timestamp,
}

struct Listed {
    user: UserId,
    session: SessionId,
    entry: Entry,
}

impl Store {
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
    /// Remembers the device of a sign-in; the ones that were signed in on the longest ago go.
    fn know_device(&mut self, session: &Session, most: usize) {
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
        self.known_devices.push(Known {
            user: session.user,
            device: session.device,
            at: session.began_at,
        });
    }

    fn knows(&self, user: UserId, device: DeviceId) -> bool {
        self.known_devices
            .iter()
            .any(|known| known.user == user && known.device == device)
    }

    fn account(&mut self, user: UserId) -> Option<&mut Account> {
        self.accounts
            .iter_mut()
            .find(|account| account.user.id == user)
    }

    fn session(&mut self, user: UserId, session: SessionId) -> Option<&mut Session> {
        self.sessions
            .iter_mut()
            .find(|row| row.id == session && row.user == user)
    }

    /// Whether a session can do something for its user.
    fn is_live(&mut self, user: UserId, session: SessionId, now: Timestamp) -> bool {
        let (Some(row), Some(account)) = (self.session(user, session).cloned(), self.account(user))
        else {
            return false;
        };
        row.ending.is_none() && now < row.ends_at && row.survives(&account.user)
    }

    /// Raises the epoch and ends what is not kept.
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
