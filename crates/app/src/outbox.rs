//! Sends the mails of the outbox, beside requests: many at once, none twice on purpose, and none left behind at a stop.

use revolve_domain::{
    deliveries::{Backlog, Delivery, InFlight, SendLimits, Settled},
    model::EmailAddress,
    ports::MailBell,
    use_cases::SendMails,
};
use revolve_observe::{
    metrics::{Gauges, Metrics},
    telemetry::chain,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{Id, JoinSet},
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long it takes at most until mails are found that another replica has committed.
const POLL: Duration = Duration::from_secs(1);
/// The most mails that are sent at once: fewer than the connections that mail servers take of one client.
const SLOTS: u32 = 40;
/// The most of them to one domain.
const SHARE: u32 = 8;
/// How much longer a lease is than an attempt, so that it can be settled.
const SLACK: Duration = Duration::from_secs(30);
/// The time between two attempts to store what became of a mail.
const PAUSE: Duration = Duration::from_millis(500);
/// How long storing it may take once the service stops.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Wakes the outbox of this process.
#[derive(Default)]
pub(crate) struct Bell(Notify);

impl MailBell for Bell {
    fn ring(&self) {
        self.0.notify_one();
    }
}

/// What the outbox had when it was counted last.
#[derive(Default)]
pub(crate) struct BacklogGauge(Mutex<(Backlog, Duration)>);

impl BacklogGauge {
    pub(crate) fn set(&self, backlog: (Backlog, Duration)) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = backlog;
    }

    fn get(&self) -> (Backlog, Duration) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reader(
        self: &Arc<Self>,
        number: fn((Backlog, Duration)) -> u64,
    ) -> impl Fn() -> usize + Send + Sync + use<> {
        let seen = Arc::clone(self);
        move || usize::try_from(number(seen.get())).unwrap_or(usize::MAX)
    }

    /// Those of webhooks.
    pub(crate) fn webhook_gauges(self: &Arc<Self>) -> Gauges {
        Gauges::new()
            .plain(
                "webhooks_waiting",
                "Events that are still to be sent to webhooks that are not switched off, due or not, of all replicas",
                self.reader(|(backlog, _)| backlog.waiting),
            )
            .plain(
                "webhooks_oldest_seconds",
                "For how long the oldest of them has waited",
                self.reader(|(_, late)| late.as_secs()),
            )
            .plain(
                "webhooks_given_up",
                "Events for webhooks that were given up and are still kept",
                self.reader(|(backlog, _)| backlog.given_up),
            )
    }

    /// What is read at each scrape.
    pub(crate) fn gauges(self: &Arc<Self>) -> Gauges {
        let read = |number: fn((Backlog, Duration)) -> u64| self.reader(number);
        Gauges::new()
            .plain(
                "deliveries_waiting",
                "Mails that are still to be sent, due or not, of all replicas",
                read(|(backlog, _)| backlog.waiting),
            )
            .plain(
                "deliveries_oldest_due_seconds",
                "For how long the oldest due mail has been due",
                read(|(_, late)| late.as_secs()),
            )
            .plain(
                "deliveries_given_up",
                "Mails that were given up and are still kept",
                read(|(backlog, _)| backlog.given_up),
            )
    }
}

/// How much is sent, where an attempt takes up to `timeout`.
pub(crate) fn limits(rate: u32, timeout: Duration) -> SendLimits {
    SendLimits {
        slots: SLOTS,
        share: SHARE,
        rate,
        lease: timeout + SLACK,
    }
}

/// The outbox of this process.
pub(crate) struct Outbox {
    pub(crate) send: SendMails,
    pub(crate) limits: SendLimits,
    pub(crate) bell: Arc<Bell>,
    pub(crate) metrics: Arc<Metrics>,
    /// How long mails that are being sent may go on when the service stops.
    pub(crate) patience: Duration,
}

/// Mails that are being sent.
struct Sending {
    in_flight: InFlight,
    tasks: JoinSet<()>,
    destinations: HashMap<Id, EmailAddress>,
    /// Whether the last look for mails failed.
    failing: bool,
}

