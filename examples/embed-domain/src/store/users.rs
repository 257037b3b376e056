//! Accounts.

use super::{Lists, MemoryStore, StoredAccount, ending};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        ClientInfo, Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, KnownDevice,
        PasswordHash, Session, SessionId, Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, StoreError,
        UpdateOutcome, UserRepository,
    },
};

impl Lists {
    fn has_address(&self, email: &EmailAddress, but: Option<UserId>) -> bool {
        self.accounts
            .iter()
            .any(|account| account.user.email == *email && Some(account.user.id) != but)
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
        let found = lists
            .accounts
            .iter()
            .find(|account| account.user.email == *email)
            .map(StoredAccount::credentials);
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
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError> {
        self.change(tell, |lists| {
            let taken = change
                .email
                .as_ref()
                .is_some_and(|email| lists.has_address(email, Some(user)));
            let over = asking.is_some_and(|asking| !lists.is_live(user, asking.session, asking.at));
            let Some(account) = lists.account(user) else {
                return UpdateOutcome::NotFound;
            };
            if over {
                return UpdateOutcome::Superseded;
            }
            if taken {
                return UpdateOutcome::EmailTaken;
            }
            account.user = change.clone().apply(account.user.clone());
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
        asking: Option<SessionId>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change(tell, |lists| {
            if asking.is_some_and(|session| !lists.is_live(user, session, at)) {
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
