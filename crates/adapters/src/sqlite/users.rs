//! Accounts. The file has one writer, so that a check before a change holds until the commit.

use super::{
    SqliteStore,
    begin::{insert, json, know_device},
    error::SqliteError,
    factors,
    journal::scrub,
    personal_data,
    query::{exists, first, run},
    sessions::{admits, raise},
};
use crate::sql::{self, RaiseEpoch, credential_columns, forget_legacy};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        Credentials, DetailsChange, DeviceId, EmailAddress, EndReason, Label, Locale, PasswordHash,
        Session, SessionId, Timestamp, User, UserId, WebUrl,
    },
    ports::{
        AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, PersonalData,
        StoreError, UpdateOutcome, UserRepository,
    },
};
use rusqlite::{Connection, params};

/// Always one row, which takes as long to find, to read and to check as an account, by the same look-ups: the time tells no stranger
/// which addresses have one. The former form of an address, `?3`, counts before its key: two accounts of an earlier release may have the
/// same key, and each is found as it signed up. `?2` are the devices that were shown, as JSON.
const BY_EMAIL: &str = "
    SELECT coalesce(u.id, '00000000-0000-4000-8000-000000000000') AS user_id, coalesce(u.email, ?1) AS email, u.email_typed,
        u.name, u.website, u.image_url, u.locale, u.email_verified_at, coalesce(u.created_at, 0) AS created_at, u.disabled_at,
        coalesce(u.session_epoch, 0) AS session_epoch, u.kept_sid, u.roles, u.app, coalesce(u.version, 0) AS version, coalesce(u.factors, 0) AS factors,
        coalesce(u.password_hash, '$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')
            AS password_hash,
        d.device_id AS known_device, coalesce(d.epoch >= u.session_epoch, false) AS is_current, u.id IS NOT NULL AS is_account
    FROM (SELECT coalesce((SELECT email FROM users WHERE email = ?3), ?1) AS email) AS wanted LEFT JOIN users u ON u.email = wanted.email
        LEFT JOIN known_devices d ON d.device_id IN (SELECT value FROM json_each(?2)) AND d.user_id = coalesce(u.id, '')
    ORDER BY is_current DESC, d.signed_in_at DESC LIMIT 1";
const BY_ID: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id = ?1"
);
const REHASH: &str = "UPDATE users SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2";
const OTHERS: &str = "SELECT 1 FROM users WHERE email IN (?1, ?3) AND id <> ?2";
const RESERVED: &str = "
    SELECT 1 FROM proofs
    WHERE purpose = 'undo_email' AND email IN (?1, ?3) AND user_id <> ?2 AND expires_at > ?4 AND attempts_left > 0";
/// What the account shows.
const UPDATE: &str = concat!(
    "UPDATE users SET ",
    forget_legacy!("?2"),
    ", email = ?2, email_typed = ?6, name = ?3, website = ?4, image_url = ?5, locale = ?7, email_verified_at = ?8, \
     roles = ?9, app = ?10, version = ?11 WHERE id = ?1"
);
const INSERT: &str = "
    INSERT INTO users (id, email, password_hash, name, website, image_url, created_at, disabled_at, session_epoch, kept_sid, email_typed,
        locale, email_verified_at, roles, app, version, factors)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
const THERE: &str = "SELECT 1 FROM users WHERE id = ?1";
const DELETE: &str = "DELETE FROM users WHERE id = ?1";
const FORGET_DEVICES: &str = "DELETE FROM known_devices WHERE user_id = ?1";
const VOID_PROOFS: &str = "DELETE FROM proofs WHERE user_id = ?1";
const SCRUB: &str = "
    UPDATE sessions
    SET ended_at = coalesce(ended_at, ?2), end_reason = coalesce(end_reason, ?3),
        device_name = NULL, user_agent = NULL, address = NULL, origin = NULL
    WHERE user_id = ?1";

#[async_trait]
impl UserRepository for SqliteStore {
    async fn create(
        &self,
        user: &User,
        hash: &PasswordHash,
        session: &Session,
        tell: &Tell<CreateOutcome>,
    ) -> Result<CreateOutcome, StoreError> {
        let (user, hash, session) = (user.clone(), hash.clone(), session.clone());
        let at = tell.at;
        self.change("create an account", tell, move |conn| {
            create(conn, &user, &hash, &session, at)
        })
        .await
    }

