//! The user database in memory: accounts, sessions' rows and the journal behind one lock, so that every method is one commit.

mod api_keys;
mod deliveries;
mod directory;
mod factors;
mod journal;
mod personal_data;
mod proofs;
mod sessions;
mod users;
mod webhooks;

use super::{deliveries::Outbox, journal::Entries, lock};
use revolve_domain::{
    journal::{NewMail, Tell},
    model::{
        AccountFactors, AccountVersion, ApiKeyId, Challenge, ChallengeId, DeviceId, EndReason,
        Ending, Epoch, Fingerprint, HashKind, PasswordHash, Proof, ProofId, Session, SessionId,
        Timestamp, User, UserId,
    },
    ports::{NamedRequest, StoreError, StoredApiKey},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

/// The user database in memory. It reads no clock: all times come with the calls.
#[derive(Debug, Default)]
pub struct MemoryAccounts {
    tables: Mutex<MemoryTables>,
}

#[derive(Debug, Default)]
struct MemoryTables {
    users: HashMap<UserId, (User, PasswordHash)>,
    sessions: BTreeMap<SessionId, Session>,
    /// When each user's epoch was last raised.
    raised: HashMap<UserId, Timestamp>,
    /// When tokens before a version of each account were last outdated.
    outdated: HashMap<UserId, (AccountVersion, Timestamp)>,
    /// The ends of sessions, and what outdated tokens, in the order in which they were first read.
    numbers: HashMap<Numbered, u64>,
    restarts: u64,
    /// The last sign-in of each user on each device.
    devices: BTreeMap<(UserId, DeviceId), DeviceSignIn>,
    /// The proofs that are neither spent nor void.
    proofs: BTreeMap<ProofId, Proof>,
    factors: HashMap<UserId, AccountFactors>,
    /// The challenges that are neither spent nor void.
    challenges: BTreeMap<ChallengeId, Challenge>,
    api_keys: BTreeMap<ApiKeyId, StoredApiKey>,
    /// By their names.
    requests: HashMap<Fingerprint, NamedRequest>,
    journal: Entries,
    outbox: Outbox,
    webhooks: webhooks::WebhookTables,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Numbered {
    End(SessionId),
    Outdated(UserId, AccountVersion),
}

#[derive(Clone, Copy, Debug)]
struct DeviceSignIn {
    at: Timestamp,
    /// `None` once reuse was found on the device.
    epoch: Option<Epoch>,
}

impl MemoryAccounts {
    /// Disables an account without ending its sessions, which no port does.
    pub fn disable(&self, user: UserId, at: Timestamp) {
        if let Some((user, _)) = self.tables().users.get_mut(&user) {
            user.disabled_at = Some(at);
        }
    }

    /// Every row of the user's sessions, ended ones included, in no order.
    pub fn rows(&self, user: UserId) -> Vec<Session> {
        self.tables()
            .sessions
            .values()
            .filter(|session| session.user == user)
            .cloned()
            .collect()
    }

    /// Numbers commits anew, as a server does that was restored or has lost some.
    pub fn restart(&self) {
        let mut tables = self.tables();
        tables.restarts += 1;
        tables.numbers.clear();
    }

    /// The devices that the user is known to have signed in on.
    pub fn known_devices(&self, user: UserId) -> Vec<DeviceId> {
        self.tables()
            .devices
            .keys()
            .filter(|(owner, _)| *owner == user)
            .map(|(_, device)| *device)
            .collect()
    }

    /// Inserts mails, as the commit of a change does.
    pub fn commit_mails(&self, at: Timestamp, mails: &[NewMail]) {
        self.tables().outbox.commit(at, mails);
    }

    /// One commit, with what its outcome tells.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the methods of ports answer it as it is"
    )]
    fn change<O>(
        &self,
        tell: &Tell<O>,
        work: impl FnOnce(&mut MemoryTables) -> O,
    ) -> Result<O, StoreError> {
        let mut tables = self.tables();
        let outcome = work(&mut tables);
        tables.journal.tell(tell, &outcome);
        tables.outbox.commit(tell.at, &tell.of(&outcome).1);
        Ok(outcome)
    }

    fn tables(&self) -> MutexGuard<'_, MemoryTables> {
        lock(&self.tables)
    }
}

impl MemoryTables {
    fn row(&mut self, user: UserId, session: SessionId) -> Option<&mut Session> {
        self.sessions
            .get_mut(&session)
            .filter(|row| row.user == user)
    }

    fn rows(&mut self, user: UserId) -> impl Iterator<Item = &mut Session> {
        self.sessions
            .values_mut()
            .filter(move |row| row.user == user)
    }

    /// Whether a sign-in may keep the device.
    fn is_current(&self, user: UserId, device: DeviceId) -> bool {
        let signed_in = self.devices.get(&(user, device));
        let (Some(signed_in), Some((owner, _))) = (signed_in, self.users.get(&user)) else {
            return false;
        };
        signed_in.epoch.is_some_and(|epoch| epoch >= owner.epoch)
    }

    /// Whether the session has not ended, is not past its absolute end, and survives its user's epoch.
    fn lives(&self, user: UserId, session: SessionId, now: Timestamp) -> bool {
        let Some((owner, _)) = self.users.get(&user) else {
            return false;
        };
        let row = self.sessions.get(&session).filter(|row| row.user == user);
        row.is_some_and(|row| row.ending.is_none() && row.survives(owner) && now < row.ends_at)
    }

    /// Puts the account in the place of what it was. Of one with another address the former system knows no password.
    fn show(&mut self, user: &User) {
        if let Some((known, hash)) = self.users.get_mut(&user.id) {
            if known.email != user.email && hash.kind() == HashKind::Legacy {
                *hash = PasswordHash::no_password();
            }
            *known = user.clone();
        }
    }

    /// Ends all of the user's sessions but one and raises the epoch.
    fn raise(&mut self, user: UserId, kept: Option<SessionId>, reason: EndReason, at: Timestamp) {
        for row in self.rows(user).filter(|row| kept != Some(row.id)) {
            end(row, reason, at);
        }
        if let Some((user, _)) = self.users.get_mut(&user) {
            user.epoch = user.epoch.next();
            user.kept_session = kept;
            self.raised.insert(user.id, at);
        }
    }
}

/// Ends a session unless it has ended; answers whether it did.
fn end(row: &mut Session, reason: EndReason, at: Timestamp) -> bool {
    let ends = row.ending.is_none();
    if ends {
        row.ending = Some(Ending { at, reason });
    }
    ends
}
