//! Sends events to webhooks, beside requests: follows the journal, and gives each endpoint its own few places, so that none holds up another.

use crate::outbox::BacklogGauge;
use revolve_domain::{
    model::WebhookId,
    use_cases::SendWebhooks,
    webhooks::{WebhookDelivery, WebhookSettled},
};
use revolve_observe::{metrics::Metrics, telemetry::chain};
use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

#[cfg(test)]
mod tests;

/// How long it takes at most until an event is found.
const POLL: Duration = Duration::from_secs(1);
/// The time between two attempts to store what became of an event.
const PAUSE: Duration = Duration::from_millis(500);
/// How long storing it may take once the service stops.
const LAST_TRY: Duration = Duration::from_secs(2);
/// How much longer a lease is than an attempt, so that it can be settled.
pub(crate) const SLACK: Duration = Duration::from_secs(30);

/// The webhooks of this process.
pub(crate) struct Webhooks {
    pub(crate) send: SendWebhooks,
    pub(crate) metrics: Arc<Metrics>,
    /// How long an attempt may take.
    pub(crate) timeout: Duration,
    /// How long events that are being sent may go on when the service stops.
    pub(crate) patience: Duration,
}

/// Events that are being sent.
#[derive(Default)]
struct Sending {
    tasks: JoinSet<()>,
    endpoints: HashMap<Id, WebhookId>,
    held: HashMap<WebhookId, u32>,
    /// Whether the last look for events failed.
    failing: bool,
}

impl Webhooks {
    /// Sends what is due until `stop`; then finishes what it is sending, or leaves it to others.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let cut = CancellationToken::new();
        let mut sending = Sending::default();
        let mut ticks = time::interval(POLL);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Before what has ended: as long as much is sent, something always has.
                _ = ticks.tick() => {
                    if self.follow(&mut sending).await {
                        ticks.reset_immediately();
                    }
                }
                true = sending.ended() => {}
            }
            sending.clear();
            self.fill(&mut sending, &cut).await;
        }
        let finish = async { while sending.ended().await {} };
        if time::timeout(self.patience, finish).await.is_err() {
            cut.cancel();
            while sending.ended().await {}
        }
    }

    /// Orders a batch of what the journal has new. Answers whether there may be more: a turn is short, so that a stop never waits for a long
    /// journal, and what is ordered is sent meanwhile.
    async fn follow(&self, sending: &mut Sending) -> bool {
        self.send.fan_out().await.unwrap_or_else(|error| {
            sending.warn(&error);
            false
        })
    }

    /// Begins to send what is due, as much as there is room for.
    async fn fill(&self, sending: &mut Sending, cut: &CancellationToken) {
        let until = Instant::now() + self.timeout + SLACK;
        let leased = match self.send.lease(&sending.held).await {
            Ok(leased) => leased,
            Err(error) => return sending.warn(&error),
        };
        sending.failing = false;
        for delivery in leased {
            let webhook = delivery.webhook;
            let attempt = Attempt {
                send: self.send.clone(),
                metrics: Arc::clone(&self.metrics),
                delivery,
                until,
                cut: cut.clone(),
            };
            let task = sending.tasks.spawn(attempt.run());
            sending.endpoints.insert(task.id(), webhook);
            *sending.held.entry(webhook).or_default() += 1;
        }
    }
}

impl Sending {
    fn warn(&mut self, error: &(dyn Error + 'static)) {
        if !self.failing {
            tracing::warn!(error = %chain(error), "events for webhooks can't be looked for");
        }
        self.failing = true;
    }

    /// Waits for the end of some attempts. Answers whether there were any.
    async fn ended(&mut self) -> bool {
        let Some(first) = self.tasks.join_next_with_id().await else {
            return false;
        };
        self.free(first);
        self.clear();
        true
    }

    /// Frees the places of all attempts that have ended.
    fn clear(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.free(ended);
        }
    }

    fn free(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
        if let Some(webhook) = self.endpoints.remove(&id)
            && let Some(held) = self.held.get_mut(&webhook)
        {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&webhook);
            }
        }
    }
}

/// One attempt to send one event.
struct Attempt {
    send: SendWebhooks,
    metrics: Arc<Metrics>,
    delivery: WebhookDelivery,
    /// When the lease runs out.
    until: Instant,
    cut: CancellationToken,
}

impl Attempt {
    async fn run(self) {
        let sent = time::timeout_at(self.until - SLACK / 2, self.send.attempt(&self.delivery));
        let settled = match self.cut.run_until_cancelled(sent).await {
            None => WebhookSettled::CutOff,
            Some(Ok(Ok(Some(settled)))) => settled,
            // The endpoint was deleted, and this with it.
            Some(Ok(Ok(None))) => return,
            // It is due again when its lease has run out.
            Some(Ok(Err(error))) => return self.warn(&chain(&error)),
            Some(Err(_)) => return self.warn("it took too long"),
        };
        self.metrics.webhooks.count(&settled);
        self.log(&settled);
        self.settle(&settled).await;
    }

    /// Stores what became of it. What was sent and can't be stored would be sent again, so that this does not give up while the lease lasts.
    async fn settle(&self, settled: &WebhookSettled) {
        let stored = async {
            loop {
                match self.send.settle(&self.delivery, settled).await {
                    Ok(None) => return,
                    Ok(Some(cause)) => {
                        let (webhook, cause) = (self.delivery.webhook, cause.as_str());
                        tracing::warn!(%webhook, cause, "a webhook was switched off");
                        return;
                    }
                    Err(error) => self.warn(&chain(&error)),
                }
                time::sleep(PAUSE).await;
            }
        };
        let stopped = async {
            self.cut.cancelled().await;
            time::sleep(LAST_TRY).await;
        };
        tokio::select! {
            biased;
            () = stored => {}
            () = stopped => {}
            () = time::sleep_until(self.until) => {}
        }
    }

    fn warn(&self, error: &str) {
        tracing::warn!(
            webhook = %self.delivery.webhook,
            event = %self.delivery.event.id,
            error,
            "what became of an event for a webhook is not stored: it may be sent again"
        );
    }

    fn log(&self, settled: &WebhookSettled) {
        let error = match settled {
            WebhookSettled::Failed { error, .. } | WebhookSettled::Gone { error } => {
                Some(error.as_str())
            }
            WebhookSettled::Sent | WebhookSettled::CutOff => None,
        };
        tracing::info!(
            webhook = %self.delivery.webhook,
            event = %self.delivery.event.id,
            attempt = self.delivery.attempts,
            outcome = settled.as_str(),
            error,
            "webhook"
        );
    }
}

/// Counts what is on its way, and deletes what is not kept any longer, once.
pub(crate) async fn look_after(send: &SendWebhooks, seen: &BacklogGauge, prune: bool) {
    match send.backlog().await {
        Ok(backlog) => seen.set(backlog),
        Err(error) => {
            tracing::debug!(error = %chain(&error), "events for webhooks can't be counted");
        }
    }
    if !prune {
        return;
    }
    loop {
        match send.prune().await {
            Ok(rows) if rows >= u64::from(SendWebhooks::BATCH) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "old events for webhooks could not be deleted");
                return;
            }
        }
    }
}
