//! Password hashes: the queue in front of them, and what they take.

use super::{Gauges, Metrics, gauges::lossy};
use async_trait::async_trait;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{HashFlow, PasswordCheck, PasswordHasher, StoreError, StoreErrorKind},
};
use std::{sync::Arc, time::Instant};

/// Bounds in seconds: one hash is some tens of milliseconds, the patience of the queue a few seconds.
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HashLabels {
    operation: &'static str,
}

pub(super) struct HashMetrics {
    durations: Family<HashLabels, Histogram>,
    refused: Counter,
}

impl HashMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let durations =
            Family::<HashLabels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        let help = "Time to hash or check a password, waiting included, by operation (hash, check)";
        registry.register("password_hash_duration_seconds", help, durations.clone());
        let refused = Counter::default();
        registry.register(
            "password_hashes_refused",
            "Passwords that were not hashed because too many waited or for too long",
            refused.clone(),
        );
        Self { durations, refused }
    }
}

/// How much hashing goes on at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashQueue {
    /// Hashes that may be computed at once.
    pub threads: usize,
    /// Hashes that are being computed.
    pub busy: usize,
    /// Hashes that wait for a thread.
    pub waiting: usize,
    /// Memory in bytes that they may take altogether.
    pub budget: usize,
}

/// Hands on to a hasher and measures.
pub struct MeasuredHasher {
    next: Arc<dyn PasswordHasher>,
    metrics: Arc<Metrics>,
}

impl MeasuredHasher {
    /// `queue` is asked at each scrape.
    pub fn new(
        next: Arc<dyn PasswordHasher>,
        metrics: &Arc<Metrics>,
        queue: impl Fn() -> HashQueue + Clone + Send + Sync + 'static,
    ) -> Self {
        let [threads, busy, waiting, budget] = std::array::from_fn(|_| queue.clone());
        metrics.watch(
            Gauges::new()
                .plain(
                    "hash_threads",
                    "Password hashes that may be computed at once",
                    move || threads().threads,
                )
                .plain(
                    "hash_threads_busy",
                    "Password hashes that are being computed",
                    move || busy().busy,
                )
                .plain(
                    "hash_queue_length",
                    "Passwords that wait to be hashed",
                    move || waiting().waiting,
                )
                .gauge(
                    "hash_memory_budget_bytes",
                    "Memory that password hashes may take altogether",
                    move || vec![(Vec::new(), lossy(budget().budget))],
                ),
        );
        Self {
            next,
            metrics: Arc::clone(metrics),
        }
    }

    async fn measure<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let result = work.await;
        match &result {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                self.metrics.hashing.refused.inc();
            }
            _ => self.observe(operation, began),
        }
        result
    }

    fn observe(&self, operation: &'static str, began: Instant) {
        let durations = &self.metrics.hashing.durations;
        durations
            .get_or_create(&HashLabels { operation })
            .observe(began.elapsed().as_secs_f64());
    }
}

#[async_trait]
impl PasswordHasher for MeasuredHasher {
    fn admit(&self, flow: &HashFlow) -> Result<(), StoreError> {
        self.next.admit(flow).inspect_err(|_| {
            self.metrics.hashing.refused.inc();
        })
    }

    async fn hash(&self, flow: &HashFlow, password: &Password) -> Result<PasswordHash, StoreError> {
        self.measure("hash", self.next.hash(flow, password)).await
    }

    /// What is not hashed now is not refused: nobody is told.
    async fn try_hash(
        &self,
        flow: &HashFlow,
        password: &Password,
    ) -> Result<Option<PasswordHash>, StoreError> {
        let began = Instant::now();
        let hash = self.next.try_hash(flow, password).await?;
        if hash.is_some() {
            self.observe("hash", began);
        }
        Ok(hash)
    }

    async fn check(
        &self,
        flow: &HashFlow,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError> {
        self.measure("check", self.next.check(flow, password, hash))
            .await
    }
}
