//! What became of mails.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use revolve_domain::{deliveries::Settled, journal::MailKind};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// Counts what became of mails.
pub struct DeliveryMetrics {
    settled: Family<DeliveryLabels, Counter>,
}

impl DeliveryMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let settled = Family::<DeliveryLabels, Counter>::default();
        registry.register(
            "deliveries",
            "Attempts to send a mail, by its kind and outcome (sent, again, given_up, dropped)",
            settled.clone(),
        );
        // A counter that appears with its first event seems never to have grown.
        for kind in MailKind::ALL {
            for outcome in Settled::NAMES {
                drop(settled.get_or_create(&DeliveryLabels {
                    kind: kind.as_str(),
                    outcome,
                }));
            }
        }
        Self { settled }
    }

    /// Counts an attempt.
    pub fn count(&self, kind: MailKind, settled: &Settled) {
        self.settled
            .get_or_create(&DeliveryLabels {
                kind: kind.as_str(),
                outcome: settled.as_str(),
            })
            .inc();
    }
}
