//! Accounts.

use super::Measured;
use async_trait::async_trait;
use revolve_domain::{
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, PasswordHash, Session, SessionId,
        Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, StoreError,
        UpdateOutcome, UserRepository,
    },
};

#[async_trait]
impl UserRepository for Measured<dyn UserRepository> {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
    ) -> Result<CreateOutcome, StoreError> {
        self.call("create_account", self.next.create(user, hash, session))
            .await
    }

    async fn add(&self, user: &User, hash: &PasswordHash) -> Result<AddOutcome, StoreError> {
        self.call("add_account", self.next.add(user, hash)).await
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        device: Option<DeviceId>,
    ) -> Result<Option<Credentials>, StoreError> {
        self.call(
            "credentials_by_email",
            self.next.credentials_by_email(email, device),
        )
        .await
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.call("credentials", self.next.credentials(user)).await
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        self.call("rehash", self.next.rehash(user, old, new)).await
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
    ) -> Result<UpdateOutcome, StoreError> {
        self.call("update_account", self.next.update(user, change, asking))
            .await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
    ) -> Result<PasswordOutcome, StoreError> {
        self.call("change_password", self.next.change_password(change))
            .await
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<SessionId>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.call("delete_account", self.next.delete(user, asking, at))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.call("ping", self.next.ping()).await
    }
}
