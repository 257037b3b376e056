//! Webhooks and what is on its way to them. What is due is looked for by a reader: the writer is asked only if there is something.

use super::{
    SqliteStore,
    error::SqliteError,
    query::{all, exists, first, run},
};
use crate::sql::{self, SqlRow, journal_columns, webhook_columns};
use async_trait::async_trait;
use revolve_domain::{
    deliveries::{Backlog, KEPT},
    journal::Tell,
    model::{EventId, Timestamp, WebhookId},
    ports::{JournalCursor, StoreError, Webhooks},
    webhooks::{
        DisabledReason, MOST, Webhook, WebhookDelivery, WebhookLease, WebhookOrder, WebhookSettled,
    },
};
use rusqlite::{Connection, params};

/// Whether there are more than `?1`.
const ARE_MORE: &str = "SELECT 1 FROM webhooks LIMIT 1 OFFSET ?1";
const ADD: &str = "
    INSERT INTO webhooks (id, name, url, events, secret, previous_secret, previous_until, disabled, created_at, since, failing_since,
        last_error, version)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
/// An endpoint that is enabled begins anew.
const REPLACE: &str = "
    UPDATE webhooks SET name = ?2, url = ?3, events = ?4, secret = ?5, previous_secret = ?6, previous_until = ?7, disabled = ?8,
        created_at = ?9, since = ?10, version = version + 1,
        failing_since = CASE WHEN disabled IS NULL OR ?8 IS NOT NULL THEN failing_since END,
        last_error = CASE WHEN disabled IS NULL OR ?8 IS NOT NULL THEN last_error END
    WHERE id = ?1 AND version = ?13";
const BEGIN: &str = "
    INSERT INTO webhook_cursor (one, written_in, number) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING";
const FIND: &str = concat!(
    "SELECT ",
    webhook_columns!(),
    " FROM webhooks WHERE id = ?1"
);
const REMOVE: [&str; 2] = [
    "DELETE FROM webhook_deliveries WHERE webhook_id = ?1",
    "DELETE FROM webhooks WHERE id = ?1",
];
const CURSOR: &str = "SELECT written_in, number FROM webhook_cursor";
const MOVE: &str =
    "UPDATE webhook_cursor SET written_in = ?3, number = ?4 WHERE written_in = ?1 AND number = ?2";

/// Not to an endpoint that is gone. What waits or was given up begins anew.
const ORDER: &str = "
    INSERT INTO webhook_deliveries (webhook_id, event_id, created_at, next_at, expires_at)
    SELECT id, ?2, ?3, ?3, ?4 FROM webhooks WHERE id = ?1
    ON CONFLICT (webhook_id, event_id) DO UPDATE SET given_up = 0, created_at = ?3, next_at = ?3, expires_at = ?4, attempts = 0
    WHERE leased_until IS NULL";
const DUE: &str = "
    SELECT event_id FROM webhook_deliveries WHERE webhook_id = ?1 AND given_up = 0 AND next_at <= ?2 AND expires_at > ?2
    ORDER BY next_at LIMIT ?3";
/// Nothing if another process has leased it since it was seen.
const LEASE: &str = "
    UPDATE webhook_deliveries SET attempts = attempts + 1, leased_until = ?4, next_at = ?4
    WHERE webhook_id = ?1 AND event_id = ?2 AND given_up = 0 AND next_at <= ?3";
const LEASED: &str = concat!(
    "SELECT d.webhook_id, d.attempts, d.expires_at, ",
    journal_columns!(),
    " FROM webhook_deliveries d JOIN journal j ON j.id = d.event_id WHERE d.webhook_id = ?1 AND d.event_id = ?2"
);

const IS_LEASED: &str = "
    SELECT 1 FROM webhook_deliveries
    WHERE webhook_id = ?1 AND event_id = ?2 AND attempts = ?3 AND leased_until IS NOT NULL AND given_up = 0";
const SENT: &str = "DELETE FROM webhook_deliveries WHERE webhook_id = ?1 AND event_id = ?2";
const WORKS: &str = "
    UPDATE webhooks SET failing_since = NULL, last_error = NULL
    WHERE id = ?1 AND (failing_since IS NOT NULL OR last_error IS NOT NULL)";
const AGAIN: &str = "
    UPDATE webhook_deliveries SET next_at = ?3, leased_until = NULL WHERE webhook_id = ?1 AND event_id = ?2";