impl Outbox {
    /// Sends what is due until `stop`; then finishes what it is sending, or leaves it to others.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let cut = CancellationToken::new();
        let mut sending = Sending {
            in_flight: InFlight::new(self.limits),
            tasks: JoinSet::new(),
            destinations: HashMap::new(),
            failing: false,
        };
        loop {
            self.fill(&mut sending, &cut).await;
            let wait = match sending.in_flight.wait(self.send.now()) {
                Duration::ZERO => POLL,
                held => held.min(POLL),
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                true = sending.ended() => {}
                () = self.bell.0.notified() => {}
                () = time::sleep(wait) => {}
            }
        }
        let finish = async { while sending.ended().await {} };
        if time::timeout(self.patience, finish).await.is_err() {
            cut.cancel();
            while sending.ended().await {}
        }
    }

    /// Begins to send what is due, as much as there is room for.
    async fn fill(&self, sending: &mut Sending, cut: &CancellationToken) {
        while let Some(request) = sending.in_flight.request(self.send.now()) {
            let until = Instant::now() + self.limits.lease;
            let leased = match self.send.lease(&request).await {
                Ok(leased) => leased,
                Err(error) => {
                    if !sending.failing {
                        tracing::warn!(error = %chain(&error), "mails can't be looked for");
                    }
                    sending.failing = true;
                    return;
                }
            };
            sending.failing = false;
            let more = sending.in_flight.begin(&leased, &request);
            for delivery in leased {
                let to = delivery.mail.to.clone();
                let attempt = Attempt {
                    send: self.send.clone(),
                    metrics: Arc::clone(&self.metrics),
                    delivery,
                    until,
                    cut: cut.clone(),
                };
                let task = sending.tasks.spawn(attempt.run());
                sending.destinations.insert(task.id(), to);
            }
            if !more {
                return;
            }
        }
    }
}

impl Sending {
    /// Waits for the end of some attempts. Answers whether there were any.
    async fn ended(&mut self) -> bool {
        let Some(first) = self.tasks.join_next_with_id().await else {
            return false;
        };
        let mut next = Some(first);
        while let Some(ended) = next {
            let id = ended.map_or_else(|panicked| panicked.id(), |(id, ())| id);
            if let Some(to) = self.destinations.remove(&id) {
                self.in_flight.end(&to);
            }
            next = self.tasks.try_join_next_with_id();
        }
        true
    }
}

/// One attempt to send one mail.
struct Attempt {
    send: SendMails,
    metrics: Arc<Metrics>,
    delivery: Delivery,
    /// When the lease runs out.
    until: Instant,
    cut: CancellationToken,
}

impl Attempt {
    async fn run(self) {
        let sent = time::timeout_at(self.until - SLACK / 2, self.send.attempt(&self.delivery));
        let settled = match self.cut.run_until_cancelled(sent).await {
            None => self.send.cut_off(),
            Some(Ok(Ok(settled))) => settled,
            // It is due again when its lease has run out.
            Some(Ok(Err(error))) => {
                self.warn(&chain(&error));
                return;
            }
            Some(Err(_)) => {
                self.warn("it took too long");
                return;
            }
        };
        self.metrics
            .deliveries
            .count(self.delivery.mail.kind, &settled);
        self.log(&settled);
        self.settle(&settled).await;
    }

    /// Stores what became of it. What was sent and can't be stored would be sent again, so that this does not give up while the lease lasts.
    async fn settle(&self, settled: &Settled) {
        let stored = async {
            while let Err(error) = self.send.settle(&self.delivery, settled).await {
                self.warn(&chain(&error));
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
        let mail = &self.delivery.mail;
        tracing::warn!(
            delivery = %mail.id,
            mail = mail.kind.as_str(),
            error,
            "what became of a mail is not stored: it may be sent again"
        );
    }

    fn log(&self, settled: &Settled) {
        let mail = &self.delivery.mail;
        let error = match settled {
            Settled::Again { error, .. } | Settled::GivenUp { error, .. } => Some(error.as_str()),
            Settled::Sent { .. } | Settled::Dropped => None,
        };
        tracing::info!(
            delivery = %mail.id,
            mail = mail.kind.as_str(),
            attempt = self.delivery.attempts,
            outcome = settled.as_str(),
            error,
            "mail"
        );
    }
}
