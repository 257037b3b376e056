//! Follows the journal, and sends events to endpoints.

use super::WebhookPorts;
use crate::{
    deliveries::{Backlog, LONGEST_PAUSE, pause},
    journal::{Actor, MailFacts, MailKind, NewMail, SecurityEvent, Told},
    model::{DeliveryId, EmailAddress, Timestamp, WebhookId},
    ports::{CallError, JournalCursor, SecretFault, StoreError, WebhookCall, WebhookReply},
    use_cases::parts::Recorder,
    webhooks::{
        DisabledReason, SHARE, Webhook, WebhookDelivery, WebhookLease, WebhookOrder, WebhookSettled,
    },
};
use std::{collections::HashMap, error::Error, time::Duration};

/// The most characters of a reason that are stored.
const REASON: usize = 300;

/// How patient the sender is, and whom it tells.
#[derive(Clone, Debug)]
pub struct WebhookPolicy {
    /// An endpoint that takes nothing for so long is switched off.
    pub disable_after: Duration,
    /// How long a lease lasts: longer than any attempt takes.
    pub lease: Duration,
    /// Who gets a mail then, and for how long that is tried.
    pub notify: Option<(EmailAddress, Duration)>,
}

/// Sends events. Whoever calls it decides when.
#[derive(Clone)]
pub struct SendWebhooks {
    ports: WebhookPorts,
    policy: WebhookPolicy,
    recorder: Recorder,
}

impl SendWebhooks {
    /// How many entries of the journal are looked at, or rows deleted, at once.
    pub const BATCH: u32 = 500;
    /// How far the cursor may be behind while there is no endpoint.
    const BEHIND: u64 = 1000;

