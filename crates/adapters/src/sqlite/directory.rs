//! The accounts as operators see them.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, first, run},
    sessions::raise,
};
use crate::sql::{self, RaiseEpoch, credential_columns, session_columns, user_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{Credentials, EmailAddress, EndReason, Session, Timestamp, User, UserId},
    ports::{AccountDirectory, AccountQuery, DisableOutcome, EnableOutcome, StoreError},
};
use rusqlite::{Connection, params};

/// A range of the unique index of addresses; and of the one that has disabled accounts only.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.email > ?1 AND u.email >= ?2 AND u.email < ?3 ",
            $condition,
            " ORDER BY u.email LIMIT ?4"
        )
    };
}
const LIST: &str = list!("");
const LIST_DISABLED: &str = list!("AND u.disabled_at IS NOT NULL");
const WALK: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id > ?1 ORDER BY u.id LIMIT ?2"
);
const HISTORY: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.user_id = ?1 ORDER BY s.began_at DESC, s.id DESC"
);
const USER: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = ?1");
const SET_DISABLED: &str = "UPDATE users SET disabled_at = ?2 WHERE id = ?1";

#[async_trait]
impl AccountDirectory for SqliteStore {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let query = query.clone();
        let find = move |conn: &Connection| {
            let after = query.after.as_ref().map_or("", EmailAddress::key);
            let list = if query.disabled { LIST_DISABLED } else { LIST };
            all(
                conn,
                list,
                params![after, query.prefix, query.end_of_prefix(), query.limit],
                sql::user,
            )
        };
        self.read("list accounts", find).await
    }

    async fn walk(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Credentials>, StoreError> {
        let after = after.as_ref().map(UserId::to_string).unwrap_or_default();
        self.read("read accounts", move |conn| {
            all(conn, WALK, params![after, limit], sql::credentials)
        })
        .await
    }

    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.read("list sessions", move |conn| {
            all(conn, HISTORY, [user.to_string()], sql::session)
        })
        .await
    }

    async fn disable(
        &self,
        user: UserId,
        at: Timestamp,
        tell: &Tell<DisableOutcome>,
    ) -> Result<DisableOutcome, StoreError> {
        self.change("disable an account", tell, move |conn| {
            disable(conn, user, at)
        })
        .await
    }

    async fn enable(
        &self,
        user: UserId,
        tell: &Tell<EnableOutcome>,
    ) -> Result<EnableOutcome, StoreError> {
        self.change("enable an account", tell, move |conn| enable(conn, user))
            .await
    }
}

fn find(conn: &Connection, user: UserId) -> Result<Option<User>, SqliteError> {
    first(conn, USER, [user.to_string()], sql::user)
}

fn disable(conn: &Connection, user: UserId, at: Timestamp) -> Result<DisableOutcome, SqliteError> {
    let Some(user) = find(conn, user)? else {
        return Ok(DisableOutcome::NotFound);
    };
    let epoch = raise(
        conn,
        &user,
        &RaiseEpoch {
            kept: None,
            hash: None,
            reason: EndReason::AccountDisabled,
            at,
        },
    )?;
    if user.disabled_at.is_some() {
        return Ok(DisableOutcome::AlreadyDisabled(epoch));
    }
    run(
        conn,
        SET_DISABLED,
        params![user.id.to_string(), at.as_millis()],
    )?;
    Ok(DisableOutcome::Disabled(epoch))
}

fn enable(conn: &Connection, user: UserId) -> Result<EnableOutcome, SqliteError> {
    let Some(user) = find(conn, user)? else {
        return Ok(EnableOutcome::NotFound);
    };
    if user.disabled_at.is_none() {
        return Ok(EnableOutcome::NotDisabled);
    }
    run(
        conn,
        SET_DISABLED,
        params![user.id.to_string(), None::<i64>],
    )?;
    Ok(EnableOutcome::Enabled)
}
