//! What goes on beside requests: clearing the white list after an outage, pruning old rows, keeping the keys.

use crate::{
    http::problem::chain,
    keys::{self, LiveKeys},
};
use actix_web::dev::Server;
use revolve_domain::{
    ports::{Clearing, Clearings},
    use_cases::{Clear, Prune},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Clearings that may wait. One that is lost costs nothing but memory until its entries die by themselves.
const WAITING: usize = 10_000;
/// Between attempts, at least and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// Between two looks for old rows.
const PRUNE_EVERY: Duration = Duration::from_mins(10);

/// Takes clearings; [`carry_out`] works them off.
pub(crate) struct ClearingQueue(mpsc::Sender<Clearing>);

impl ClearingQueue {
    /// The queue and the end to work from.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Clearing>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }
}

impl Clearings for ClearingQueue {
    fn defer(&self, clearing: Clearing) {
        if self.0.try_send(clearing).is_err() {
            tracing::warn!("too many clearings wait; one was dropped, its entries will die by themselves");
        }
    }
}

/// The tasks and how to stop them.
#[derive(Clone, Default)]
pub(crate) struct Background {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Background {
    /// Works off clearings, in order, each until it is done.
    pub(crate) fn clear(&self, mut queue: mpsc::Receiver<Clearing>, clear: Clear) {
        self.spawn(async move {
            while let Some(clearing) = queue.recv().await {
                let mut pause = PAUSE.0;
                while let Err(error) = clear.attempt(&clearing).await {
                    tracing::debug!(error = %chain(&error), "a clearing has to wait");
                    time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        });
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

    /// Stops everything and waits for it.
    pub(crate) async fn stop(&self) {
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
