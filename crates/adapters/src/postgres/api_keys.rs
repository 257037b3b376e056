//! API keys and named requests.

use super::{
    PostgresAccounts,
    database::{Intent, decoded},
    error::PostgresError,
    journal::Single,
    statement::Param,
    transaction::Transaction,
    values::PgTimestamp,
};
use crate::sql::{self, api_key_columns, request_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{ApiKey, ApiKeyId, Timestamp},
    ports::{
        ApiKeys, Claim, NamedRequest, NamedRequests, REQUESTS_KEPT, RevokeOutcome, StoreError,
        StoredApiKey,
    },
};
use tokio_postgres::Row;

const ADD: &str = "
    INSERT INTO api_keys (id, name, scopes, fingerprint, created_at, expires_at, revoked_at, used_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const FIND: &str = concat!(
    "SELECT ",
    api_key_columns!(),
    " FROM api_keys WHERE id = $1"
);
const LIST: &str = concat!(
    "SELECT ",
    api_key_columns!(),
    " FROM api_keys ORDER BY created_at, id"
);
const REVOKE: &str = "
    WITH revoked AS (UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM revoked) AS revoked, EXISTS (SELECT FROM api_keys WHERE id = $1) AS known";
/// `greatest` passes over null.
const USED: &str = "UPDATE api_keys SET used_at = greatest(used_at, $2) WHERE id = $1";

/// A row of the same name that is too old is as good as none. Waits for another request of that name.
const CLAIM: &str = "
    INSERT INTO named_requests AS known (name, content, id, at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE SET content = excluded.content, id = excluded.id, at = excluded.at WHERE known.at <= $5
    RETURNING 1";
const CLAIMED: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM named_requests WHERE name = $1"
);
const RELEASE: &str = "DELETE FROM named_requests WHERE name = $1 AND content = $2 AND id = $3";
/// Without those that another replica deletes, or that come anew.
const PRUNE: &str = "
    DELETE FROM named_requests WHERE name = ANY (ARRAY(
        SELECT name FROM named_requests WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1";

#[async_trait]
impl ApiKeys for PostgresAccounts {
    async fn add(&self, key: &StoredApiKey, tell: &Tell<()>) -> Result<(), StoreError> {
        let StoredApiKey { key, fingerprint } = key;
        let add = Single {
            sql: ADD,
            params: &[
                key.id.as_uuid(),
                &key.name.as_str(),
                &sql::scopes(&key.scopes),
                &&fingerprint.as_bytes()[..],
                &PgTimestamp(key.created_at),
                &PgTimestamp(key.expires_at),
                &key.revoked_at.map(PgTimestamp),
                &key.used_at.map(PgTimestamp),
            ],
            outcome: |_| Ok(()),
        };
        self.db.change("add an API key", add, tell).await
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<StoredApiKey>, StoreError> {
        self.db
            .look_up("read an API key", FIND, &[id.as_uuid()], sql::api_key)
            .await
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let key = |row: &dyn sql::SqlRow| Ok(sql::api_key(row)?.key);
        self.db.read("list API keys", LIST, &[], key).await
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        at: Timestamp,
        tell: &Tell<RevokeOutcome>,
    ) -> Result<RevokeOutcome, StoreError> {
        let revoke = Single {
            sql: REVOKE,
            params: &[id.as_uuid(), &PgTimestamp(at)],
            outcome: revoked,
        };
        self.db.change("revoke an API key", revoke, tell).await
    }

    async fn used(&self, id: ApiKeyId, hour: Timestamp) -> Result<(), StoreError> {
        let noted = self
            .db
            .write(USED, &[id.as_uuid(), &PgTimestamp(hour)])
            .await;
        noted
            .map(drop)
            .map_err(|error| self.db.error("note the use of an API key", error))
    }
}

#[async_trait]
impl NamedRequests for PostgresAccounts {
    async fn claim(&self, request: &NamedRequest) -> Result<Claim, StoreError> {
        self.db.transact("remember a request", request).await
    }

    async fn release(&self, request: &NamedRequest) -> Result<(), StoreError> {
        let row: [&dyn Param; 3] = [
            &&request.name.as_bytes()[..],
            &&request.content.as_bytes()[..],
            &request.id,
        ];
        let released = self.db.write(RELEASE, &row).await;
        released
            .map(drop)
            .map_err(|error| self.db.error("forget a request", error))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let pruned = self
            .db
            .write(PRUNE, &[&PgTimestamp(before), &i64::from(limit)])
            .await;
        pruned
            .map(|rows| rows.len() as u64)
            .map_err(|error| self.db.error("prune requests", error))
    }
}

fn revoked(rows: &[Row]) -> Result<RevokeOutcome, PostgresError> {
    let Some(row) = rows.first() else {
        return Ok(RevokeOutcome::NotFound);
    };
    Ok(match (row.try_get("revoked")?, row.try_get("known")?) {
        (true, _) => RevokeOutcome::Revoked,
        (false, true) => RevokeOutcome::AlreadyRevoked,
        (false, false) => RevokeOutcome::NotFound,
    })
}

impl Intent for NamedRequest {
    type Answer = Claim;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Claim, PostgresError> {
        let old = PgTimestamp(self.at.minus(REQUESTS_KEPT));
        let claim = tx.prepare_cached(CLAIM).await?;
        let row: [&dyn Param; 5] = [
            &&self.name.as_bytes()[..],
            &&self.content.as_bytes()[..],
            &self.id,
            &PgTimestamp(self.at),
            &old,
        ];
        if tx.query_opt(&claim, &row).await?.is_some() {
            return Ok(Claim::New);
        }
        let claimed = tx.prepare_cached(CLAIMED).await?;
        let found = tx.query(&claimed, &[&&self.name.as_bytes()[..]]).await?;
        let found = decoded(&found, sql::named_request)?;
        Ok(sql::claimed(self, found.into_iter().next()))
    }
}
