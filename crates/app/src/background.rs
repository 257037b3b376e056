//! What goes on beside requests: clearing the white list after an outage, pruning old rows, noting events, keeping the keys.

use crate::{
    keys::{self, LiveKeys},
    outbox::{BacklogGauge, Outbox},
    webhooks::{Webhooks, look_after},
};
use actix_web::dev::Server;
use revolve_domain::{
    ports::{Clearing, Clearings, Journal, StoreErrorKind},
    use_cases::{ApplyFactorResets, Clear, ManageDeliveries, NotedEvents, Prune, SendWebhooks},
};
use revolve_http::Feed;
use revolve_listener::Certificate;
use revolve_observe::{
    metrics::{Labels, lossy},
    telemetry::chain,
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, task, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Clearings that may wait in each queue.
const WAITING: usize = 10_000;
/// The least and the greatest time between attempts.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// The time between two writes of notes into the journal.
const NOTE_EVERY: Duration = Duration::from_secs(1);
/// The time between two searches for old rows.
const PRUNE_EVERY: Duration = Duration::from_mins(10);
/// The time between two searches for resets of factors that are due.
const RESET_EVERY: Duration = Duration::from_secs(10);
/// The time between two counts of the outbox.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// After how many counts its old rows are deleted.
const PRUNE_AFTER: u32 = 20;
/// How long use cases may go on after the stop began whose clients had hung up before.
const HUNG_UP: Duration = Duration::from_secs(1);
/// How long the clearings that still wait when the service stops may take; each is tried once.
const LAST_TRY: Duration = Duration::from_secs(2);

/// Takes clearings, those of either store apart, so that an outage of one does not hold up the other.
pub(crate) struct ClearingQueue {
    white_list: mpsc::Sender<Clearing>,
    rows: mpsc::Sender<Clearing>,
}

/// The ends to work from.
pub(crate) type Waiting = [mpsc::Receiver<Clearing>; 2];

impl ClearingQueue {
    /// The queue and the ends to work from.
    pub(crate) fn new() -> (Self, Waiting) {
        let (white_list, entries) = mpsc::channel(WAITING);
        let (rows, ends) = mpsc::channel(WAITING);
        (Self { white_list, rows }, [entries, ends])
    }
}

impl ClearingQueue {
    /// How many clearings wait in each queue.
    pub(crate) fn lengths(&self) -> Vec<(Labels, f64)> {
        let length =
            |queue: &mpsc::Sender<Clearing>| lossy(queue.max_capacity() - queue.capacity());
        vec![
            (vec![("queue", "white_list")], length(&self.white_list)),
            (vec![("queue", "rows")], length(&self.rows)),
        ]
    }
}

impl Clearings for ClearingQueue {
    fn defer(&self, clearing: Clearing) {
        let queue = if matches!(clearing, Clearing::Row { .. }) {
            &self.rows
        } else {
            &self.white_list
        };
        if let Err(error) = queue.try_send(clearing) {
            tracing::warn!(clearing = %error.into_inner(), "too many clearings wait; one was dropped");
        }
    }
}

/// The tasks and how to stop them.
#[derive(Clone, Default)]
pub(crate) struct Background {
    tasks: TaskTracker,
    /// Use cases that handlers have begun.
    in_flight: TaskTracker,
    stop: CancellationToken,
    /// Comes before `stop`.
    stop_sending: CancellationToken,
}

impl Background {
    /// Follows the files of the listener's certificate.
    pub(crate) fn follow(&self, certificate: Arc<Certificate>, every: Duration) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            while stop.run_until_cancelled(time::sleep(every)).await.is_some() {
                let certificate = Arc::clone(&certificate);
                if let Ok(Err(error)) = task::spawn_blocking(move || certificate.reload()).await {
                    tracing::warn!(
                        error = %chain(&error),
                        "the listener's certificate stays what it was"
                    );
                }
            }
        });
    }

    /// Works off clearings, in order, each until it is done or can't be.
    pub(crate) fn clear(&self, waiting: Waiting, clear: &Clear) {
        for mut queue in waiting {
            let (clear, stop) = (clear.clone(), self.stop.clone());
            self.tasks.spawn(async move {
                while let Some(Some(clearing)) = stop.run_until_cancelled(queue.recv()).await {
                    if stop
                        .run_until_cancelled(carry_out(&clear, &clearing))
                        .await
                        .is_none()
                    {
                        last_try(&clear, &clearing).await;
                    }
                }
                while let Ok(clearing) = queue.try_recv() {
                    last_try(&clear, &clearing).await;
                }
            });
        }
    }

    /// Deletes rows of sessions that are long over.
    pub(crate) fn prune(&self, prune: Prune) {
        self.spawn(async move {
            let mut ticks = time::interval(PRUNE_EVERY);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                loop {
                    match prune.execute().await {
                        Ok(rows) if rows >= u64::from(Prune::BATCH) => {}
                        Ok(_) => break,
                        Err(error) => {
                            tracing::warn!(error = %chain(&error), "old rows could not be deleted");
                            break;
                        }
                    }
                }
            }
        });
    }

    /// Resets factors whose time has come. Each replica does; of each reset one succeeds.
    pub(crate) fn reset_factors(&self, resets: ApplyFactorResets) {
        self.spawn(async move {
            let mut ticks = time::interval(RESET_EVERY);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                loop {
                    match resets.execute().await {
                        Ok(all) => {
                            for (user, error) in &all.failed {
                                tracing::warn!(%user, error = %chain(error), "the factors of an account could not be reset");
                            }
                            if all.done < u64::from(ApplyFactorResets::BATCH) {
                                break;
                            }
                        }
                        Err(error) => {
                            tracing::warn!(error = %chain(&error), "resets of factors have to wait");
                            break;
                        }
                    }
                }
            }
        });
    }

    /// Sends mails.
    pub(crate) fn send_mails(&self, outbox: Outbox) {
        self.tasks.spawn(outbox.run(self.stop_sending.clone()));
    }

    /// Sends events to webhooks.
    pub(crate) fn send_webhooks(&self, webhooks: Webhooks) {
        self.tasks.spawn(webhooks.run(self.stop_sending.clone()));
    }

    /// Counts what is on its way to webhooks, and deletes what is not kept any longer.
    pub(crate) fn watch_webhooks(&self, send: SendWebhooks, seen: Arc<BacklogGauge>) {
        self.spawn(async move {
            let mut ticks = time::interval(COUNT_EVERY);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            for tick in 0_u32.. {
                ticks.tick().await;
                look_after(&send, &seen, tick.is_multiple_of(PRUNE_AFTER)).await;
            }
        });
    }

    /// Counts what is in the outbox, and deletes what is not kept any longer.
    pub(crate) fn watch_outbox(&self, outbox: ManageDeliveries, seen: Arc<BacklogGauge>) {
        self.spawn(async move {
            let mut ticks = time::interval(COUNT_EVERY);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            let mut is_down = false;
            for tick in 0_u32.. {
                ticks.tick().await;
                let counted = outbox.backlog().await;
                match &counted {
                    Ok(backlog) => seen.set(*backlog),
                    Err(error) if !is_down => {
                        tracing::warn!(error = %chain(error), "the outbox can't be counted: its gauges stay as they were");
                    }
                    Err(_) => {}
                }
                is_down = counted.is_err();
                if tick.is_multiple_of(PRUNE_AFTER) {
                    prune_deliveries(&outbox).await;
                }
            }
        });
    }

    /// Writes into the journal what changes no row, also what was noted before the stop.
    pub(crate) fn note(&self, events: Arc<NotedEvents>, journal: Arc<dyn Journal>) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let mut is_down = false;
            while stop
                .run_until_cancelled(time::sleep(NOTE_EVERY))
                .await
                .is_some()
            {
                let written = events.flush(&*journal).await;
                if let Err(error) = &written
                    && !is_down
                {
                    tracing::warn!(error = %chain(error), "events have to wait to be noted in the journal");
                }
                is_down = written.is_err();
            }
            if !matches!(
                time::timeout(LAST_TRY, events.flush(&*journal)).await,
                Ok(Ok(()))
            ) {
                tracing::warn!("some events were not noted in the journal");
            }
        });
    }

    /// Keeps the revocation feed up to date while clients ask for it.
    pub(crate) fn feed(&self, feed: Arc<Feed>) {
        self.spawn(async move { feed.keep_looking().await });
    }

    /// Promotes and removes keys that are due, and follows what other replicas do with them.
    pub(crate) fn keep_keys(&self, keys: Arc<LiveKeys>, every: Duration) {
        self.spawn(async move {
            let mut ticks = time::interval(every);
            ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = keys.keep().await {
                    keys::warn(&error);
                }
            }
        });
    }

    /// Serves something that is not drained.
    pub(crate) fn serve(&self, server: Server) {
        let handle = server.handle();
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.cancelled().await;
            handle.stop(false).await;
        });
        self.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "a listener failed");
            }
        });
    }

    /// Keeps count of the use cases that handlers begin.
    pub(crate) fn in_flight(&self) -> TaskTracker {
        self.in_flight.clone()
    }

    /// Waits for what handlers have begun, clients that hung up included, for a second at most.
    pub(crate) async fn settle(&self) {
        self.in_flight.close();
        drop(time::timeout(HUNG_UP, self.in_flight.wait()).await);
    }

    /// Begins to send no more mails, and finishes those that are being sent beside the last requests.
    pub(crate) fn stop_sending(&self) {
        self.stop_sending.cancel();
    }

    /// Stops everything and waits for it.
    pub(crate) async fn stop(&self) {
        self.stop_sending();
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }
}

async fn prune_deliveries(outbox: &ManageDeliveries) {
    loop {
        match outbox.prune().await {
            Ok(rows) if rows >= u64::from(ManageDeliveries::BATCH) => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "old mails could not be deleted");
                return;
            }
        }
    }
}

/// Tries until it works. What is broken stays broken, and must not hold up the rest.
async fn carry_out(clear: &Clear, clearing: &Clearing) {
    let mut pause = PAUSE.0;
    while let Err(error) = clear.attempt(clearing).await {
        if error.kind() == StoreErrorKind::Broken {
            tracing::error!(%clearing, error = %chain(&error), "a clearing can't be carried out");
            return;
        }
        tracing::debug!(error = %chain(&error), "a clearing has to wait");
        time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// The service stops: what fails now is lost.
async fn last_try(clear: &Clear, clearing: &Clearing) {
    if !matches!(
        time::timeout(LAST_TRY, clear.attempt(clearing)).await,
        Ok(Ok(()))
    ) {
        tracing::warn!(%clearing, "a clearing was left undone");
    }
}
