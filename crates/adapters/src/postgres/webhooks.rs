//! Webhooks and what is on its way to them.

mod settle;

use super::{
    PostgresAccounts,
    database::{Intent, decoded},
    error::PostgresError,
    statement::Param,
    transaction::{Transaction, run},
    values::PgTimestamp,
};
use crate::sql::{self, journal_columns, webhook_columns};
use async_trait::async_trait;
use revolve_domain::{
    deliveries::Backlog,
    journal::Tell,
    model::{Timestamp, WebhookId},
    ports::{JournalCursor, StoreError, Webhooks},
    webhooks::{
        DisabledReason, MOST, Webhook, WebhookDelivery, WebhookLease, WebhookOrder, WebhookSettled,
    },
};
use settle::Settle;
use uuid::Uuid;

/// Endpoints are added one after the other, of whatever schema. Ends with the transaction.
const SERIAL: &str = "SELECT pg_advisory_xact_lock(hashtextextended('revolve webhooks', 0))";
/// Whether there are more than `$1`.
const ARE_MORE: &str = "SELECT 1 FROM webhooks OFFSET $1 LIMIT 1";
const ADD: &str = "
    INSERT INTO webhooks (id, name, url, events, secret, previous_secret, previous_until, disabled, created_at, since, version,
        failing_since, last_error)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
/// An endpoint that is enabled begins anew.
const REPLACE: &str = "
    UPDATE webhooks SET name = $2, url = $3, events = $4, secret = $5, previous_secret = $6, previous_until = $7, disabled = $8,
        created_at = $9, since = $10, version = version + 1,
        failing_since = CASE WHEN disabled IS NULL OR $8::text IS NOT NULL THEN failing_since END,
        last_error = CASE WHEN disabled IS NULL OR $8::text IS NOT NULL THEN last_error END
    WHERE id = $1 AND version = $11";
const BEGIN: &str = "
    INSERT INTO webhook_cursor (one, written_in, number) VALUES (1, $1, $2) ON CONFLICT DO NOTHING";
const FIND: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhooks WHERE id = $1"
);
/// Deliveries first, as what became of one is stored: the other way round each may wait for the other.
const REMOVE: [&str; 2] = [
    "DELETE FROM webhook_deliveries WHERE webhook_id = $1",
    "DELETE FROM webhooks WHERE id = $1",
];
const CURSOR: &str = "SELECT written_in, number FROM webhook_cursor";
const MOVE: &str =
    "UPDATE webhook_cursor SET written_in = $3, number = $4 WHERE written_in = $1 AND number = $2";

/// Not to an endpoint that is gone. What waits or was given up begins anew. In the order of keys, as several may order the same ones at once.
const ORDER: &str = "
    INSERT INTO webhook_deliveries AS d (webhook_id, event_id, created_at, next_at, expires_at)
    SELECT w.id, o.event, o.at, o.at, o.expires_at
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS o (webhook, event, at, expires_at)
        JOIN webhooks w ON w.id = o.webhook
    ORDER BY w.id, o.event
    ON CONFLICT (webhook_id, event_id) DO UPDATE SET given_up = false, created_at = excluded.created_at, next_at = excluded.next_at,
        expires_at = excluded.expires_at, attempts = 0
    WHERE d.leased_until IS NULL";

/// Of each endpoint of `$3` what is due at `$1`, as many as `$4` says.
const LEASE: &str = concat!(
    "
    WITH due AS MATERIALIZED (
        SELECT next.webhook_id, next.event_id FROM unnest($3::uuid[], $4::bigint[]) AS asked (webhook, room) CROSS JOIN LATERAL (
            SELECT d.webhook_id, d.event_id FROM webhook_deliveries d
            WHERE d.webhook_id = asked.webhook AND NOT d.given_up AND d.next_at <= $1 AND d.expires_at > $1
            ORDER BY d.next_at
            LIMIT asked.room
            FOR UPDATE SKIP LOCKED
        ) next
    ), leased AS (
        UPDATE webhook_deliveries d SET attempts = d.attempts + 1, leased_until = $2, next_at = $2 FROM due
        WHERE d.webhook_id = due.webhook_id AND d.event_id = due.event_id
        RETURNING d.webhook_id, d.event_id, d.attempts, d.expires_at
    )
    SELECT leased.webhook_id, leased.attempts, leased.expires_at, ",
    journal_columns!(),
    " FROM leased JOIN journal j ON j.id = leased.event_id"
);

const PRUNE: &str = "
    DELETE FROM webhook_deliveries d USING (
        SELECT webhook_id, event_id FROM webhook_deliveries
        WHERE given_up = ANY (ARRAY[false, true]) AND expires_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
        LIMIT $2 FOR UPDATE SKIP LOCKED) over
    WHERE d.webhook_id = over.webhook_id AND d.event_id = over.event_id
    RETURNING 1";

#[async_trait]
impl Webhooks for PostgresAccounts {
    async fn add(
        &self,
        webhook: &Webhook,
        from: JournalCursor,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        let add = Add { webhook, from };
        self.db.change("add a webhook", add, tell).await
    }

    async fn list(&self) -> Result<Vec<Webhook>, StoreError> {
        self.db
            .read("list webhooks", sql::LIST_WEBHOOKS, &[], sql::webhook)
            .await
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.db
            .look_up("read a webhook", FIND, &[id.as_uuid()], sql::webhook)
            .await
    }

    async fn replace(&self, webhook: &Webhook, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.db
            .change("change a webhook", Replace(webhook), tell)
            .await
    }

    async fn remove(&self, id: WebhookId, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.db.change("delete a webhook", Remove(id), tell).await
    }

