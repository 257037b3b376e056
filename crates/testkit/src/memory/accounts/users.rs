//! Accounts.

use super::{MemoryAccounts, MemoryTables, end};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        ClientInfo, Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, KnownDevice,
        PasswordHash, Session, Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, PersonalData,
        StoreError, UpdateOutcome, UserRepository,
    },
    proofs::restores,
};

impl MemoryTables {
    /// Deletes an account, and what identifies its person elsewhere.
    pub(super) fn delete(&mut self, user: UserId, at: Timestamp) -> bool {
        if self.users.remove(&user).is_none() {
            return false;
        }
        self.outdated.remove(&user);
        self.devices.retain(|(owner, _), _| *owner != user);
        for row in self.rows(user) {
            end(row, EndReason::AccountDeleted, at);
            row.device_name = None;
            row.client = ClientInfo::default();
        }
        self.proofs.retain(|_, proof| proof.user != Some(user));
        self.forget_factors(user);
        self.journal.scrub(user);
        self.outbox.forget(user);
        true
    }

    /// Adds an account without a session.
    pub(super) fn add(&mut self, user: &User, hash: &PasswordHash, at: Timestamp) -> AddOutcome {
        if self.is_taken(&user.email, user.id, at) {
            return AddOutcome::EmailTaken;
        }
        if self.users.contains_key(&user.id) {
            return AddOutcome::IdTaken;
        }
        self.users.insert(user.id, (user.clone(), hash.clone()));
        AddOutcome::Added
    }

    /// Whether another account than this one has the address.
    pub(super) fn has_another(&self, email: &EmailAddress, user: UserId) -> bool {
        let former = email.former();
        let mut others = self.users.values().map(|(other, _)| other);
        others.any(|other| {
            let key = other.email.key();
            other.id != user && (key == email.key() || key == former)
        })
    }

    /// Whether another account than this one has the address, or can take it back.
    pub(super) fn is_taken(&self, email: &EmailAddress, user: UserId, at: Timestamp) -> bool {
        let mut others = self.proofs.values();
        self.has_another(email, user)
            || others.any(|proof| proof.user != Some(user) && restores(proof, email, at))
    }

    /// The account that is stored under the address's former form, else the one under its key.
    pub(super) fn owner(&self, email: &EmailAddress) -> Option<&(User, PasswordHash)> {
        let with_key = |key: &str| {
            self.users
                .values()
                .find(|(user, _)| user.email.key() == key)
        };
        with_key(&email.former()).or_else(|| with_key(email.key()))
    }

    /// Whether the session that asks lives, and the password that it has shown is the present one.
    pub(super) fn admits(&self, user: UserId, asking: Asking, now: Timestamp) -> bool {
        let present = self.users.get(&user).map(|(user, _)| user.epoch);
        asking.epoch.is_none_or(|epoch| Some(epoch) == present)
            && self.lives(user, asking.session, now)
    }
}

pub(super) fn credentials((user, hash): &(User, PasswordHash)) -> Credentials {
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
        tell: &Tell<CreateOutcome>,
    ) -> Result<CreateOutcome, StoreError> {
        self.change(tell, |tables| {
            if tables.is_taken(&user.email, user.id, tell.at) {
                return CreateOutcome::EmailTaken;
            }
            tables.users.insert(user.id, (user.clone(), hash.clone()));
            tables.sessions.insert(session.id, session.clone());
            tables.know_device(session);
            CreateOutcome::Created
        })
    }

    async fn add(
        &self,
        user: &User,
        hash: &PasswordHash,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        self.change(tell, |tables| tables.add(user, hash, tell.at))
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

    async fn personal_data(&self, user: UserId) -> Result<Option<PersonalData>, StoreError> {
        Ok(self.tables().personal_data(user))
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
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError> {
        self.change(tell, |tables| {
            let Some((found, _)) = tables.users.get(&user) else {
                return UpdateOutcome::NotFound;
            };
            if asking.is_some_and(|asking| !tables.admits(user, asking, at)) {
                return UpdateOutcome::Superseded;
            }
            let changed = change.clone().apply(found.clone(), at);
            if changed.email != found.email && tables.is_taken(&changed.email, user, at) {
                return UpdateOutcome::EmailTaken;
            }
            tables.show(&changed);
            UpdateOutcome::Updated(changed)
        })
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        tell: &Tell<PasswordOutcome>,
    ) -> Result<PasswordOutcome, StoreError> {
        self.change(tell, |tables| {
            let lives = tables.lives(change.user, change.session, change.at);
            let Some((user, hash)) = tables
                .users
                .get_mut(&change.user)
                .filter(|(user, _)| lives && user.epoch == change.epoch)
            else {
                return PasswordOutcome::Superseded;
            };
            *hash = change.hash.clone();
            let epoch = user.epoch.next();
            tables.raise(
                change.user,
                Some(change.session),
                EndReason::PasswordChanged,
                change.at,
            );
            PasswordOutcome::Changed(epoch)
        })
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let may = asking.is_none_or(|asking| tables.admits(user, asking, at));
            may && tables.delete(user, at)
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
