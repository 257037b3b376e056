//! One store for all three repositories: plain lists behind one lock, so that every method of a port is atomic. What it
//! holds is gone with the process.

mod sessions;
mod users;
mod white_list;

use revolve_domain::{
    model::{EndReason, Ending, Epoch, PasswordHash, Session, SessionId, Timestamp, User, UserId},
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
}

struct Account {
    user: User,
    hash: PasswordHash,
    raised_at: Option<Timestamp>,
}

struct Listed {
    user: UserId,
    session: SessionId,
    entry: Entry,
}

impl Store {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, lists: Mutex::default() }
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lists {
    fn account(&mut self, user: UserId) -> Option<&mut Account> {
        self.accounts.iter_mut().find(|account| account.user.id == user)
    }

    fn session(&mut self, user: UserId, session: SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|row| row.id == session && row.user == user)
    }

    /// Whether a session can do something for its user.
    fn is_live(&mut self, user: UserId, session: SessionId, now: Timestamp) -> bool {
        let (Some(row), Some(account)) = (self.session(user, session).cloned(), self.account(user)) else { return false };
        row.ending.is_none() && now < row.ends_at && row.survives(&account.user)
    }

    /// Raises the epoch and ends what is not kept.
    fn raise(&mut self, user: UserId, kept: Option<SessionId>, ending: Ending) -> Option<Epoch> {
        let account = self.account(user)?;
        account.user.epoch = account.user.epoch.next();
        account.user.kept_session = kept;
        account.raised_at = Some(ending.at);
        let epoch = account.user.epoch;
        for row in self.sessions.iter_mut().filter(|row| row.user == user && Some(row.id) != kept) {
            row.ending.get_or_insert(ending);
        }
        Some(epoch)
    }
}

fn ending(reason: EndReason, at: Timestamp) -> Ending {
    Ending { at, reason }
}
