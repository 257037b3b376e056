//! The keys that sign tokens.

use super::{
    PostgresAccounts,
    database::Intent,
    error::{Corrupt, Fault},
    values::At,
};
use async_trait::async_trait;
use deadpool_postgres::Transaction;
use revolve_domain::{
    keys::{KeyId, KeyKind, KeyState, Phase, Promotion, Retired, SealedKey, StoredKey},
    ports::{KeyOutcome, KeyRepository, StoreError},
};
use std::{fmt::Display, time::Duration};
use tokio_postgres::Row;

pub(super) const LIST: &str = "
    SELECT kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until FROM signing_keys ORDER BY created_at, kid";

const INSERT: &str = "
    INSERT INTO signing_keys (kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING 1";

/// Holds off others that change keys, and nobody who reads them.
const LOCK: &str = "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE";

/// The next key, and the active one of the same use.
const PAIR: &str = "
    SELECT a.kid FROM signing_keys n LEFT JOIN signing_keys a ON a.use = n.use AND a.state = 'active'
    WHERE n.kid = $1 AND n.state = 'next'";

const ACTIVATE: &str =
    "UPDATE signing_keys SET state = 'active', since = $2, until = NULL WHERE kid = $1";
const RETIRE: &str = "UPDATE signing_keys SET state = 'retired', since = $2, until = $3 WHERE kid = $1 AND state = 'active' RETURNING 1";
const REMOVE: &str = "DELETE FROM signing_keys WHERE kid = $1 AND state = $2 RETURNING 1";

#[async_trait]
impl KeyRepository for PostgresAccounts {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        let operation = "list keys";
        let rows = self.db.read(operation, LIST, &[]).await?;
        rows.iter()
            .map(key)
            .collect::<Result<_, _>>()
            .map_err(|fault| self.db.error(operation, fault))
    }

    async fn insert(&self, key: &StoredKey) -> Result<KeyOutcome, StoreError> {
        let life = i64::try_from(key.token_life.as_millis()).unwrap_or(i64::MAX);
        let done = self
            .db
            .write(
                INSERT,
                &[
                    &key.id.as_str(),
                    &key.kind.usage().name(),
                    &key.kind.algorithm_name(),
                    &key.sealed.as_bytes(),
                    &life,
                    &At(key.created_at),
                    &key.phase.state().name(),
                    &At(key.phase.since()),
                    &key.phase.until().map(At),
                ],
            )
            .await;
        done.map(|rows| outcome(&rows))
            .map_err(|fault| self.db.error("add a key", fault))
    }

    async fn promote(&self, promotion: &Promotion) -> Result<KeyOutcome, StoreError> {
        self.db.transact("promote a key", promotion).await
    }

    async fn retire(&self, key: &KeyId, retired: Retired) -> Result<KeyOutcome, StoreError> {
        let done = self
            .db
            .write(
                RETIRE,
                &[&key.as_str(), &At(retired.since), &At(retired.until)],
            )
            .await;
        done.map(|rows| outcome(&rows))
            .map_err(|fault| self.db.error("retire a key", fault))
    }

    async fn remove(&self, key: &KeyId, state: KeyState) -> Result<KeyOutcome, StoreError> {
        let done = self.db.write(REMOVE, &[&key.as_str(), &state.name()]).await;
        done.map(|rows| outcome(&rows))
            .map_err(|fault| self.db.error("remove a key", fault))
    }
}

impl Intent for Promotion {
    type Answer = KeyOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<KeyOutcome, Fault> {
        tx.batch_execute(LOCK).await?;
        let pair = tx.prepare_cached(PAIR).await?;
        let Some(row) = tx.query_opt(&pair, &[&self.next.as_str()]).await? else {
            return Ok(KeyOutcome::Changed);
        };
        let active: Option<&str> = row.try_get(0)?;
        if active != self.retires.as_ref().map(|(id, _)| id.as_str()) {
            return Ok(KeyOutcome::Changed);
        }
        // In this order: there is one active key at most at any time.
        if let Some((id, retired)) = &self.retires {
            let retire = tx.prepare_cached(RETIRE).await?;
            tx.execute(
                &retire,
                &[&id.as_str(), &At(retired.since), &At(retired.until)],
            )
            .await?;
        }
        let activate = tx.prepare_cached(ACTIVATE).await?;
        tx.execute(&activate, &[&self.next.as_str(), &At(self.active.since)])
            .await?;
        Ok(KeyOutcome::Done)
    }
}

fn outcome(rows: &[Row]) -> KeyOutcome {
    if rows.is_empty() {
        KeyOutcome::Changed
    } else {
        KeyOutcome::Done
    }
}

pub(super) fn key(row: &Row) -> Result<StoredKey, Fault> {
    let id: &str = row.try_get(0)?;
    let corrupt = |column: &'static str, reason: &dyn Display| Corrupt {
        table: "signing_keys",
        column,
        id: id.to_owned(),
        reason: reason.to_string(),
    };
    let (usage, algorithm, state): (&str, &str, &str) =
        (row.try_get(1)?, row.try_get(2)?, row.try_get(6)?);
    let life = u64::try_from(row.try_get::<_, i64>(4)?)
        .map_err(|error| corrupt("token_life_ms", &error))?;
    let (since, until): (At, Option<At>) = (row.try_get(7)?, row.try_get(8)?);
    Ok(StoredKey {
        id: id.parse().map_err(|error| corrupt("kid", &error))?,
        kind: KeyKind::from_names(usage, algorithm)
            .map_err(|error| corrupt("algorithm", &error))?,
        sealed: SealedKey::new(row.try_get(3)?),
        token_life: Duration::from_millis(life),
        created_at: row.try_get::<_, At>(5)?.0,
        phase: Phase::from_parts(state, since.0, until.map(|at| at.0))
            .ok_or_else(|| corrupt("state", &"no key is in it"))?,
    })
}
