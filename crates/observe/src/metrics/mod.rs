//! Numbers for operators, on a listener of their own. Each answers a question of `docs/operations.md`. They have no label that
//! names a user, a session, an address or a token, and only such labels whose values can be counted beforehand.

mod deliveries;
mod events;
mod gauges;
mod hashing;
mod http;
mod keys;
mod limits;
#[cfg(target_os = "linux")]
mod process;
mod stores;
mod text;
mod webhooks;

pub use deliveries::DeliveryMetrics;
pub use events::CountedEvents;
pub use gauges::{Gauges, Labels, lossy};
pub use hashing::{HashQueue, MeasuredHasher};
pub use http::InFlightGuard;
pub use keys::CountedRing;
pub use limits::CountedLimits;
pub use stores::Measured;
pub use webhooks::WebhookMetrics;

use crate::telemetry;
use events::EventMetrics;
use hashing::HashMetrics;
use http::HttpMetrics;
use limits::LimitMetrics;
use prometheus_client::registry::Registry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stores::StoreMetrics;

/// All metrics.
pub struct Metrics {
    registry: Mutex<Registry>,
    /// Requests.
    pub http: HttpMetrics,
    /// Mails.
    pub deliveries: DeliveryMetrics,
    /// Events for webhooks.
    pub webhooks: WebhookMetrics,
    events: EventMetrics,
    stores: StoreMetrics,
    hashing: HashMetrics,
    limits: LimitMetrics,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics of a process that has just begun.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(process::ProcessMetrics));
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let (http, events) = (HttpMetrics::new(ours), EventMetrics::new(ours));
        let (stores, hashing, limits) = (
            StoreMetrics::new(ours),
            HashMetrics::new(ours),
            LimitMetrics::new(ours),
        );
        let deliveries = DeliveryMetrics::new(ours);
        let webhooks = WebhookMetrics::new(ours);
        let metrics = Self {
            registry: Mutex::new(registry),
            http,
            deliveries,
            webhooks,
            events,
            stores,
            hashing,
            limits,
        };
        let features = if cfg!(feature = "otel") { "otel" } else { "" };
        let build = vec![
            ("version", env!("CARGO_PKG_VERSION")),
            ("features", features),
        ];
        metrics.watch(Gauges::new().gauge(
            "build_info",
            "The binary that runs; always 1",
            move || vec![(build.clone(), 1.0)],
        ));
        metrics.watch(Gauges::new().counter("panics", "Panics in this process", telemetry::panics));
        metrics
    }

    /// Adds what is read at each scrape.
    pub fn watch(&self, gauges: Gauges) {
        self.registry()
            .sub_registry_with_prefix(PREFIX)
            .register_collector(Box::new(gauges));
    }

    /// OpenMetrics 1.0.
    pub fn render(&self) -> String {
        text::open_metrics(&self.registry())
    }

    /// The older text format of Prometheus, 0.0.4.
    pub fn render_classic(&self) -> String {
        text::classic(&self.render())
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the names of our own metrics begin with.
const PREFIX: &str = "revolve";
