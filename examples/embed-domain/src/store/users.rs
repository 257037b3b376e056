//! Accounts.

use super::{Lists, MemoryStore, StoredAccount, ending};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        AccountFactors, ClientInfo, Credentials, DetailsChange, DeviceId, EmailAddress, EndReason,
        KnownDevice, PasswordHash, Session, Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, PersonalData,
        RememberedDevice, StoreError, UpdateOutcome, UserRepository,
    },
};
use std::cmp::Reverse;

impl Lists {
    /// Whether another account has the address, under its key or its former form.
    fn has_address(&self, email: &EmailAddress, but: Option<UserId>) -> bool {
        let former = email.former();
        self.accounts.iter().any(|account| {
            let key = account.user.email.key();
            Some(account.user.id) != but && (key == email.key() || key == former)
        })
    }

    /// The account that is stored under the address's former form, else the one under its key.
    fn owner(&self, email: &EmailAddress) -> Option<&StoredAccount> {
        let with_key = |key: &str| {
            let mut accounts = self.accounts.iter();
            accounts.find(|account| account.user.email.key() == key)
        };
        with_key(&email.former()).or_else(|| with_key(email.key()))
    }

    /// There are no proofs and no mails.
    fn personal_data(&self, user: UserId) -> Option<PersonalData> {
        let mut accounts = self.accounts.iter();
        let account = accounts.find(|account| account.user.id == user)?;
        let rows = self.sessions.iter().filter(|row| row.user == user);
        let mut sessions: Vec<Session> = rows.cloned().collect();
        sessions.sort_by_key(|row| Reverse((row.began_at, row.id)));
        let known = self.known_devices.iter().filter(|known| known.user == user);
        let mut devices: Vec<_> = known
            .map(|known| RememberedDevice {
                id: known.device,
                signed_in_at: known.at,
            })
            .collect();
        devices.sort_by_key(|device| Reverse((device.signed_in_at, device.id)));
        Some(PersonalData {
            user: account.user.clone(),
            sessions,
            devices,
            factors: AccountFactors::default(),
            challenges: Vec::new(),
            proofs: Vec::new(),
            mails: Vec::new(),
            quiet: Vec::new(),
        })
    }

    /// Whether the session that asks lives, and the password that it has shown is the present one.
    fn admits(&mut self, user: UserId, asking: Asking, now: Timestamp) -> bool {
        let present = self.account(user).map(|account| account.user.epoch);
        asking.epoch.is_none_or(|epoch| Some(epoch) == present)
            && self.is_live(user, asking.session, now)
    }

    /// The device that the user has signed in on: a current one before others, then the latest.
    fn known_device(&self, user: &User, devices: &[DeviceId]) -> Option<KnownDevice> {
        let known = devices
            .iter()
            .filter_map(|device| self.known(user.id, *device))
            .map(|known| (self.is_current(user, known.device), known.at, known.device));
        let (is_current, _, id) = known.max()?;
        Some(KnownDevice { id, is_current })
    }
}

impl StoredAccount {
    fn credentials(&self) -> Credentials {
        Credentials {
            user: self.user.clone(),
            hash: self.hash.clone(),
            known_device: None,
        }
    }
}

#[async_trait]
impl UserRepository for MemoryStore {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
        tell: &Tell<CreateOutcome>,
    ) -> Result<CreateOutcome, StoreError> {
        self.change(tell, |lists| {
            if lists.has_address(&user.email, None) {
                return CreateOutcome::EmailTaken;
            }
            lists.accounts.push(StoredAccount {
                user: user.clone(),
                hash: hash.clone(),
                raised_at: None,
            });
            lists.sessions.push(session.clone());
            lists.know_device(session, usize::MAX);
            CreateOutcome::Created
        })
    }

    async fn add(
        &self,
        user: &User,
        hash: &PasswordHash,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        self.change(tell, |lists| {
            if lists.has_address(&user.email, None) {
                return AddOutcome::EmailTaken;
            }
            if lists.account(user.id).is_some() {
                return AddOutcome::IdTaken;
            }
            lists.accounts.push(StoredAccount {
                user: user.clone(),
                hash: hash.clone(),
                raised_at: None,
            });
            AddOutcome::Added
        })
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        devices: &[DeviceId],
    ) -> Result<Option<Credentials>, StoreError> {
        let lists = self.lists();
        let found = lists.owner(email).map(StoredAccount::credentials);
        Ok(found.map(|found| Credentials {
            known_device: lists.known_device(&found.user, devices),
            ..found
        }))
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        Ok(self
            .lists()
            .account(user)
            .map(|account| account.credentials()))
    }

    async fn personal_data(&self, user: UserId) -> Result<Option<PersonalData>, StoreError> {
        Ok(self.lists().personal_data(user))
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let mut lists = self.lists();
        if let Some(account) = lists
            .account(user)
            .filter(|account| account.hash.expose() == old.expose())
        {
            account.hash = new.clone();
        }
        Ok(())
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError> {
        self.change(tell, |lists| {
            let taken = change
                .email
                .as_ref()
                .is_some_and(|email| lists.has_address(email, Some(user)));
            let over = asking.is_some_and(|asking| !lists.admits(user, asking, at));
            let Some(account) = lists.account(user) else {
                return UpdateOutcome::NotFound;
            };
            if over {
                return UpdateOutcome::Superseded;
            }
            if taken {
                return UpdateOutcome::EmailTaken;
            }
            account.user = change.clone().apply(account.user.clone(), at);
            UpdateOutcome::Updated(account.user.clone())
        })
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        tell: &Tell<PasswordOutcome>,
    ) -> Result<PasswordOutcome, StoreError> {
        self.change(tell, |lists| {
            let live = lists.is_live(change.user, change.session, change.at);
            let Some(account) = lists
                .account(change.user)
                .filter(|account| live && account.user.epoch == change.epoch)
            else {
                return PasswordOutcome::Superseded;
            };
            account.hash = change.hash.clone();
            let raised = lists.raise(
                change.user,
                Some(change.session),
                ending(EndReason::PasswordChanged, change.at),
            );
            raised.map_or(PasswordOutcome::Superseded, PasswordOutcome::Changed)
        })
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change(tell, |lists| {
            if asking.is_some_and(|asking| !lists.admits(user, asking, at)) {
                return false;
            }
            let before = lists.accounts.len();
            lists.accounts.retain(|account| account.user.id != user);
            let deleted = lists.accounts.len() < before;
            lists
                .known_devices
                .retain(|known| known.user != user || !deleted);
            for row in lists
                .sessions
                .iter_mut()
                .filter(|row| deleted && row.user == user)
            {
                row.ending
                    .get_or_insert(ending(EndReason::AccountDeleted, at));
                (row.device_name, row.client) = (None, ClientInfo::default());
            }
            if deleted {
                lists.scrub(user);
            }
            deleted
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
