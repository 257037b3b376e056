//! The keys that sign tokens.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, first, run},
};
use crate::sql;
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    keys::{KeyId, KeyState, Promotion, Retired, SealedKey, StoredKey},
    model::Timestamp,
    ports::{KeyOutcome, KeyRepository, StoreError},
};
use rusqlite::{Connection, params};

const INSERT: &str = "
    INSERT INTO signing_keys (kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

/// The next key, and the active one of the same use.
const PAIR: &str = "
    SELECT a.kid AS active FROM signing_keys n LEFT JOIN signing_keys a ON a.use = n.use AND a.state = 'active'
    WHERE n.kid = ?1 AND n.state = 'next'";

const ACTIVATE: &str =
    "UPDATE signing_keys SET state = 'active', since = ?2, until = NULL WHERE kid = ?1";
const RETIRE: &str = "UPDATE signing_keys SET state = 'retired', since = ?2, until = ?3 WHERE kid = ?1 AND state = 'active'";
const RESEAL: &str = "UPDATE signing_keys SET sealed = ?3 WHERE kid = ?1 AND sealed = ?2";
const REMOVE: &str = "DELETE FROM signing_keys WHERE kid = ?1 AND state = ?2";

#[async_trait]
impl KeyRepository for SqliteStore {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read("list keys", |conn| all(conn, sql::LIST_KEYS, [], sql::key))
            .await
    }

    async fn insert(
        &self,
        key: &StoredKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.change("add a key", tell, move |conn| insert(conn, &key))
            .await
    }

    async fn promote(
        &self,
        promotion: &Promotion,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let promotion = promotion.clone();
        self.change("promote a key", tell, move |conn| promote(conn, &promotion))
            .await
    }

    async fn retire(
        &self,
        key: &KeyId,
        retired: Retired,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.change("retire a key", tell, move |conn| {
            retire(conn, &key, retired)
        })
        .await
    }

    async fn reseal(
        &self,
        key: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let (key, from, to) = (key.clone(), from.clone(), to.clone());
        self.change("reseal a key", tell, move |conn| {
            reseal(conn, &key, &from, &to)
        })
        .await
    }

    async fn remove(
        &self,
        key: &KeyId,
        state: KeyState,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.change("remove a key", tell, move |conn| remove(conn, &key, state))
            .await
    }
}

fn insert(conn: &Connection, key: &StoredKey) -> Result<KeyOutcome, SqliteError> {
    let row = params![
        key.id.as_str(),
        key.kind.usage().name(),
        key.kind.algorithm_name(),
        key.sealed.as_bytes(),
        i64::try_from(key.token_life.as_millis()).unwrap_or(i64::MAX),
        key.created_at.as_millis(),
        key.phase.state().name(),
        key.phase.since().as_millis(),
        key.phase.until().map(Timestamp::as_millis),
    ];
    run(conn, INSERT, row).map(outcome)
}

fn promote(conn: &Connection, promotion: &Promotion) -> Result<KeyOutcome, SqliteError> {
    let next = promotion.next.as_str();
    let pair = first(conn, PAIR, [next], sql::active_key)?;
    let expected = promotion.retires.as_ref().map(|(id, _)| id.as_str());
    if pair.is_none_or(|active| active.as_deref() != expected) {
        return Ok(KeyOutcome::Changed);
    }
    // In this order: there is one active key at most at any time.
    if let Some((id, retired)) = &promotion.retires
        && retire(conn, id, *retired)? == KeyOutcome::Changed
    {
        return Ok(KeyOutcome::Changed);
    }
    run(
        conn,
        ACTIVATE,
        params![next, promotion.active.since.as_millis()],
    )
    .map(outcome)
}

fn retire(conn: &Connection, key: &KeyId, retired: Retired) -> Result<KeyOutcome, SqliteError> {
    run(
        conn,
        RETIRE,
        params![
            key.as_str(),
            retired.since.as_millis(),
            retired.until.as_millis()
        ],
    )
    .map(outcome)
}

/// Overwrites the old value, so that the earlier master key opens nothing in the file.
fn reseal(
    conn: &Connection,
    key: &KeyId,
    from: &SealedKey,
    to: &SealedKey,
) -> Result<KeyOutcome, SqliteError> {
    let resealed = params![key.as_str(), from.as_bytes(), to.as_bytes()];
    run(conn, RESEAL, resealed).map(outcome)
}

fn remove(conn: &Connection, key: &KeyId, state: KeyState) -> Result<KeyOutcome, SqliteError> {
    run(conn, REMOVE, params![key.as_str(), state.name()]).map(outcome)
}

fn outcome(rows: usize) -> KeyOutcome {
    if rows == 0 {
        KeyOutcome::Changed
    } else {
        KeyOutcome::Done
    }
}
