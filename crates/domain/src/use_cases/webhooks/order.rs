//! Events that operators have sent: a test, and what the journal has of a time.

use super::{ManageWebhooks, WebhookRefused};
use crate::{
    journal::{Actor, SecurityEvent},
    model::{EventId, Timestamp, WebhookId},
    ports::JournalQuery,
    webhooks::{Webhook, WebhookOrder},
};

/// How many entries of the journal are read at once.
const BATCH: u32 = 500;

impl ManageWebhooks {
    /// The most events of one replay.
    pub const REPLAY: usize = 10_000;

    /// Sends the event `webhook.tested` to an endpoint, whatever its filter. Answers the event's id.
    ///
    /// # Errors
    /// [`WebhookRefused`].
    pub async fn test(&self, id: WebhookId, actor: Actor) -> Result<EventId, WebhookRefused> {
        self.active(id).await?;
        let now = self.ports.clock.now();
        let told = move |(): &()| vec![SecurityEvent::WebhookTested { webhook: id }];
        let tell = self.recorder.tell(now, actor, told);
        let order = self.order(id, tell.id, now);
        self.ports.webhooks.order(&[order], &tell).await?;
        self.recorder.record(&tell, &());
        Ok(tell.id)
    }

    /// Sends what the journal has of a time, from `from` on and before `to`, to an endpoint once more: what its filter lets pass. What waits
    /// for another attempt is due now. Answers how many events.
    ///
    /// # Errors
    /// [`WebhookRefused`].
    pub async fn replay(
        &self,
        id: WebhookId,
        from: Timestamp,
        to: Timestamp,
        actor: Actor,
    ) -> Result<usize, WebhookRefused> {
        let webhook = self.active(id).await?;
        let now = self.ports.clock.now();
        if from >= to || from > now {
            return Err(WebhookRefused::NoTime);
        }
        let mut orders = Vec::new();
        let mut query = JournalQuery {
            from: Some(from),
            to: Some(to),
            limit: BATCH,
            ..JournalQuery::default()
        };
        loop {
            let page = self.ports.journal.read(&query).await?;
            query.after = page.last().map(|entry| entry.id);
            let is_last = page.len() < BATCH as usize;
            let wanted = page
                .iter()
                .filter(|entry| webhook.events.matches(&entry.event));
            orders.extend(wanted.map(|entry| self.order(id, entry.id, now)));
            if orders.len() > Self::REPLAY {
                return Err(WebhookRefused::TooMuch);
            }
            if is_last {
                break;
            }
        }
        // The oldest first.
        orders.reverse();
        let told = move |(): &()| vec![SecurityEvent::WebhookReplayed { webhook: id }];
        let tell = self.recorder.tell(now, actor, told);
        self.ports.webhooks.order(&orders, &tell).await?;
        self.recorder.record(&tell, &());
        Ok(orders.len())
    }

    fn order(&self, webhook: WebhookId, event: EventId, at: Timestamp) -> WebhookOrder {
        WebhookOrder {
            webhook,
            event,
            at,
            expires_at: at.plus(self.ports.max_age),
        }
    }

    async fn active(&self, id: WebhookId) -> Result<Webhook, WebhookRefused> {
        let webhook = self.find(id).await?;
        if webhook.disabled.is_some() {
            return Err(WebhookRefused::Disabled);
        }
        Ok(webhook)
    }
}
