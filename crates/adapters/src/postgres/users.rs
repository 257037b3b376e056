//! Accounts.

use super::{
    PostgresAccounts, STORE,
    end::Delete,
    rows::{self, user_columns},
    write::{SessionRow, UserRow, insert_session, insert_user},
};
use async_trait::async_trait;
use revolve_domain::{
    model::{Credentials, DetailsChange, EmailAddress, Label, PasswordHash, Session, Timestamp, User, UserId, WebUrl},
    ports::{CreateOutcome, PasswordChange, PasswordOutcome, StoreError, UpdateOutcome, UserRepository},
};

const CREATE: &str = concat!("WITH account AS (", insert_user!(), ") ", insert_session!());
const BY_EMAIL: &str = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.email = $1");
const BY_ID: &str = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.id = $1");
const REHASH: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";

/// A flag before each value says whether the change names the field.
const UPDATE: &str = concat!(
    "UPDATE users u SET name = CASE WHEN $2 THEN $3 ELSE name END, website = CASE WHEN $4 THEN $5 ELSE website END, \
     image_url = CASE WHEN $6 THEN $7 ELSE image_url END, email = coalesce($8, email) WHERE id = $1 RETURNING ",
    user_columns!()
);

const PING: &str = "SELECT current_setting('transaction_read_only') = 'on'";

#[async_trait]
impl UserRepository for PostgresAccounts {
    async fn create(&self, user: &User, hash: &PasswordHash, session: &Session) -> Result<CreateOutcome, StoreError> {
        let (user, session) = (UserRow::new(user, hash), SessionRow::from(session));
        let params: Vec<_> = session.params().into_iter().chain(user.params()).collect();
        match self.db.write(CREATE, &params).await {
            Ok(_) => Ok(CreateOutcome::Created),
            Err(fault) if fault.is_taken_email() => Ok(CreateOutcome::EmailTaken),
            Err(fault) => Err(self.db.error("create an account", fault)),
        }
    }

    async fn credentials_by_email(&self, email: &EmailAddress) -> Result<Option<Credentials>, StoreError> {
        let operation = "read an account by its address";
        let rows = self.db.read(operation, BY_EMAIL, &[&email.as_str()]).await?;
        rows.first().map(rows::credentials).transpose().map_err(|fault| self.db.error(operation, fault))
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        let operation = "read an account";
        let rows = self.db.read(operation, BY_ID, &[user.as_uuid()]).await?;
        rows.first().map(rows::credentials).transpose().map_err(|fault| self.db.error(operation, fault))
    }

    async fn rehash(&self, user: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<(), StoreError> {
        let done = self.db.write(REHASH, &[user.as_uuid(), &old.expose(), &new.expose()]).await;
        done.map(drop).map_err(|fault| self.db.error("replace a hash", fault))
    }

    async fn update(&self, user: UserId, change: &DetailsChange) -> Result<UpdateOutcome, StoreError> {
        let operation = "change an account's details";
        let name = change.name.as_ref().map(|name| name.as_ref().map(Label::as_str));
        let website = change.website.as_ref().map(|url| url.as_ref().map(WebUrl::as_str));
        let image_url = change.image_url.as_ref().map(|url| url.as_ref().map(WebUrl::as_str));
        let email = change.email.as_ref().map(EmailAddress::as_str);
        let updated = self
            .db
            .write(
                UPDATE,
                &[
                    user.as_uuid(),
                    &name.is_some(),
                    &name.flatten(),
                    &website.is_some(),
                    &website.flatten(),
                    &image_url.is_some(),
                    &image_url.flatten(),
                    &email,
                ],
            )
            .await;
        match updated {
            Ok(rows) => match rows.first() {
                Some(row) => rows::user(row, 0).map(UpdateOutcome::Updated).map_err(|fault| self.db.error(operation, fault)),
                None => Ok(UpdateOutcome::NotFound),
            },
            Err(fault) if fault.is_taken_email() => Ok(UpdateOutcome::EmailTaken),
            Err(fault) => Err(self.db.error(operation, fault)),
        }
    }

    async fn change_password(&self, change: &PasswordChange) -> Result<PasswordOutcome, StoreError> {
        self.db.transact("change a password", change).await
    }

    async fn delete(&self, user: UserId, at: Timestamp) -> Result<bool, StoreError> {
        self.db.transact("delete an account", &Delete { user, at }).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let operation = "answer";
        let rows = self.db.read(operation, PING, &[]).await?;
        // A standby answers, too, but can't be used.
        match rows.first().map(|row| row.try_get(0)) {
            Some(Ok(false)) => Ok(()),
            _ => Err(StoreError::unavailable(STORE, operation, "the server takes no writes")),
        }
    }
}
