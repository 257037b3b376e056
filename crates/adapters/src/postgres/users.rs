//! Accounts.

use super::{
    PostgresAccounts,
    change::Update,
    database::Intent,
    end::Delete,
    error::{PostgresError, STORE},
    personal_data::ReadPersonalData,
    statement::{Param, Params},
    transaction::Transaction,
    values::PgTimestamp,
    write::{SessionRow, UserRow, insert_session, insert_user, know_device, user_into},
};
use crate::sql::{self, SqlRow, credential_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, PasswordHash, Session, Timestamp, User,
        UserId,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, PersonalData,
        StoreError, UpdateOutcome, UserRepository,
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
pub(super) const ADD: &str = concat!(
    user_into!(),
    "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
);
/// Always one row, which takes as long to find, to send, to read and to check as an account, by the same look-ups: the time tells no
/// stranger which addresses have one. The former form of an address, `$3`, counts before its key: two accounts of an earlier release may
/// have the same key, and each is found as it signed up. `$2` are the devices that were shown.
const BY_EMAIL: &str = "
    SELECT coalesce(u.id, '00000000-0000-4000-8000-000000000000'::uuid) AS user_id, coalesce(u.email, wanted.email) AS email, u.email_typed,
        u.name, u.website, u.image_url, u.locale, u.email_verified_at, coalesce(u.created_at, 'epoch'::timestamptz) AS created_at, u.disabled_at,
        coalesce(u.session_epoch, 0) AS session_epoch, u.kept_sid, u.roles, u.app, coalesce(u.version, 0) AS version, coalesce(u.factors, 0) AS factors,
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

/// Whether another account is stored under the former form `$3` of the address, or can take it back at `$4`, if that is not null; the key `$2` is
/// the constraint's.
const TAKEN: &str = "
    SELECT 1 FROM users WHERE email = $3 AND id <> $1
    UNION ALL
    SELECT 1 FROM proofs
    WHERE purpose = 'undo_email' AND email IN ($2, $3) AND user_id <> $1 AND expires_at > $4 AND attempts_left > 0
    LIMIT 1";

const PING: &str = "SELECT current_setting('transaction_read_only') = 'on' AS read_only";

#[async_trait]
impl UserRepository for PostgresAccounts {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
        tell: &Tell<CreateOutcome>,
    ) -> Result<CreateOutcome, StoreError> {
        let (row, session) = (UserRow::new(user, hash), SessionRow::from(session));
        let params: Vec<_> = session.params().into_iter().chain(row.params()).collect();
        let intent = NewAccount {
            sql: CREATE,
            params: &params,
            user,
            at: tell.at,
            outcome: CreateOutcome::Created,
        };
        let refused =
            |error: &PostgresError| error.is_taken_email().then_some(CreateOutcome::EmailTaken);
        self.db
            .change_or("create an account", intent, tell, refused)
            .await
    }

    async fn add(
        &self,
        user: &User,
        hash: &PasswordHash,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        let row = UserRow::new(user, hash);
        let intent = NewAccount {
            sql: ADD,
            params: &row.params(),
            user,
            at: tell.at,
            outcome: AddOutcome::Added,
        };
        self.db
            .change_or("add an account", intent, tell, not_added)
            .await
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

    async fn personal_data(&self, user: UserId) -> Result<Option<PersonalData>, StoreError> {
        self.db
            .transact(
                "read what is stored about an account",
                &ReadPersonalData { user },
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
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError> {
        let intent = Update {
            user,
            change,
            asking,
            at,
        };
        let refused =
            |error: &PostgresError| error.is_taken_email().then_some(UpdateOutcome::EmailTaken);
        self.db
            .change_or("change an account's details", intent, tell, refused)
            .await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        tell: &Tell<PasswordOutcome>,
    ) -> Result<PasswordOutcome, StoreError> {
        self.db.change("change a password", change, tell).await
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.db
            .change("delete an account", Delete { user, asking, at }, tell)
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

/// What a violated constraint means for a new account without a session.
pub(super) fn not_added(error: &PostgresError) -> Option<AddOutcome> {
    let id = error.is_taken_id().then_some(AddOutcome::IdTaken);
    id.or(error.is_taken_email().then_some(AddOutcome::EmailTaken))
}

/// One statement that stores an account with a new address.
struct NewAccount<'a, O> {
    sql: &'static str,
    params: Params<'a>,
    user: &'a User,
    at: Timestamp,
    outcome: O,
}

impl<O: Copy + Send + Sync> Intent for NewAccount<'_, O> {
    type Answer = O;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<O, PostgresError> {
        let insert = tx.prepare_cached(self.sql).await?;
        tx.execute(&insert, self.params).await?;
        refuse_taken(tx, self.user, Some(self.at)).await?;
        Ok(self.outcome)
    }
}

/// Stores an account with its first session, and remembers its device. Fails if the address is taken.
pub(super) async fn insert_account(
    tx: &Transaction<'_>,
    user: &User,
    hash: &PasswordHash,
    session: &Session,
    at: Timestamp,
) -> Result<(), PostgresError> {
    let (row, session) = (UserRow::new(user, hash), SessionRow::from(session));
    let params: Vec<_> = session.params().into_iter().chain(row.params()).collect();
    let create = tx.prepare_cached(CREATE).await?;
    tx.execute(&create, &params).await?;
    refuse_taken(tx, user, Some(at)).await
}

/// Fails if the address that the user's row has just got is taken, by an account or by an undo that is open at that time. A statement of its own, after the one that has written the key: that waits for a
/// change that takes the address from another account, and this one sees the proof that the change leaves behind.
pub(super) async fn refuse_taken(
    tx: &Transaction<'_>,
    user: &User,
    undos: Option<Timestamp>,
) -> Result<(), PostgresError> {
    let email = &user.email;
    let asked: [&dyn Param; 4] = [
        user.id.as_uuid(),
        &email.key(),
        &email.former(),
        &undos.map(PgTimestamp),
    ];
    let taken = tx.prepare_cached(TAKEN).await?;
    match tx.query_opt(&taken, &asked).await? {
        Some(_) => Err(PostgresError::AddressTaken),
        None => Ok(()),
    }
}
