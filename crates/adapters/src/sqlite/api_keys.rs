//! API keys and named requests.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, exists, first, run},
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
use rusqlite::{Connection, params};

const ADD: &str = "
    INSERT INTO api_keys (id, name, scopes, fingerprint, created_at, expires_at, revoked_at, used_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const FIND: &str = concat!(
    "SELECT ",
    api_key_columns!(),
    " FROM api_keys WHERE id = ?1"
);
const LIST: &str = concat!(
    "SELECT ",
    api_key_columns!(),
    " FROM api_keys ORDER BY created_at, id"
);
const REVOKE: &str = "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
const THERE: &str = "SELECT 1 FROM api_keys WHERE id = ?1";
const USED: &str = "UPDATE api_keys SET used_at = max(coalesce(used_at, ?2), ?2) WHERE id = ?1";

/// A row of the same name that is too old is as good as none.
const CLAIM: &str = "
    INSERT INTO named_requests (name, content, id, at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name) DO UPDATE SET content = excluded.content, id = excluded.id, at = excluded.at WHERE at <= ?5";
const CLAIMED: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM named_requests WHERE name = ?1"
);
const RELEASE: &str = "DELETE FROM named_requests WHERE name = ?1 AND content = ?2 AND id = ?3";
const PRUNE: &str = "
    DELETE FROM named_requests WHERE name IN (SELECT name FROM named_requests WHERE at < ?1 ORDER BY at LIMIT ?2)";

#[async_trait]
impl ApiKeys for SqliteStore {
    async fn add(&self, key: &StoredApiKey, tell: &Tell<()>) -> Result<(), StoreError> {
        let key = key.clone();
        self.change("add an API key", tell, move |conn| add(conn, &key))
            .await
    }

    async fn find(&self, id: ApiKeyId) -> Result<Option<StoredApiKey>, StoreError> {
        let find = move |conn: &Connection| first(conn, FIND, [id.to_string()], sql::api_key);
        self.look_up("read an API key", find).await
    }

    async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        let list = |conn: &Connection| all(conn, LIST, [], |row| Ok(sql::api_key(row)?.key));
        self.read("list API keys", list).await
    }

    async fn revoke(
        &self,
        id: ApiKeyId,
        at: Timestamp,
        tell: &Tell<RevokeOutcome>,
    ) -> Result<RevokeOutcome, StoreError> {
        self.change("revoke an API key", tell, move |conn| revoke(conn, id, at))
            .await
    }

    async fn used(&self, id: ApiKeyId, hour: Timestamp) -> Result<(), StoreError> {
        self.write("note the use of an API key", move |conn| {
            run(conn, USED, params![id.to_string(), hour.as_millis()]).map(drop)
        })
        .await
    }
}

#[async_trait]
impl NamedRequests for SqliteStore {
    async fn claim(&self, request: &NamedRequest) -> Result<Claim, StoreError> {
        let request = request.clone();
        self.write("remember a request", move |conn| claim(conn, &request))
            .await
    }

    async fn release(&self, request: &NamedRequest) -> Result<(), StoreError> {
        let request = request.clone();
        self.write("forget a request", move |conn| {
            let row = params![
                request.name.as_bytes(),
                request.content.as_bytes(),
                request.id.to_string(),
            ];
            run(conn, RELEASE, row).map(drop)
        })
        .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write("prune requests", move |conn| {
            run(conn, PRUNE, params![before.as_millis(), limit]).map(|rows| rows as u64)
        })
        .await
    }
}

fn add(
    conn: &Connection,
    StoredApiKey { key, fingerprint }: &StoredApiKey,
) -> Result<(), SqliteError> {
    let row = params![
        key.id.to_string(),
        key.name.as_str(),
        sql::scopes(&key.scopes),
        fingerprint.as_bytes(),
        key.created_at.as_millis(),
        key.expires_at.as_millis(),
        key.revoked_at.map(Timestamp::as_millis),
        key.used_at.map(Timestamp::as_millis),
    ];
    run(conn, ADD, row).map(drop)
}

fn revoke(conn: &Connection, id: ApiKeyId, at: Timestamp) -> Result<RevokeOutcome, SqliteError> {
    let id = id.to_string();
    if run(conn, REVOKE, params![id, at.as_millis()])? > 0 {
        return Ok(RevokeOutcome::Revoked);
    }
    Ok(if exists(conn, THERE, [id])? {
        RevokeOutcome::AlreadyRevoked
    } else {
        RevokeOutcome::NotFound
    })
}

fn claim(conn: &Connection, request: &NamedRequest) -> Result<Claim, SqliteError> {
    let row = params![
        request.name.as_bytes(),
        request.content.as_bytes(),
        request.id.to_string(),
        request.at.as_millis(),
        request.at.minus(REQUESTS_KEPT).as_millis(),
    ];
    if run(conn, CLAIM, row)? > 0 {
        return Ok(Claim::New);
    }
    let found = first(conn, CLAIMED, [request.name.as_bytes()], sql::named_request)?;
    Ok(sql::claimed(request, found))
}