    async fn cursor(&self) -> Result<Option<JournalCursor>, StoreError> {
        let operation = "read the webhooks' cursor";
        let rows = self.db.read(operation, CURSOR, &[], sql::cursor).await?;
        Ok(rows.first().copied())
    }

    async fn fan_out(
        &self,
        from: JournalCursor,
        to: JournalCursor,
        orders: &[WebhookOrder],
    ) -> Result<bool, StoreError> {
        let fan_out = FanOut { from, to, orders };
        self.db
            .transact("order events for webhooks", &fan_out)
            .await
    }

    async fn order(&self, orders: &[WebhookOrder], tell: &Tell<()>) -> Result<(), StoreError> {
        self.db
            .change("order events for a webhook", Order(orders), tell)
            .await
    }

    async fn lease(&self, request: &WebhookLease) -> Result<Vec<WebhookDelivery>, StoreError> {
        let (ids, rooms): (Vec<Uuid>, Vec<i64>) = request
            .rooms
            .iter()
            .map(|(id, room)| (*id.as_uuid(), i64::from(*room)))
            .unzip();
        let params: [&dyn Param; 4] = [
            &PgTimestamp(request.at),
            &PgTimestamp(request.until),
            &ids,
            &rooms,
        ];
        let leased = self.db.write(LEASE, &params).await;
        leased
            .and_then(|rows| decoded(&rows, sql::readable_webhook_delivery))
            .map(|leased| leased.into_iter().flatten().collect())
            .map_err(|error| self.db.error("lease events for webhooks", error))
    }

    async fn settle(
        &self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
        at: Timestamp,
        tell: &Tell<Option<DisabledReason>>,
    ) -> Result<Option<DisabledReason>, StoreError> {
        let settle = Settle {
            delivery,
            settled,
            at,
        };
        self.db
            .change("settle an event for a webhook", settle, tell)
            .await
    }

    async fn backlogs(&self) -> Result<Vec<(WebhookId, Backlog)>, StoreError> {
        self.db
            .read(
                "count events for webhooks",
                sql::WEBHOOK_BACKLOGS,
                &[],
                sql::webhook_backlog,
            )
            .await
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let pruned = self
            .db
            .write(PRUNE, &[&PgTimestamp(at), &i64::from(limit)])
            .await;
        pruned
            .map(|rows| rows.len() as u64)
            .map_err(|error| self.db.error("prune events for webhooks", error))
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// [`REPLACE`] has the first parameters alone, without what the store knows of failures.
async fn put(
    tx: &Transaction<'_>,
    sql: &'static str,
    webhook: &Webhook,
    params: usize,
) -> Result<u64, PostgresError> {
    let previous = webhook.previous.as_ref();
    let row: [&dyn Param; 13] = [
        webhook.id.as_uuid(),
        &webhook.name.as_str(),
        &webhook.url.as_str(),
        &webhook.events.to_string(),
        &webhook.secret.as_bytes(),
        &previous.map(|old| old.secret.as_bytes()),
        &previous.map(|old| PgTimestamp(old.until)),
        &webhook.disabled.map(DisabledReason::as_str),
        &PgTimestamp(webhook.created_at),
        &PgTimestamp(webhook.since),
        &i64::from(webhook.version),
        &webhook.failing_since.map(PgTimestamp),
        &webhook.last_error,
    ];
    let put = tx.prepare_cached(sql).await?;
    Ok(tx.execute(&put, &row[..params]).await?)
}

struct Add<'a> {
    webhook: &'a Webhook,
    from: JournalCursor,
}

impl Intent for Add<'_> {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        run(tx, SERIAL, &[]).await?;
        let others = number(MOST as u64 - 1);
        if run(tx, ARE_MORE, &[&others]).await? > 0 {
            return Ok(false);
        }
        put(tx, ADD, self.webhook, 13).await?;
        let place: [&dyn Param; 2] = [&number(self.from.commit), &number(self.from.number)];
        run(tx, BEGIN, &place).await?;
        Ok(true)
    }
}

struct Replace<'a>(&'a Webhook);

impl Intent for Replace<'_> {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        Ok(put(tx, REPLACE, self.0, 11).await? > 0)
    }
}

struct Remove(WebhookId);

impl Intent for Remove {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let [deliveries, webhook] = REMOVE;
        run(tx, deliveries, &[self.0.as_uuid()]).await?;
        Ok(run(tx, webhook, &[self.0.as_uuid()]).await? > 0)
    }
}

struct FanOut<'a> {
    from: JournalCursor,
    to: JournalCursor,
    orders: &'a [WebhookOrder],
}

impl Intent for FanOut<'_> {
    type Answer = bool;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<bool, PostgresError> {
        let Self { from, to, orders } = self;
        let places: [&dyn Param; 4] = [
            &number(from.commit),
            &number(from.number),
            &number(to.commit),
            &number(to.number),
        ];
        let moved = run(tx, MOVE, &places).await? > 0;
        if moved {
            Order(orders).apply(tx).await?;
        }
        Ok(moved)
    }
}

struct Order<'a>(&'a [WebhookOrder]);

impl Intent for Order<'_> {
    type Answer = ();

    async fn apply(&self, tx: &Transaction<'_>) -> Result<(), PostgresError> {
        let webhooks: Vec<Uuid> = self.0.iter().map(|one| *one.webhook.as_uuid()).collect();
        let events: Vec<Uuid> = self.0.iter().map(|one| *one.event.as_uuid()).collect();
        let at: Vec<PgTimestamp> = self.0.iter().map(|one| PgTimestamp(one.at)).collect();
        let expire = self.0.iter().map(|one| PgTimestamp(one.expires_at));
        let expire: Vec<PgTimestamp> = expire.collect();
        run(tx, ORDER, &[&webhooks, &events, &at, &expire]).await?;
        Ok(())
    }
}
