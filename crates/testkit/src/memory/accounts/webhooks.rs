//! Webhooks and what is on its way to them.

use super::{MemoryAccounts, MemoryTables};
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
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct WebhookTables {
    webhooks: BTreeMap<WebhookId, Webhook>,
    deliveries: BTreeMap<(WebhookId, EventId), Row>,
    cursor: Option<JournalCursor>,
}

#[derive(Debug)]
struct Row {
    given_up: bool,
    created_at: Timestamp,
    expires_at: Timestamp,
    next_at: Timestamp,
    leased_until: Option<Timestamp>,
    attempts: u32,
}

impl WebhookTables {
    fn order(&mut self, orders: &[WebhookOrder]) {
        for order in orders {
            let key = (order.webhook, order.event);
            let row = self.deliveries.get(&key);
            let is_leased = row.is_some_and(|row| row.leased_until.is_some());
            if is_leased || !self.webhooks.contains_key(&order.webhook) {
                continue;
            }
            let row = Row {
                given_up: false,
                created_at: order.at,
                expires_at: order.expires_at,
                next_at: order.at,
                leased_until: None,
                attempts: 0,
            };
            self.deliveries.insert(key, row);
        }
    }

    fn settle(
        &mut self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
        at: Timestamp,
    ) -> Option<DisabledReason> {
        let key = (delivery.webhook, delivery.event.id);
        let webhook = self.webhooks.get_mut(&delivery.webhook)?;
        if *settled == WebhookSettled::Sent {
            if self.deliveries.remove(&key).is_some() {
                (webhook.failing_since, webhook.last_error) = (None, None);
            }
            return None;
        }
        let is_ours = |row: &&mut Row| {
            row.attempts == delivery.attempts && row.leased_until.is_some() && !row.given_up
        };
        let row = self.deliveries.get_mut(&key).filter(is_ours)?;
        row.leased_until = None;
        let (error, next_at, reason, since) = match settled {
            WebhookSettled::Sent | WebhookSettled::CutOff => {
                row.next_at = at;
                return None;
            }
            WebhookSettled::Failed {
                error,
                next_at,
                failing_since,
            } => (
                error,
                *next_at,
                DisabledReason::Failing,
                Some(*failing_since),
            ),
            WebhookSettled::Gone { error } => (error, None, DisabledReason::Gone, None),
        };
        if let Some(next) = next_at {
            row.next_at = next;
        } else {
            row.given_up = true;
            row.expires_at = at.plus(KEPT);
        }
        let failing_since = *webhook.failing_since.get_or_insert(at);
        webhook.last_error = Some(error.clone());
        if webhook.disabled.is_none() && since.is_none_or(|since| failing_since <= since) {
            webhook.disabled = Some(reason);
            webhook.version += 1;
            return Some(reason);
        }
        if next_at.is_none() && reason == DisabledReason::Failing {
            webhook.failing_since = None;
        }
        None
    }
}

impl MemoryTables {
    fn lease(&mut self, request: &WebhookLease) -> Vec<WebhookDelivery> {
        let mut leased = Vec::new();
        for (webhook, room) in &request.rooms {
            let rows = &mut self.webhooks.deliveries;
            let mut due: Vec<_> = rows
                .iter_mut()
                .filter(|((id, _), row)| id == webhook && !row.given_up)
                .filter(|(_, row)| row.next_at <= request.at && row.expires_at > request.at)
                .collect();
            due.sort_by_key(|(_, row)| row.next_at);
            for ((_, event), row) in due.into_iter().take(*room as usize) {
                row.attempts += 1;
                (row.leased_until, row.next_at) = (Some(request.until), request.until);
                leased.extend(self.journal.find(*event).map(|event| WebhookDelivery {
                    webhook: *webhook,
                    event,
                    attempts: row.attempts,
                    expires_at: row.expires_at,
                }));
            }
        }
        leased
    }
}

#[async_trait]
impl Webhooks for MemoryAccounts {
    async fn add(
        &self,
        webhook: &Webhook,
        from: JournalCursor,
        tell: &Tell<bool>,
    ) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let tables = &mut tables.webhooks;
            if tables.webhooks.len() >= MOST {
                return false;
            }
            tables.webhooks.insert(webhook.id, webhook.clone());
            tables.cursor.get_or_insert(from);
            true
        })
    }

    async fn list(&self) -> Result<Vec<Webhook>, StoreError> {
        let tables = self.tables();
        let mut all: Vec<_> = tables.webhooks.webhooks.values().cloned().collect();
        all.sort_by_key(|webhook| (webhook.created_at, webhook.id));
        Ok(all)
    }

    async fn find(&self, id: WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.tables().webhooks.webhooks.get(&id).cloned())
    }

    async fn replace(&self, webhook: &Webhook, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let known = tables.webhooks.webhooks.get_mut(&webhook.id);
            let Some(known) = known.filter(|known| known.version == webhook.version) else {
                return false;
            };
            let is_enabled = known.disabled.is_some() && webhook.disabled.is_none();
            *known = Webhook {
                version: webhook.version + 1,
                failing_since: known.failing_since.filter(|_| !is_enabled),
                last_error: known.last_error.take().filter(|_| !is_enabled),
                ..webhook.clone()
            };
            true
        })
    }

    async fn remove(&self, id: WebhookId, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let tables = &mut tables.webhooks;
            tables.deliveries.retain(|(webhook, _), _| *webhook != id);
            tables.webhooks.remove(&id).is_some()
        })
    }

    async fn cursor(&self) -> Result<Option<JournalCursor>, StoreError> {
        Ok(self.tables().webhooks.cursor)
    }

    async fn fan_out(
        &self,
        from: JournalCursor,
        to: JournalCursor,
        orders: &[WebhookOrder],
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let tables = &mut tables.webhooks;
        if tables.cursor != Some(from) {
            return Ok(false);
        }
        tables.cursor = Some(to);
        tables.order(orders);
        Ok(true)
    }

    async fn order(&self, orders: &[WebhookOrder], tell: &Tell<()>) -> Result<(), StoreError> {
        self.change(tell, |tables| tables.webhooks.order(orders))
    }

    async fn lease(&self, request: &WebhookLease) -> Result<Vec<WebhookDelivery>, StoreError> {
        Ok(self.tables().lease(request))
    }

    async fn settle(
        &self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
        at: Timestamp,
        tell: &Tell<Option<DisabledReason>>,
    ) -> Result<Option<DisabledReason>, StoreError> {
        self.change(tell, |tables| tables.webhooks.settle(delivery, settled, at))
    }

    async fn backlogs(&self) -> Result<Vec<(WebhookId, Backlog)>, StoreError> {
        let mut backlogs: BTreeMap<WebhookId, Backlog> = BTreeMap::new();
        for ((webhook, _), row) in &self.tables().webhooks.deliveries {
            let backlog = backlogs.entry(*webhook).or_default();
            if row.given_up {
                backlog.given_up += 1;
            } else {
                backlog.waiting += 1;
                let first = backlog.oldest_due.unwrap_or(row.created_at);
                backlog.oldest_due = Some(first.min(row.created_at));
            }
        }
        Ok(backlogs.into_iter().collect())
    }

    async fn prune(&self, at: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut pruned = 0;
        self.tables().webhooks.deliveries.retain(|_, row| {
            let is_leased = row.leased_until.is_some_and(|until| until > at);
            let goes = row.expires_at <= at && !is_leased && pruned < u64::from(limit);
            pruned += u64::from(goes);
            !goes
        });
        Ok(pruned)
    }
}
