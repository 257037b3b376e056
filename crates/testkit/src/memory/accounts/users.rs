//! Accounts.

use super::{MemoryAccounts, MemoryTables, end};
use async_trait::async_trait;
use revolve_domain::{
    model::{
        ClientInfo, Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, KnownDevice,
        PasswordHash, Session, Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, StoreError,
        UpdateOutcome, UserRepository,
    },
};

impl MemoryTables {
    fn is_taken(&self, email: &EmailAddress, but: Option<UserId>) -> bool {
        let mut owners = self.users.values().map(|(user, _)| user);
        owners.any(|owner| owner.email == *email && Some(owner.id) != but)
    }

    /// The account that is stored under the address's former form, else the one under its key.
    fn owner(&self, email: &EmailAddress) -> Option<&(User, PasswordHash)> {
        let with_key = |key: &str| {
            self.users
                .values()
                .find(|(user, _)| user.email.key() == key)
        };
        with_key(&email.former()).or_else(|| with_key(email.key()))
    }

    /// Whether the session that asks lives, and the password that it has shown is the present one.
    fn admits(&self, user: UserId, asking: Asking, now: Timestamp) -> bool {
        let present = self.users.get(&user).map(|(user, _)| user.epoch);
        asking.epoch.is_none_or(|epoch| Some(epoch) == present)
            && self.lives(user, asking.session, now)
    }
}

fn credentials((user, hash): &(User, PasswordHash)) -> Credentials {
    Credentials {
        user: user.clone(),
        hash: hash.clone(),
        known_device: None,
    }
}

#[async_trait]
impl UserRepository for MemoryAccounts {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
    ) -> Result<CreateOutcome, StoreError> {
        let mut tables = self.tables();
        if tables.is_taken(&user.email, None) {
            return Ok(CreateOutcome::EmailTaken);
        }
        tables.users.insert(user.id, (user.clone(), hash.clone()));
        tables.sessions.insert(session.id, session.clone());
        tables.know_device(session);
        Ok(CreateOutcome::Created)
    }

    async fn add(&self, user: &User, hash: &PasswordHash) -> Result<AddOutcome, StoreError> {
        let mut tables = self.tables();
        if tables.is_taken(&user.email, None) {
            return Ok(AddOutcome::EmailTaken);
        }
        if tables.users.contains_key(&user.id) {
            return Ok(AddOutcome::IdTaken);
        }
        tables.users.insert(user.id, (user.clone(), hash.clone()));
        Ok(AddOutcome::Added)
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        devices: &[DeviceId],
    ) -> Result<Option<Credentials>, StoreError> {
        let tables = self.tables();
        let known = |user| {
            let signed_in = |id: &DeviceId| {
                let known = tables.devices.get(&(user, *id))?;
                let is_current = tables.is_current(user, *id);
                Some((is_current, known.at, *id))
            };
            let (is_current, _, id) = devices.iter().filter_map(signed_in).max()?;
            Some(KnownDevice { id, is_current })
        };
        Ok(tables
            .owner(email)
            .map(credentials)
            .map(|found| Credentials {
                known_device: known(found.user.id),
                ..found
            }))
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        Ok(self.tables().users.get(&user).map(credentials))
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        if let Some((_, hash)) = self.tables().users.get_mut(&user)
            && hash.expose() == old.expose()
        {
            *hash = new.clone();
        }
        Ok(())
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
        at: Timestamp,
    ) -> Result<UpdateOutcome, StoreError> {
        let mut tables = self.tables();
        if !tables.users.contains_key(&user) {
            return Ok(UpdateOutcome::NotFound);
        }
        if asking.is_some_and(|asking| !tables.admits(user, asking, at)) {
            return Ok(UpdateOutcome::Superseded);
        }
        let mut email = change.email.iter();
        if email.any(|email| tables.is_taken(email, Some(user))) {
            return Ok(UpdateOutcome::EmailTaken);
        }
        let Some((found, _)) = tables.users.get_mut(&user) else {
            return Ok(UpdateOutcome::NotFound);
        };
        *found = change.clone().apply(found.clone());
        Ok(UpdateOutcome::Updated(found.clone()))
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
    ) -> Result<PasswordOutcome, StoreError> {
        let mut tables = self.tables();
        let lives = tables.lives(change.user, change.session, change.at);
        let Some((user, hash)) = tables
            .users
            .get_mut(&change.user)
            .filter(|(user, _)| lives && user.epoch == change.epoch)
        else {
            return Ok(PasswordOutcome::Superseded);
        };
        *hash = change.hash.clone();
        let epoch = user.epoch.next();
        tables.raise(
            change.user,
            Some(change.session),
            EndReason::PasswordChanged,
            change.at,
        );
        Ok(PasswordOutcome::Changed(epoch))
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if asking.is_some_and(|asking| !tables.admits(user, asking, at)) {
            return Ok(false);
        }
        let found = tables.users.remove(&user).is_some();
        tables
            .devices
            .retain(|(owner, _), _| *owner != user || !found);
        for row in tables.rows(user).filter(|_| found) {
            end(row, EndReason::AccountDeleted, at);
            row.device_name = None;
            row.client = ClientInfo::default();
        }
        Ok(found)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