    async fn add(
        &self,
        user: &User,
        hash: &PasswordHash,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        let (user, hash, at) = (user.clone(), hash.clone(), tell.at);
        self.change("add an account", tell, move |conn| {
            add(conn, &user, &hash, at)
        })
        .await
    }

    async fn credentials_by_email(
        &self,
        email: &EmailAddress,
        devices: &[DeviceId],
    ) -> Result<Option<Credentials>, StoreError> {
        let (email, former, devices) = (email.key().to_owned(), email.former(), json(devices));
        let find = move |conn: &Connection| {
            first(
                conn,
                BY_EMAIL,
                params![email, devices, former],
                sql::credentials_if_any,
            )
        };
        Ok(self
            .read("read an account by its address", find)
            .await?
            .flatten())
    }

    async fn credentials(&self, user: UserId) -> Result<Option<Credentials>, StoreError> {
        self.read("read an account", move |conn| find(conn, user))
            .await
    }

    async fn personal_data(&self, user: UserId) -> Result<Option<PersonalData>, StoreError> {
        self.read("read what is stored about an account", move |conn| {
            personal_data::read(conn, user)
        })
        .await
    }

    async fn rehash(
        &self,
        user: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<(), StoreError> {
        let (old, new) = (old.clone(), new.clone());
        let rehash = move |conn: &Connection| {
            run(
                conn,
                REHASH,
                params![user.to_string(), old.expose(), new.expose()],
            )
            .map(drop)
        };
        self.write("replace a hash", rehash).await
    }

    async fn update(
        &self,
        user: UserId,
        change: &DetailsChange,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<UpdateOutcome>,
    ) -> Result<UpdateOutcome, StoreError> {
        let change = change.clone();
        self.change("change an account's details", tell, move |conn| {
            update(conn, user, change, asking, at)
        })
        .await
    }

    async fn change_password(
        &self,
        change: &PasswordChange,
        tell: &Tell<PasswordOutcome>,
    ) -> Result<PasswordOutcome, StoreError> {
        let change = change.clone();
        self.change("change a password", tell, move |conn| {
            change_password(conn, &change)
        })
        .await
    }

    async fn delete(
        &self,
        user: UserId,
        asking: Option<Asking>,
        at: Timestamp,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change("delete an account", tell, move |conn| {
            delete(conn, user, asking, at)
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.answer().await
    }
}

impl SqliteStore {
    /// Writes and reads work. A group of writes that changes nothing costs no flush.
    pub(super) async fn answer(&self) -> Result<(), StoreError> {
        self.write("answer", |_| Ok(())).await?;
        self.read("answer", |conn| exists(conn, "SELECT 1", []).map(drop))
            .await
    }
}

pub(super) fn find(conn: &Connection, user: UserId) -> Result<Option<Credentials>, SqliteError> {
    first(conn, BY_ID, [user.to_string()], sql::credentials)
}

/// Whether another account has the user's address.
pub(super) fn has_another(conn: &Connection, user: &User) -> Result<bool, SqliteError> {
    let others = params![user.email.key(), user.id.to_string(), user.email.former()];
    exists(conn, OTHERS, others)
}

/// Whether another account has the user's address, or can take it back.
pub(super) fn is_taken(conn: &Connection, user: &User, at: Timestamp) -> Result<bool, SqliteError> {
    let (id, former) = (user.id.to_string(), user.email.former());
    let reserved = params![user.email.key(), id, former, at.as_millis()];
    Ok(has_another(conn, user)? || exists(conn, RESERVED, reserved)?)
}

fn create(
    conn: &Connection,
    user: &User,
    hash: &PasswordHash,
    session: &Session,
    at: Timestamp,
) -> Result<CreateOutcome, SqliteError> {
    if is_taken(conn, user, at)? {
        return Ok(CreateOutcome::EmailTaken);
    }
    insert_account(conn, user, hash, session)?;
    Ok(CreateOutcome::Created)
}

/// An account whose address is not taken, with its first session.
pub(super) fn insert_account(
    conn: &Connection,
    user: &User,
    hash: &PasswordHash,
    session: &Session,
) -> Result<(), SqliteError> {
    insert_user(conn, user, hash)?;
    insert(conn, session)?;
    know_device(conn, session)
}

pub(super) fn add(
    conn: &Connection,
    user: &User,
    hash: &PasswordHash,
    at: Timestamp,
) -> Result<AddOutcome, SqliteError> {
    if is_taken(conn, user, at)? {
        return Ok(AddOutcome::EmailTaken);
    }
    if exists(conn, THERE, [user.id.to_string()])? {
        return Ok(AddOutcome::IdTaken);
    }
    insert_user(conn, user, hash)?;
    Ok(AddOutcome::Added)
}

fn insert_user(conn: &Connection, user: &User, hash: &PasswordHash) -> Result<(), SqliteError> {
    let row = params![
        user.id.to_string(),
        user.email.key(),
        hash.expose(),
        user.details.name.as_ref().map(Label::as_str),
        user.details.website.as_ref().map(WebUrl::as_str),
        user.details.image_url.as_ref().map(WebUrl::as_str),
        user.created_at.as_millis(),
        user.disabled_at.map(Timestamp::as_millis),
        user.epoch.number(),
        user.kept_session.as_ref().map(SessionId::to_string),
        sql::typed(&user.email),
        user.details.locale.as_ref().map(Locale::as_str),
        user.email_verified_at.map(Timestamp::as_millis),
        sql::roles(&user.roles),
        sql::app(&user.app),
        sql::version_number(user.version),
        user.factors.bits(),
    ];
    run(conn, INSERT, row).map(drop)
}

fn update(
    conn: &Connection,
    user: UserId,
    change: DetailsChange,
    asking: Option<Asking>,
    at: Timestamp,
) -> Result<UpdateOutcome, SqliteError> {
    let Some(Credentials { user, .. }) = find(conn, user)? else {
        return Ok(UpdateOutcome::NotFound);
    };
    if let Some(asking) = asking
        && !admits(conn, &user, asking, at)?
    {
        return Ok(UpdateOutcome::Superseded);
    }
    let former = user.email.clone();
    let user = change.apply(user, at);
    if user.email != former && is_taken(conn, &user, at)? {
        return Ok(UpdateOutcome::EmailTaken);
    }
    write_shown(conn, &user)?;
    Ok(UpdateOutcome::Updated(user))
}

/// Writes what the account shows.
pub(super) fn write_shown(conn: &Connection, user: &User) -> Result<(), SqliteError> {
    let row = params![
        user.id.to_string(),
        user.email.key(),
        user.details.name.as_ref().map(Label::as_str),
        user.details.website.as_ref().map(WebUrl::as_str),
        user.details.image_url.as_ref().map(WebUrl::as_str),
        sql::typed(&user.email),
        user.details.locale.as_ref().map(Locale::as_str),
        user.email_verified_at.map(Timestamp::as_millis),
        sql::roles(&user.roles),
        sql::app(&user.app),
        sql::version_number(user.version),
    ];
    run(conn, UPDATE, row).map(drop)
}

fn change_password(
    conn: &Connection,
    change: &PasswordChange,
) -> Result<PasswordOutcome, SqliteError> {
    let Some(Credentials { user, .. }) = find(conn, change.user)? else {
        return Ok(PasswordOutcome::Superseded);
    };
    let asking = Asking {
        session: change.session,
        epoch: Some(change.epoch),
    };
    if !admits(conn, &user, asking, change.at)? {
        return Ok(PasswordOutcome::Superseded);
    }
    let (kept, hash) = (Some(change.session), Some(&change.hash));
    let epoch = raise(
        conn,
        &user,
        &RaiseEpoch {
            kept,
            hash,
            reason: EndReason::PasswordChanged,
            at: change.at,
        },
    )?;
    Ok(PasswordOutcome::Changed(epoch))
}

pub(super) fn delete(
    conn: &Connection,
    user: UserId,
    asking: Option<Asking>,
    at: Timestamp,
) -> Result<bool, SqliteError> {
    let Some(Credentials { user, .. }) = find(conn, user)? else {
        return Ok(false);
    };
    if let Some(asking) = asking
        && !admits(conn, &user, asking, at)?
    {
        return Ok(false);
    }
    let user = user.id.to_string();
    run(conn, DELETE, [&user])?;
    run(conn, FORGET_DEVICES, [&user])?;
    run(conn, VOID_PROOFS, [&user])?;
    factors::forget(conn, &user)?;
    run(
        conn,
        SCRUB,
        params![user, at.as_millis(), EndReason::AccountDeleted.name()],
    )?;
    scrub(conn, &user)?;
    Ok(true)
}