const GIVE_UP: &str = "
    UPDATE webhook_deliveries SET given_up = 1, leased_until = NULL, expires_at = ?3 WHERE webhook_id = ?1 AND event_id = ?2";
const FAILS: &str = "UPDATE webhooks SET failing_since = coalesce(failing_since, ?2), last_error = ?3 WHERE id = ?1";
const SWITCH_OFF: &str = "
    UPDATE webhooks SET disabled = ?2, version = version + 1 WHERE id = ?1 AND disabled IS NULL AND (?3 IS NULL OR failing_since <= ?3)";
/// What was given up says nothing about what comes later.
const FORGIVE: &str = "UPDATE webhooks SET failing_since = NULL WHERE id = ?1";

const PRUNE: &str = "
    DELETE FROM webhook_deliveries WHERE (webhook_id, event_id) IN (
        SELECT webhook_id, event_id FROM webhook_deliveries
        WHERE given_up IN (0, 1) AND expires_at <= ?1 AND (leased_until IS NULL OR leased_until <= ?1) LIMIT ?2)";

#[async_trait]
impl Webhooks for SqliteStore {
    async fn add(
        &self,
        webhook: &Webhook,
        from: JournalCursor,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        let webhook = webhook.clone();
        self.change("add a webhook", tell, move |conn| {
            if exists(conn, ARE_MORE, [number(MOST as u64 - 1)])? {
                return Ok(false);
            }
            put(conn, ADD, &webhook)?;
            run(conn, BEGIN, [number(from.commit), number(from.number)])?;
            Ok(true)
        })
        .await
    }

    async fn list(&self) -> Result<Vec<Webhook>, StoreError> {
        self.read("list webhooks", |conn| {
            all(conn, sql::LIST_WEBHOOKS, [], sql::webhook)
        })
        .await
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.read("read a webhook", move |conn| {
            first(conn, FIND, [id.to_string()], sql::webhook)
        })
        .await
    }

    async fn replace(&self, webhook: &Webhook, tell: &Tell<bool>) -> Result<bool, StoreError> {
        let webhook = webhook.clone();
        self.change("change a webhook", tell, move |conn| {
            Ok(put(conn, REPLACE, &webhook)? > 0)
        })
        .await
    }

    async fn remove(&self, id: WebhookId, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.change("delete a webhook", tell, move |conn| {
            let [deliveries, webhook] = REMOVE;
            run(conn, deliveries, [id.to_string()])?;
            Ok(run(conn, webhook, [id.to_string()])? > 0)
        })
        .await
    }

    async fn cursor(&self) -> Result<Option<JournalCursor>, StoreError> {
        self.read("read the webhooks' cursor", |conn| {
            first(conn, CURSOR, [], sql::cursor)
        })
        .await
    }

    async fn fan_out(
        &self,
        from: JournalCursor,
        to: JournalCursor,
        orders: &[WebhookOrder],
    ) -> Result<bool, StoreError> {
        let orders = orders.to_vec();
        self.write("order events for webhooks", move |conn| {
            let places = [from.commit, from.number, to.commit, to.number].map(number);
            let moved = run(conn, MOVE, places)? > 0;
            if moved {
                order(conn, &orders)?;
            }
            Ok(moved)
        })
        .await
    }

    async fn order(&self, orders: &[WebhookOrder], tell: &Tell<()>) -> Result<(), StoreError> {
        let orders = orders.to_vec();
        self.change("order events for a webhook", tell, move |conn| {
            order(conn, &orders)
        })
        .await
    }

    async fn lease(&self, request: &WebhookLease) -> Result<Vec<WebhookDelivery>, StoreError> {
        let asked = request.clone();
        let due = self
            .read("look for events for webhooks", move |conn| {
                due(conn, &asked)
            })
            .await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let (at, until) = (request.at.as_millis(), request.until.as_millis());
        self.write("lease events for webhooks", move |conn| {
            let mut leased = Vec::new();
            for (webhook, event) in &due {
                let (webhook, event) = (webhook.to_string(), event.to_string());
                if run(conn, LEASE, params![webhook, event, at, until])? > 0 {
                    let row = first(
                        conn,
                        LEASED,
                        [webhook, event],
                        sql::readable_webhook_delivery,
                    )?;
                    leased.extend(row.flatten());
                }
            }
            Ok(leased)
        })
        .await
    }

