//! Security events, counted on their way to the log.

use super::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use revolve_domain::ports::{SecurityEvent, SecurityEvents};
use std::sync::Arc;

/// Bounds of the gap histogram in seconds: around the default windows, and a day.
const GAPS: [f64; 14] = [
    0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 21_600.0, 86_400.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GapLabels {
    outcome: &'static str,
}

pub(super) struct EventMetrics {
    events: Family<EventLabels, Counter>,
    gaps: Family<GapLabels, Histogram>,
}

impl EventMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let events = Family::<EventLabels, Counter>::default();
        registry.register("security_events", "Security events by name", events.clone());
        let gaps = Family::<GapLabels, Histogram>::new_with_constructor(|| Histogram::new(GAPS));
        let help = "Time between a rotation and the next use of the token that it replaced, by outcome (free, late, reused)";
        registry.register("retry_gap_seconds", help, gaps.clone());
        for outcome in ["free", "late", "reused"] {
            drop(gaps.get_or_create(&GapLabels { outcome }));
        }
        Self { events, gaps }
    }

    fn count(&self, event: &SecurityEvent) {
        self.events
            .get_or_create(&EventLabels {
                event: event.name(),
            })
            .inc();
        let (outcome, gap) = match event {
            SecurityEvent::SessionRepeated { gap, late, .. } => {
                (if *late { "late" } else { "free" }, gap)
            }
            SecurityEvent::SessionReused { gap, .. } => ("reused", gap),
            _ => return,
        };
        self.gaps
            .get_or_create(&GapLabels { outcome })
            .observe(gap.as_secs_f64());
    }
}

/// Counts events and hands them on.
pub struct CountedEvents<E> {
    metrics: Arc<Metrics>,
    next: E,
}

impl<E> CountedEvents<E> {
    /// Counts events in `metrics` and passes them to `next`.
    pub fn new(metrics: Arc<Metrics>, next: E) -> Self {
        Self { metrics, next }
    }
}

impl<E: SecurityEvents> SecurityEvents for CountedEvents<E> {
    fn record(&self, event: SecurityEvent) {
        self.metrics.events.count(&event);
        self.next.record(event);
    }
}
