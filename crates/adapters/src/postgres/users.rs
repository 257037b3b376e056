//! Accounts.

use super::{
    PostgresAccounts,
    change::Update,
    end::Delete,
    error::STORE,
    write::{SessionRow, UserRow, insert_session, insert_user, know_device, user_into},
};
use crate::sql::{self, SqlRow, credential_columns};
use async_trait::async_trait;
use revolve_domain::{
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, PasswordHash, Session, Timestamp, User,
        UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, StoreError,
        UpdateOutcome, UserRepository,
    },
};

const CREATE: &str = concat!(
    "WITH account AS (",
    insert_user!(),
    "), device AS (",
    know_device!(),
    ") ",
    insert_session!()
);
const ADD: &str = concat!(
    user_into!(),
    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
);
/// Always one row, which takes as long to find, to send, to read and to check as an account, by the same look-ups: the time tells no
/// stranger which addresses have one. The former form of an address, `$3`, counts before its key: two accounts of an earlier release may
/// have the same key, and each is found as it signed up. `$2` are the devices that were shown.
const BY_EMAIL: &str = "
    SELECT coalesce(u.id, '00000000-0000-4000-8000-000000000000'::uuid) AS user_id, coalesce(u.email, wanted.email) AS email, u.email_typed,
        u.name, u.website, u.image_url, coalesce(u.created_at, 'epoch'::timestamptz) AS created_at, u.disabled_at,
        coalesce(u.session_epoch, 0) AS session_epoch, u.kept_sid,
        coalesce(u.password_hash, '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
            AS password_hash,
        d.device_id AS known_device, coalesce(d.epoch >= u.session_epoch, false) AS is_current, u.id IS NOT NULL AS is_account
    FROM (SELECT coalesce((SELECT email FROM users WHERE email = $3), $1::text) AS email) AS wanted LEFT JOIN users u ON u.email = wanted.email
        LEFT JOIN known_devices d
            ON d.device_id = ANY ($2::uuid[]) AND d.user_id = coalesce(u.id, '00000000-0000-4000-8000-000000000000')
    ORDER BY is_current DESC, d.signed_in_at DESC LIMIT 1";
const BY_ID: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id = $1"
);
const REHASH: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";

const PING: &str = "SELECT current_setting('transaction_read_only') = 'on' AS read_only";

#[async_trait]
impl UserRepository for PostgresAccounts {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
    ) -> Result<CreateOutcome, StoreError> {
        let (user, session) = (UserRow::new(user, hash), SessionRow::from(session));
        let params: Vec<_> = session.params().into_iter().chain(user.params()).collect();
        match self.db.write(CREATE, &params).await {
            Ok(_) => Ok(CreateOutcome::Created),
            Err(error) if error.is_taken_email() => Ok(CreateOutcome::EmailTaken),
            Err(error) => Err(self.db.error("create an account", error)),
        }
    }

    async fn add(&self, user: &User, hash: &PasswordHash) -> Result<AddOutcome, StoreError> {
        match self.db.write(ADD, &UserRow::new(user, hash).params()).await {
            Ok(_) => Ok(AddOutcome::Added),
            Err(error) if error.is_taken_email() => Ok(AddOutcome::EmailTaken),
            Err(error) if error.is_taken_id() => Ok(AddOutcome::IdTaken),
            Err(error) => Err(self.db.error("add an account", error)),
        }
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        devices: &[DeviceId],
    ) -> Result<Option<Credentials>, StoreError> {
        let devices: Vec<_> = devices.iter().map(|device| *device.as_uuid()).collect();
        let found = self
            .db
            .look_up(
                "read an account by its address",
                BY_EMAIL,
                &[&email.key(), &devices, &email.former()],
                sql::credentials_if_any,
            )
            .await?;
        Ok(found.flatten())
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.db
            .look_up(
                "read an account",
                BY_ID,
                &[user.as_uuid()],
                sql::credentials,
            )
            .await
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let done = self
            .db
            .write(REHASH, &[user.as_uuid(), &old.expose(), &new.expose()])
            .await;
        done.map(drop)
            .map_err(|error| self.db.error("replace a hash", error))
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
        at: Timestamp,
    ) -> Result<UpdateOutcome, StoreError> {
        let update = Update {
            user,
            change,
            asking,
            at,
        };
        match self.db.attempt(&update).await {
            Ok(outcome) => Ok(outcome),
            Err(error) if error.is_taken_email() => Ok(UpdateOutcome::EmailTaken),
            Err(error) => Err(self.db.error("change an account's details", error)),
        }
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
    ) -> Result<PasswordOutcome, StoreError> {
        self.db.transact("change a password", change).await
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.db
            .transact("delete an account", &Delete { user, asking, at })
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let operation = "answer";
        let read_only = |row: &dyn SqlRow| Ok(row.boolean("read_only").ok().flatten());
        // A standby answers, too, but can't be used.
        match self.db.read(operation, PING, &[], read_only).await?[..] {
            [Some(false)] => Ok(()),
            _ => Err(StoreError::unavailable(
                STORE,
                operation,
                "the server takes no writes",
            )),
        }
    }
}
