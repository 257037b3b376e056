//! The accounts as operators see them.

use super::{
    PostgresAccounts, database::Intent, end::LockedUser, error::PostgresError, journal::Single,
    personal_data::SESSIONS, statement::Param, transaction::Transaction, values::PgTimestamp,
    write::next_version,
};
use crate::sql::{self, RaiseEpoch, credential_columns, user_columns, version_number};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{AccountVersion, Credentials, EndReason, Role, Session, Timestamp, User, UserId},
    ports::{
        AccountDirectory, AccountQuery, ChangeOutcome, DisableOutcome, EnableOutcome,
        OperatorChange, StoreError,
    },
};
use tokio_postgres::Row;
use uuid::Uuid;

/// All accounts from one address to another, by the unique index of addresses. No page has as many as the inner limit. Without it the server
/// takes a page of any length for a tenth of the range, and among many accounts plans each anew, as if that could be cheaper.
const LIST: &str = concat!(
    "SELECT * FROM (SELECT ",
    user_columns!(),
    " FROM users u WHERE u.email >= $1 AND u.email < $2 ORDER BY u.email LIMIT 1000) AS page ORDER BY page.email LIMIT $3"
);

/// Those of one state, by an index that has no others; the first parameter says whether it is asked for.
macro_rules! state {
    ($asked:literal, $condition:literal) => {
        concat!(
            "SELECT * FROM (SELECT id, email FROM users WHERE ",
            $asked,
            " AND ",
            $condition,
            " AND email >= $1 AND email < $2 ORDER BY email LIMIT $3) AS branch"
        )
    };
}
const LIST_BY_STATE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM (SELECT * FROM (",
    state!("$4", "disabled_at IS NULL AND email_verified_at IS NULL"),
    " UNION ALL ",
    state!(
        "$5",
        "disabled_at IS NOT NULL AND email_verified_at IS NULL"
    ),
    " UNION ALL ",
    state!(
        "$6",
        "disabled_at IS NULL AND email_verified_at IS NOT NULL"
    ),
    " UNION ALL ",
    state!(
        "$7",
        "disabled_at IS NOT NULL AND email_verified_at IS NOT NULL"
    ),
    ") AS branches ORDER BY email LIMIT $3) AS page JOIN users u ON u.id = page.id ORDER BY page.email"
);

/// Those of one state with a role, by the list of its members.
macro_rules! members {
    ($asked:literal, $state:literal) => {
        concat!(
            "SELECT * FROM (SELECT user_id AS id, email FROM role_members WHERE ",
            $asked,
            " AND role = $8 AND state = ",
            $state,
            " AND email >= $1 AND email < $2 ORDER BY email LIMIT $3) AS branch"
        )
    };
}
const LIST_BY_ROLE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM (SELECT * FROM (",
    members!("$4", "0"),
    " UNION ALL ",
    members!("$5", "1"),
    " UNION ALL ",
    members!("$6", "2"),
    " UNION ALL ",
    members!("$7", "3"),
    ") AS branches ORDER BY email LIMIT $3) AS page JOIN users u ON u.id = page.id ORDER BY page.email"
);

const WALK: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id >= $1 ORDER BY u.id LIMIT $2"
);
/// A row if it was not disabled.
const DISABLE: &str = concat!(
    "UPDATE users SET disabled_at = $2, ",
    next_version!("$3"),
    " WHERE id = $1 AND disabled_at IS NULL"
);
const ENABLE: &str = concat!(
    "
    WITH enabled AS (UPDATE users SET disabled_at = NULL, ",
    next_version!("$2"),
    " WHERE id = $1 AND disabled_at IS NOT NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM enabled) AS enabled, EXISTS (SELECT FROM users WHERE id = $1) AS known"
);

#[async_trait]
impl AccountDirectory for PostgresAccounts {
    async fn list(&self, query: &AccountQuery) -> Result<Vec<User>, StoreError> {
        let (from, end) = query.range();
        let (limit, states) = (i64::from(query.limit), query.states());
        let role = query.role.as_ref().map(Role::as_str);
        let mut params: Vec<&dyn Param> = vec![&from, &end, &limit];
        let by_state = role.is_some() || states.contains(&false);
        if by_state {
            params.extend(states.iter().map(|state| state as &dyn Param));
        }
        let list = match &role {
            Some(role) => {
                params.push(role);
                LIST_BY_ROLE
            }
            None if by_state => LIST_BY_STATE,
            None => LIST,
        };
        self.db
            .read("list accounts", list, &params, sql::user)
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
            .read("list sessions", SESSIONS, &[user.as_uuid()], sql::session)
            .await
    }

    async fn change(
        &self,
        change: &OperatorChange,
        tell: &Tell<ChangeOutcome>,
    ) -> Result<ChangeOutcome, StoreError> {
        let taken =
            |error: &PostgresError| error.is_taken_email().then_some(ChangeOutcome::EmailTaken);
        self.db
            .change_or("change an account", change, tell, taken)
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
            params: &[user.as_uuid(), &version_number(AccountVersion::at(tell.at))],
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
        let version = version_number(AccountVersion::at(self.at));
        let row: [&dyn Param; 3] = [self.user.as_uuid(), &PgTimestamp(self.at), &version];
        Ok(match tx.execute(&disable, &row).await? {
            0 => DisableOutcome::AlreadyDisabled(epoch),
            _ => DisableOutcome::Disabled(epoch),
        })
    }
}