    async fn settle(
        &self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
        at: Timestamp,
        tell: &Tell<Option<DisabledReason>>,
    ) -> Result<Option<DisabledReason>, StoreError> {
        let (delivery, settled) = (delivery.clone(), settled.clone());
        self.change("settle an event for a webhook", tell, move |conn| {
            settle(conn, &delivery, &settled, at)
        })
        .await
    }

    async fn backlogs(&self) -> Result<Vec<(WebhookId, Backlog)>, StoreError> {
        self.read("count events for webhooks", |conn| {
            all(conn, sql::WEBHOOK_BACKLOGS, [], sql::webhook_backlog)
        })
        .await
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write("prune events for webhooks", move |conn| {
            run(conn, PRUNE, params![at.as_millis(), limit]).map(|rows| rows as u64)
        })
        .await
    }
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn put(conn: &Connection, sql: &str, webhook: &Webhook) -> Result<usize, SqliteError> {
    let previous = webhook.previous.as_ref();
    let row = params![
        webhook.id.to_string(),
        webhook.name.as_str(),
        webhook.url.as_str(),
        webhook.events.to_string(),
        webhook.secret.as_bytes(),
        previous.map(|old| old.secret.as_bytes()),
        previous.map(|old| old.until.as_millis()),
        webhook.disabled.map(DisabledReason::as_str),
        webhook.created_at.as_millis(),
        webhook.since.as_millis(),
        webhook.failing_since.map(Timestamp::as_millis),
        webhook.last_error,
        webhook.version,
    ];
    run(conn, sql, row)
}

fn order(conn: &Connection, orders: &[WebhookOrder]) -> Result<(), SqliteError> {
    for order in orders {
        let row = params![
            order.webhook.to_string(),
            order.event.to_string(),
            order.at.as_millis(),
            order.expires_at.as_millis(),
        ];
        run(conn, ORDER, row)?;
    }
    Ok(())
}

fn due(
    conn: &Connection,
    request: &WebhookLease,
) -> Result<Vec<(WebhookId, EventId)>, SqliteError> {
    let mut due = Vec::new();
    for (webhook, room) in &request.rooms {
        let asked = params![webhook.to_string(), request.at.as_millis(), room];
        let found = all(conn, DUE, asked, |row: &dyn SqlRow| {
            let row = sql::RowReader::new(row, "webhook_deliveries", "event_id");
            row.required("event_id", SqlRow::uuid)
        })?;
        due.extend(
            found
                .into_iter()
                .map(|id| (*webhook, EventId::from_uuid(id))),
        );
    }
    Ok(due)
}

fn settle(
    conn: &Connection,
    delivery: &WebhookDelivery,
    settled: &WebhookSettled,
    at: Timestamp,
) -> Result<Option<DisabledReason>, SqliteError> {
    let (id, event) = (delivery.webhook.to_string(), delivery.event.id.to_string());
    let now = at.as_millis();
    let ours = exists(conn, IS_LEASED, params![id, event, delivery.attempts])?;
    let fails = |error: &str| run(conn, FAILS, params![id, now, error]);
    let switch_off = |reason: DisabledReason, since: Option<Timestamp>| {
        let since = since.map(Timestamp::as_millis);
        let done = run(conn, SWITCH_OFF, params![id, reason.as_str(), since])?;
        Ok::<_, SqliteError>((done > 0).then_some(reason))
    };
    let kept = at.plus(KEPT).as_millis();
    match settled {
        WebhookSettled::Sent => {
            if run(conn, SENT, params![id, event])? > 0 {
                run(conn, WORKS, [&id])?;
            }
            Ok(None)
        }
        _ if !ours => Ok(None),
        WebhookSettled::CutOff => {
            run(conn, AGAIN, params![id, event, now])?;
            Ok(None)
        }
        WebhookSettled::Failed {
            error,
            next_at,
            failing_since,
        } => {
            fails(error)?;
            let reason = switch_off(DisabledReason::Failing, Some(*failing_since))?;
            if let Some(next) = next_at {
                run(conn, AGAIN, params![id, event, next.as_millis()])?;
            } else {
                run(conn, GIVE_UP, params![id, event, kept])?;
                if reason.is_none() {
                    run(conn, FORGIVE, [&id])?;
                }
            }
            Ok(reason)
        }
        WebhookSettled::Gone { error } => {
            fails(error)?;
            run(conn, GIVE_UP, params![id, event, kept])?;
            switch_off(DisabledReason::Gone, None)
        }
    }
}
