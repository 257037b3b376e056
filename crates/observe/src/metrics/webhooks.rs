//! What became of events for webhooks.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use revolve_domain::webhooks::WebhookSettled;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    outcome: &'static str,
}

/// Counts what became of events for webhooks.
pub struct WebhookMetrics {
    settled: Family<WebhookLabels, Counter>,
}

impl WebhookMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let settled = Family::<WebhookLabels, Counter>::default();
        registry.register(
            "webhooks",
            "Attempts to send an event to a webhook, by outcome (sent, again, given_up)",
            settled.clone(),
        );
        // A counter that appears with its first event seems never to have grown.
        for outcome in ["sent", "again", "given_up"] {
            drop(settled.get_or_create(&WebhookLabels { outcome }));
        }
        Self { settled }
    }

    /// Counts an attempt.
    pub fn count(&self, settled: &WebhookSettled) {
        let outcome = settled.as_str();
        self.settled.get_or_create(&WebhookLabels { outcome }).inc();
    }
}
