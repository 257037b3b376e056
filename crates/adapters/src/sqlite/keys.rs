//! The keys that sign tokens.

use super::{
    SqliteStore,
    error::{Corrupt, Fault},
    query::{all, first, run},
};
use async_trait::async_trait;
use revolve_domain::{
    keys::{KeyId, KeyKind, KeyState, Phase, Promotion, Retired, SealedKey, StoredKey},
    model::Timestamp,
    ports::{KeyOutcome, KeyRepository, StoreError},
};
use rusqlite::{Connection, Row, params};
use std::{fmt::Display, time::Duration};

pub(super) const LIST: &str = "
    SELECT kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until FROM signing_keys ORDER BY created_at, kid";

const INSERT: &str = "
    INSERT INTO signing_keys (kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING";

/// The next key, and the active one of the same use.
const PAIR: &str = "
    SELECT a.kid FROM signing_keys n LEFT JOIN signing_keys a ON a.use = n.use AND a.state = 'active'
    WHERE n.kid = ?1 AND n.state = 'next'";

const ACTIVATE: &str =
    "UPDATE signing_keys SET state = 'active', since = ?2, until = NULL WHERE kid = ?1";
const RETIRE: &str = "UPDATE signing_keys SET state = 'retired', since = ?2, until = ?3 WHERE kid = ?1 AND state = 'active'";
const REMOVE: &str = "DELETE FROM signing_keys WHERE kid = ?1 AND state = ?2";

#[async_trait]
impl KeyRepository for SqliteStore {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.read("list keys", |conn| all(conn, LIST, [], key))
            .await
    }

    async fn insert(&self, key: &StoredKey) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.write("add a key", move |conn| insert(conn, &key))
            .await
    }

    async fn promote(&self, promotion: &Promotion) -> Result<KeyOutcome, StoreError> {
        let promotion = promotion.clone();
        self.write("promote a key", move |conn| promote(conn, &promotion))
            .await
    }

    async fn retire(&self, key: &KeyId, retired: Retired) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.write("retire a key", move |conn| retire(conn, &key, retired))
            .await
    }

    async fn remove(&self, key: &KeyId, state: KeyState) -> Result<KeyOutcome, StoreError> {
        let key = key.clone();
        self.write("remove a key", move |conn| remove(conn, &key, state))
            .await
    }
}

fn insert(conn: &Connection, key: &StoredKey) -> Result<KeyOutcome, Fault> {
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

fn promote(conn: &Connection, promotion: &Promotion) -> Result<KeyOutcome, Fault> {
    let next = promotion.next.as_str();
    let pair = first(conn, PAIR, [next], |row| {
        Ok(row.get::<_, Option<String>>(0)?)
    })?;
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

fn retire(conn: &Connection, key: &KeyId, retired: Retired) -> Result<KeyOutcome, Fault> {
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

/// Overwrites what it deletes, sealed as it is.
fn remove(conn: &Connection, key: &KeyId, state: KeyState) -> Result<KeyOutcome, Fault> {
    conn.pragma_update(None, "secure_delete", true)?;
    let removed = run(conn, REMOVE, params![key.as_str(), state.name()]);
    conn.pragma_update(None, "secure_delete", false)?;
    removed.map(outcome)
}

fn outcome(rows: usize) -> KeyOutcome {
    if rows == 0 {
        KeyOutcome::Changed
    } else {
        KeyOutcome::Done
    }
}

pub(super) fn key(row: &Row<'_>) -> Result<StoredKey, Fault> {
    let id: String = row.get(0)?;
    let corrupt = |column: &'static str, reason: &dyn Display| Corrupt {
        table: "signing_keys",
        column,
        id: id.clone(),
        reason: reason.to_string(),
    };
    let (usage, algorithm, state): (String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(6)?);
    let life =
        u64::try_from(row.get::<_, i64>(4)?).map_err(|error| corrupt("token_life_ms", &error))?;
    let (since, until): (i64, Option<i64>) = (row.get(7)?, row.get(8)?);
    let phase = Phase::from_parts(
        &state,
        Timestamp::from_millis(since),
        until.map(Timestamp::from_millis),
    );
    Ok(StoredKey {
        id: id.parse().map_err(|error| corrupt("kid", &error))?,
        kind: KeyKind::from_names(&usage, &algorithm)
            .map_err(|error| corrupt("algorithm", &error))?,
        sealed: SealedKey::new(row.get(3)?),
        token_life: Duration::from_millis(life),
        created_at: Timestamp::from_millis(row.get(5)?),
        phase: phase.ok_or_else(|| corrupt("state", &"no key is in it"))?,
    })
}
