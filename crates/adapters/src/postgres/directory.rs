//! The accounts as operators see them.

use super::{
    PostgresAccounts, database::Intent, end::LockedUser, error::PostgresError, journal::Single,
    transaction::Transaction, values::PgTimestamp,
};
use crate::sql::{self, RaiseEpoch, credential_columns, session_columns, user_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{Credentials, EmailAddress, EndReason, Session, Timestamp, User, UserId},
    ports::{AccountDirectory, AccountQuery, DisableOutcome, EnableOutcome, StoreError},
};
use tokio_postgres::Row;
use uuid::Uuid;

/// A range of the unique index of addresses; and of the one that has disabled accounts only.
macro_rules! list {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.email > $1 AND u.email >= $2 AND u.email < $3 ",
            $condition,
            " ORDER BY u.email LIMIT $4"
        )
    };
}
const LIST: &str = list!("");
const LIST_DISABLED: &str = list!("AND u.disabled_at IS NOT NULL");
const WALK: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id >= $1 ORDER BY u.id LIMIT $2"
);
const HISTORY: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions s WHERE s.user_id = $1 ORDER BY s.began_at DESC, s.id DESC"
);
/// A row if it was not disabled.
const DISABLE: &str = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
const ENABLE: &str = "
    WITH enabled AS (UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM enabled) AS enabled, EXISTS (SELECT FROM users WHERE id = $1) AS known";

#[async_trait]
impl AccountDirectory for PostgresAccounts {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let after = query.after.as_ref().map_or("", EmailAddress::key);
        let list = if query.disabled { LIST_DISABLED } else { LIST };
        let (end, limit) = (query.end_of_prefix(), i64::from(query.limit));
        self.db
            .read(
                "list accounts",
                list,
                &[&after, &query.prefix, &end, &limit],
                sql::user,
            )
            .await
    }

    async fn walk(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Credentials>, StoreError> {
        // The first that may follow; an earlier release may have imported the nil UUID.
        let from = after.map_or(Some(0), |after| after.as_uuid().as_u128().checked_add(1));
        let Some(from) = from.map(Uuid::from_u128) else {
            return Ok(Vec::new());
        };
        let limit = i64::from(limit);
        self.db
            .read("read accounts", WALK, &[&from, &limit], sql::credentials)
            .await
    }

    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.db
            .read("list sessions", HISTORY, &[user.as_uuid()], sql::session)
            .await
    }

    async fn disable(
        &self,
        user: UserId,
        at: Timestamp,
        tell: &Tell<DisableOutcome>,
    ) -> Result<DisableOutcome, StoreError> {
        self.db
            .change("disable an account", Disable { user, at }, tell)
            .await
    }

    async fn enable(
        &self,
        user: UserId,
        tell: &Tell<EnableOutcome>,
    ) -> Result<EnableOutcome, StoreError> {
        let enable = Single {
            sql: ENABLE,
            params: &[user.as_uuid()],
            outcome: enable_outcome,
        };
        self.db.change("enable an account", enable, tell).await
    }
}

fn enable_outcome(rows: &[Row]) -> Result<EnableOutcome, PostgresError> {
    let Some(row) = rows.first() else {
        return Ok(EnableOutcome::NotFound);
    };
    Ok(match (row.try_get("enabled")?, row.try_get("known")?) {
        (true, _) => EnableOutcome::Enabled,
        (false, true) => EnableOutcome::NotDisabled,
        (false, false) => EnableOutcome::NotFound,
    })
}

struct Disable {
    user: UserId,
    at: Timestamp,
}

impl Intent for Disable {
    type Answer = DisableOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<DisableOutcome, PostgresError> {
        let Some(locked) = LockedUser::lock(tx, self.user).await? else {
            return Ok(DisableOutcome::NotFound);
        };
        let epoch = locked
            .raise(
                tx,
                RaiseEpoch {
                    kept: None,
                    hash: None,
                    reason: EndReason::AccountDisabled,
                    at: self.at,
                },
            )
            .await?;
        let disable = tx.prepare_cached(DISABLE).await?;
        Ok(
            match tx
                .execute(&disable, &[self.user.as_uuid(), &PgTimestamp(self.at)])
                .await?
            {
                0 => DisableOutcome::AlreadyDisabled(epoch),
                _ => DisableOutcome::Disabled(epoch),
            },
        )
    }
}
