//! What operators see and do.

use super::{
    PostgresAccounts,
    database::Intent,
    end::{Locked, Raise},
    error::Fault,
    rows::{self, session_columns, user_columns},
    values::At,
};
use async_trait::async_trait;
use deadpool_postgres::Transaction;
use revolve_domain::{
    model::{Credentials, EmailAddress, EndReason, Session, Timestamp, User, UserId},
    ports::{AccountDirectory, AccountQuery, DisableOutcome, EnableOutcome, StoreError},
};
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
/// No id is the nil UUID.
const WALK: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", u.password_hash, false FROM users u WHERE u.id > $1 ORDER BY u.id LIMIT $2"
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
    SELECT EXISTS (SELECT FROM enabled), EXISTS (SELECT FROM users WHERE id = $1)";

#[async_trait]
impl AccountDirectory for PostgresAccounts {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let operation = "list accounts";
        let after = query.after.as_ref().map_or("", EmailAddress::as_str);
        let sql = if query.disabled { LIST_DISABLED } else { LIST };
        let rows = self
            .db
            .read(
                operation,
                sql,
                &[
                    &after,
                    &query.prefix,
                    &query.end_of_prefix(),
                    &i64::from(query.limit),
                ],
            )
            .await?;
        rows.iter()
            .map(|row| rows::user(row, 0))
            .collect::<Result<_, _>>()
            .map_err(|fault| self.db.error(operation, fault))
    }

    async fn walk(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<Credentials>, StoreError> {
        let operation = "read accounts";
        let after = after.map_or(Uuid::nil(), |after| *after.as_uuid());
        let rows = self
            .db
            .read(operation, WALK, &[&after, &i64::from(limit)])
            .await?;
        rows.iter()
            .map(rows::credentials)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.db.error(operation, fault))
    }

    async fn history(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let operation = "list sessions";
        let rows = self.db.read(operation, HISTORY, &[user.as_uuid()]).await?;
        rows.iter()
            .map(rows::session)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.db.error(operation, fault))
    }

    async fn disable(&self, user: UserId, at: Timestamp) -> Result<DisableOutcome, StoreError> {
        self.db
            .transact("disable an account", &Disable { user, at })
            .await
    }

    async fn enable(&self, user: UserId) -> Result<EnableOutcome, StoreError> {
        let operation = "enable an account";
        let rows = self
            .db
            .write(ENABLE, &[user.as_uuid()])
            .await
            .map_err(|fault| self.db.error(operation, fault))?;
        let outcome = || -> Result<EnableOutcome, Fault> {
            let Some(row) = rows.first() else {
                return Ok(EnableOutcome::NotFound);
            };
            Ok(match (row.try_get(0)?, row.try_get(1)?) {
                (true, _) => EnableOutcome::Enabled,
                (false, true) => EnableOutcome::NotDisabled,
                (false, false) => EnableOutcome::NotFound,
            })
        };
        outcome().map_err(|fault| self.db.error(operation, fault))
    }
}

struct Disable {
    user: UserId,
    at: Timestamp,
}

impl Intent for Disable {
    type Answer = DisableOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<DisableOutcome, Fault> {
        let Some(locked) = Locked::of(tx, self.user).await? else {
            return Ok(DisableOutcome::NotFound);
        };
        let epoch = locked
            .raise(
                tx,
                Raise {
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
                .execute(&disable, &[self.user.as_uuid(), &At(self.at)])
                .await?
            {
                0 => DisableOutcome::AlreadyDisabled(epoch),
                _ => DisableOutcome::Disabled(epoch),
            },
        )
    }
}