    /// Sends through these ports.
    pub fn new(ports: WebhookPorts, policy: WebhookPolicy) -> Self {
        Self {
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), None),
            ports,
            policy,
        }
    }

    /// Orders what the journal has new for the endpoints, up to a batch. Answers whether there may be more. Any number of replicas may do it at
    /// once: each entry is looked at by the one that moves the cursor past it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is lost.
    pub async fn fan_out(&self) -> Result<bool, StoreError> {
        let (webhooks, journal) = (&self.ports.webhooks, &self.ports.journal);
        let Some(from) = webhooks.cursor().await? else {
            return Ok(false);
        };
        let active = self.active().await?;
        if active.is_empty() {
            let now = journal.follow(None, 0).await?.cursor;
            // Looked at once more: an endpoint that was made before `now` must not lose what came in between.
            if is_far(from, now) && self.active().await?.is_empty() {
                webhooks.fan_out(from, now, &[]).await?;
            }
            return Ok(false);
        }
        let followed = journal.follow(Some(from), Self::BATCH).await?;
        if followed.entries.is_empty() {
            // After a restore onto another server the numbers of commits begin anew.
            let now = journal.follow(None, 0).await?.cursor;
            if from.commit > now.commit {
                webhooks.fan_out(from, now, &[]).await?;
            }
            return Ok(false);
        }
        let at = self.ports.clock.now();
        let mut orders = Vec::new();
        for entry in &followed.entries {
            let wanting = active.iter().filter(|webhook| webhook.wants(entry));
            orders.extend(wanting.map(|webhook| WebhookOrder {
                webhook: webhook.id,
                event: entry.id,
                at,
                expires_at: at.plus(self.ports.max_age),
            }));
        }
        webhooks.fan_out(from, followed.cursor, &orders).await?;
        Ok(followed.entries.len() >= Self::BATCH as usize)
    }

    async fn active(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut all = self.ports.webhooks.list().await?;
        all.retain(|webhook| webhook.disabled.is_none());
        Ok(all)
    }

    /// Leases what is due to endpoints that have room: [`SHARE`] each, less what this replica is sending to them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(
        &self,
        sending: &HashMap<WebhookId, u32>,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        let room = |id: WebhookId| {
            let room = SHARE.saturating_sub(sending.get(&id).copied().unwrap_or_default());
            (room > 0).then_some((id, room))
        };
        let active = self.active().await?;
        let rooms: Vec<_> = active.iter().filter_map(|one| room(one.id)).collect();
        if rooms.is_empty() {
            return Ok(Vec::new());
        }
        let at = self.ports.clock.now();
        let until = at.plus(self.policy.lease);
        let request = WebhookLease { at, until, rooms };
        self.ports.webhooks.lease(&request).await
    }

    /// Sends one and answers what became of it, which must be stored by [`Self::settle`]; `None` if its endpoint is gone.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was sent.
    pub async fn attempt(
        &self,
        delivery: &WebhookDelivery,
    ) -> Result<Option<WebhookSettled>, StoreError> {
        let Some(webhook) = self.ports.webhooks.find(delivery.webhook).await? else {
            return Ok(None);
        };
        // It was switched off since the lease.
        if webhook.disabled.is_some() {
            return Ok(Some(WebhookSettled::CutOff));
        }
        let at = self.ports.clock.now();
        let secrets: Result<Vec<_>, SecretFault> = webhook
            .secrets(at)
            .map(|sealed| self.ports.secrets.open(webhook.id, sealed))
            .collect();
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(fault) => return Ok(Some(self.failed(delivery, reason(&fault), None))),
        };
        let call = WebhookCall {
            url: &webhook.url,
            event: &delivery.event,
            at,
            secrets,
        };
        Ok(Some(match self.ports.sender.send(&call).await {
            Ok(reply) => self.answered(delivery, reply),
            Err(CallError::Target(refused)) => {
                self.failed(delivery, format!("not sent: {refused}"), None)
            }
            Err(error) => self.failed(delivery, reason(&error), None),
        }))
    }

    fn answered(&self, delivery: &WebhookDelivery, reply: WebhookReply) -> WebhookSettled {
        let error = format!("it answered {}", reply.status);
        match reply.status {
            200..=299 => WebhookSettled::Sent,
            410 => WebhookSettled::Gone { error },
            // Those with which `Retry-After` tells of the next attempt (RFC 6585 §4, RFC 9110 §15.6.4).
            429 | 503 => self.failed(delivery, error, reply.retry_after),
            _ => self.failed(delivery, error, None),
        }
    }

    /// It is tried again after a pause, which is no shorter than the endpoint asks for, up to the longest.
    fn failed(
        &self,
        delivery: &WebhookDelivery,
        error: String,
        asked: Option<Duration>,
    ) -> WebhookSettled {
        let now = self.ports.clock.now();
        let asked = asked.unwrap_or_default().min(LONGEST_PAUSE);
        let pause = pause(delivery.attempts, self.ports.entropy.bytes());
        let next = now.plus(pause.max(asked));
        WebhookSettled::Failed {
            error,
            next_at: (next < delivery.expires_at).then_some(next),
            failing_since: now.minus(self.policy.disable_after),
        }
    }

    /// Stores what became of one. Answers why its endpoint was switched off, if it was by this.
    ///
    /// # Errors
    /// [`StoreError`]. What was sent may be sent once more if this is not tried again before the lease has run out.
    pub async fn settle(
        &self,
        delivery: &WebhookDelivery,
        settled: &WebhookSettled,
    ) -> Result<Option<DisabledReason>, StoreError> {
        let (webhook, now) = (delivery.webhook, self.ports.clock.now());
        let mail = self.mail(webhook, now);
        let told = move |disabled: &Option<DisabledReason>| match *disabled {
            None => Told::default(),
            Some(cause) => Told {
                events: vec![SecurityEvent::WebhookDisabled { webhook, cause }],
                mails: mail.iter().cloned().collect(),
            },
        };
        let tell = self.recorder.tell(now, Actor::System, told);
        let webhooks = &self.ports.webhooks;
        let disabled = webhooks.settle(delivery, settled, now, &tell).await?;
        self.recorder.record(&tell, &disabled);
        Ok(disabled)
    }

    fn mail(&self, webhook: WebhookId, at: Timestamp) -> Option<NewMail> {
        let (to, max_age) = self.policy.notify.clone()?;
        Some(NewMail {
            id: DeliveryId::from_random(self.ports.entropy.bytes()),
            kind: MailKind::WebhookDisabled,
            to,
            locale: None,
            user: None,
            proof: None,
            facts: MailFacts {
                at: Some(at),
                subject: Some(webhook.to_string()),
                ..MailFacts::default()
            },
            expires_at: at.plus(max_age),
        })
    }

    /// What is on its way to endpoints that are not switched off, and for how long the oldest has been; and what was given up, to whichever.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn backlog(&self) -> Result<(Backlog, Duration), StoreError> {
        let active = self.active().await?;
        let mut all = Backlog::default();
        for (id, one) in self.ports.webhooks.backlogs().await? {
            all.given_up += one.given_up;
            if !active.iter().any(|webhook| webhook.id == id) {
                continue;
            }
            all.waiting += one.waiting;
            all.oldest_due = match (all.oldest_due, one.oldest_due) {
                (Some(first), Some(other)) => Some(first.min(other)),
                (first, other) => first.or(other),
            };
        }
        let now = self.ports.clock.now();
        Ok((
            all,
            all.oldest_due.map_or(Duration::ZERO, |due| now.since(due)),
        ))
    }

    /// Deletes what is not kept any longer, up to a batch; answers how many rows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let webhooks = &self.ports.webhooks;
        webhooks.prune(self.ports.clock.now(), Self::BATCH).await
    }
}

/// Whether the cursor should be moved although nobody waits for what is in between.
fn is_far(from: JournalCursor, now: JournalCursor) -> bool {
    from.commit > now.commit
        || now.commit - from.commit >= SendWebhooks::BEHIND
        || (now.commit == from.commit
            && now.number.saturating_sub(from.number) >= SendWebhooks::BEHIND)
}

/// The error with its sources, on one line.
fn reason(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        let source = error.to_string();
        if !text.ends_with(&source) {
            text = format!("{text}: {source}");
        }
        next = error.source();
    }
    let visible = text.chars().filter(|c| !c.is_control());
    visible.take(REASON).collect()
}
