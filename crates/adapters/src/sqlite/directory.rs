//! The accounts as operators see them.

use super::{
    SqliteStore,
    error::SqliteError,
    personal_data::SESSIONS,
    query::{all, first, run},
    sessions::raise,
    users::{is_taken, write_shown},
};
use crate::sql::{self, RaiseEpoch, credential_columns, user_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{Credentials, EndReason, Session, Timestamp, User, UserId},
    ports::{
        AccountDirectory, AccountQuery, ChangeOutcome, DisableOutcome, EnableOutcome,
        OperatorChange, StoreError,
    },
};
use rusqlite::{Connection, params};

/// All accounts from one address to another, by the unique index of addresses.
const LIST: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM users u WHERE u.email >= ?1 AND u.email < ?2 ORDER BY u.email LIMIT ?3"
);

/// Those of one state, by an index that has no others; the first parameter says whether it is asked for.
macro_rules! state {
    ($asked:literal, $index:literal, $condition:literal) => {
        concat!(
            "SELECT * FROM (SELECT id, email FROM users INDEXED BY ",
            $index,
            " WHERE ",
            $asked,
            " AND ",
            $condition,
            " AND email >= ?1 AND email < ?2 ORDER BY email LIMIT ?3)"
        )
    };
}
const LIST_BY_STATE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM (SELECT * FROM (",
    state!(
        "?4",
        "users_enabled_unverified",
        "disabled_at IS NULL AND email_verified_at IS NULL"
    ),
    " UNION ALL ",
    state!(
        "?5",
        "users_disabled_unverified",
        "disabled_at IS NOT NULL AND email_verified_at IS NULL"
    ),
    " UNION ALL ",
    state!(
        "?6",
        "users_enabled_verified",
        "disabled_at IS NULL AND email_verified_at IS NOT NULL"
    ),
    " UNION ALL ",
    state!(
        "?7",
        "users_disabled_verified",
        "disabled_at IS NOT NULL AND email_verified_at IS NOT NULL"
    ),
    ") ORDER BY email LIMIT ?3) AS page CROSS JOIN users u WHERE u.id = page.id ORDER BY page.email"
);

/// Those of one state with a role, by the list of its members.
macro_rules! members {
    ($asked:literal, $state:literal) => {
        concat!(
            "SELECT * FROM (SELECT user_id AS id, email FROM role_members WHERE ",
            $asked,
            " AND role = ?8 AND state = ",
            $state,
            " AND email >= ?1 AND email < ?2 ORDER BY email LIMIT ?3)"
        )
    };
}
const LIST_BY_ROLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM (SELECT * FROM (",
    members!("?4", "0"),
    " UNION ALL ",
    members!("?5", "1"),
    " UNION ALL ",
    members!("?6", "2"),
    " UNION ALL ",
    members!("?7", "3"),
    ") ORDER BY email LIMIT ?3) AS page CROSS JOIN users u WHERE u.id = page.id ORDER BY page.email"
);

const WALK: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id > ?1 ORDER BY u.id LIMIT ?2"
);
const USER: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = ?1");
const SET_DISABLED: &str = "UPDATE users SET disabled_at = ?2, version = ?3 WHERE id = ?1";
/// What an operator has set is not taken back by an earlier proof.
const VOID_UNDOS: &str = "DELETE FROM proofs WHERE user_id = ?1 AND purpose = 'undo_email'";
const OUTDATE: &str = "UPDATE users SET outdated_before = ?2, outdated_at = ?3 WHERE id = ?1";

#[async_trait]
impl AccountDirectory for SqliteStore {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let query = query.clone();
        self.read("list accounts", move |conn| list(conn, &query))
            .await
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
            all(conn, SESSIONS, [user.to_string()], sql::session)
        })
        .await
    }

    async fn change(
        &self,
        change: &OperatorChange,
        tell: &Tell<ChangeOutcome>,
    ) -> Result<ChangeOutcome, StoreError> {
        let wanted = change.clone();
        self.change("change an account", tell, move |conn| apply(conn, &wanted))
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
        let at = tell.at;
        self.change("enable an account", tell, move |conn| {
            enable(conn, user, at)
        })
        .await
    }
}

fn list(conn: &Connection, query: &AccountQuery) -> Result<Vec<User>, SqliteError> {
    let (from, end) = query.range();
    let [a, b, c, d] = query.states();
    match &query.role {
        Some(role) => {
            let asked = params![from, end, query.limit, a, b, c, d, role.as_str()];
            all(conn, LIST_BY_ROLE, asked, sql::user)
        }
        None if [a, b, c, d].contains(&false) => {
            let asked = params![from, end, query.limit, a, b, c, d];
            all(conn, LIST_BY_STATE, asked, sql::user)
        }
        None => all(conn, LIST, params![from, end, query.limit], sql::user),
    }
}

fn find(conn: &Connection, user: UserId) -> Result<Option<User>, SqliteError> {
    first(conn, USER, [user.to_string()], sql::user)
}

fn apply(conn: &Connection, change: &OperatorChange) -> Result<ChangeOutcome, SqliteError> {
    let Some(found) = find(conn, change.user)? else {
        return Ok(ChangeOutcome::NotFound);
    };
    let outcome = change.of(found);
    if let ChangeOutcome::Changed { before, after } = &outcome {
        if after.email != before.email {
            if is_taken(conn, after, change.at)? {
                return Ok(ChangeOutcome::EmailTaken);
            }
            run(conn, VOID_UNDOS, [after.id.to_string()])?;
        }
        write_shown(conn, after)?;
        if after.outdates(before) {
            let version = sql::version_number(after.version);
            let row = params![after.id.to_string(), version, change.at.as_millis()];
            run(conn, OUTDATE, row)?;
        }
    }
    Ok(outcome)
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
    set_disabled(conn, &user, Some(at), at)?;
    Ok(DisableOutcome::Disabled(epoch))
}

fn enable(conn: &Connection, user: UserId, at: Timestamp) -> Result<EnableOutcome, SqliteError> {
    let Some(user) = find(conn, user)? else {
        return Ok(EnableOutcome::NotFound);
    };
    if user.disabled_at.is_none() {
        return Ok(EnableOutcome::NotDisabled);
    }
    set_disabled(conn, &user, None, at)?;
    Ok(EnableOutcome::Enabled)
}

fn set_disabled(
    conn: &Connection,
    user: &User,
    disabled: Option<Timestamp>,
    at: Timestamp,
) -> Result<(), SqliteError> {
    let row = params![
        user.id.to_string(),
        disabled.map(Timestamp::as_millis),
        sql::version_number(user.version.next(at)),
    ];
    run(conn, SET_DISABLED, row).map(drop)
}
