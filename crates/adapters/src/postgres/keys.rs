//! The keys that sign tokens.

use super::{
    PostgresAccounts, database::Intent, error::PostgresError, journal::Single,
    transaction::Transaction, values::PgTimestamp,
};
use crate::sql;
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    keys::{KeyId, KeyState, Promotion, Retired, SealedKey, StoredKey},
    ports::{KeyOutcome, KeyRepository, StoreError},
};
use tokio_postgres::Row;

const INSERT: &str = "
    INSERT INTO signing_keys (kid, use, algorithm, sealed, token_life_ms, created_at, state, since, until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING 1";

/// Holds off other changes of keys, and no reads.
const LOCK: &str = "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE";

/// The next key, and the active one of the same use.
const PAIR: &str = "
    SELECT a.kid AS active FROM signing_keys n LEFT JOIN signing_keys a ON a.use = n.use AND a.state = 'active'
    WHERE n.kid = $1 AND n.state = 'next'";

const ACTIVATE: &str =
    "UPDATE signing_keys SET state = 'active', since = $2, until = NULL WHERE kid = $1";
const RETIRE: &str = "UPDATE signing_keys SET state = 'retired', since = $2, until = $3 WHERE kid = $1 AND state = 'active' RETURNING 1";
const RESEAL: &str =
    "UPDATE signing_keys SET sealed = $3 WHERE kid = $1 AND sealed = $2 RETURNING 1";
const REMOVE: &str = "DELETE FROM signing_keys WHERE kid = $1 AND state = $2 RETURNING 1";

#[async_trait]
impl KeyRepository for PostgresAccounts {
    async fn list(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.db
            .read("list keys", sql::LIST_KEYS, &[], sql::key)
            .await
    }

    async fn insert(
        &self,
        key: &StoredKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let life = i64::try_from(key.token_life.as_millis()).unwrap_or(i64::MAX);
        let insert = Single {
            sql: INSERT,
            params: &[
                &key.id.as_str(),
                &key.kind.usage().name(),
                &key.kind.algorithm_name(),
                &key.sealed.as_bytes(),
                &life,
                &PgTimestamp(key.created_at),
                &key.phase.state().name(),
                &PgTimestamp(key.phase.since()),
                &key.phase.until().map(PgTimestamp),
            ],
            outcome,
        };
        self.db.change("add a key", insert, tell).await
    }

    async fn promote(
        &self,
        promotion: &Promotion,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        self.db.change("promote a key", promotion, tell).await
    }

    async fn retire(
        &self,
        key: &KeyId,
        retired: Retired,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let retire = Single {
            sql: RETIRE,
            params: &[
                &key.as_str(),
                &PgTimestamp(retired.since),
                &PgTimestamp(retired.until),
            ],
            outcome,
        };
        self.db.change("retire a key", retire, tell).await
    }

    async fn reseal(
        &self,
        key: &KeyId,
        from: &SealedKey,
        to: &SealedKey,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let reseal = Single {
            sql: RESEAL,
            params: &[&key.as_str(), &from.as_bytes(), &to.as_bytes()],
            outcome,
        };
        self.db.change("reseal a key", reseal, tell).await
    }

    async fn remove(
        &self,
        key: &KeyId,
        state: KeyState,
        tell: &Tell<KeyOutcome>,
    ) -> Result<KeyOutcome, StoreError> {
        let remove = Single {
            sql: REMOVE,
            params: &[&key.as_str(), &state.name()],
            outcome,
        };
        self.db.change("remove a key", remove, tell).await
    }
}

impl Intent for Promotion {
    type Answer = KeyOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<KeyOutcome, PostgresError> {
        tx.batch_execute(LOCK).await?;
        let pair = tx.prepare_cached(PAIR).await?;
        let Some(row) = tx.query_opt(&pair, &[&self.next.as_str()]).await? else {
            return Ok(KeyOutcome::Changed);
        };
        let active: Option<&str> = row.try_get("active")?;
        if active != self.retires.as_ref().map(|(id, _)| id.as_str()) {
            return Ok(KeyOutcome::Changed);
        }
        // In this order: there is one active key at most at any time.
        if let Some((id, retired)) = &self.retires {
            let retire = tx.prepare_cached(RETIRE).await?;
            tx.execute(
                &retire,
                &[
                    &id.as_str(),
                    &PgTimestamp(retired.since),
                    &PgTimestamp(retired.until),
                ],
            )
            .await?;
        }
        let activate = tx.prepare_cached(ACTIVATE).await?;
        tx.execute(
            &activate,
            &[&self.next.as_str(), &PgTimestamp(self.active.since)],
        )
        .await?;
        Ok(KeyOutcome::Done)
    }
}

fn outcome(rows: &[Row]) -> Result<KeyOutcome, PostgresError> {
    Ok(if rows.is_empty() {
        KeyOutcome::Changed
    } else {
        KeyOutcome::Done
    })
}
