//! The stores as their callers see them: a decorator over each port counts, measures and, for traces, puts a span around every
//! call. An adapter knows nothing of it.

mod rotations;

use super::{InFlightGuard, Metrics};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use revolve_domain::{
    ports::{Decorator, PortFuture, StoreError, StoreErrorKind},
    rotation::RotationOutcome,
};
use std::{any::Any, sync::Arc, time::Instant};
use tracing::{Instrument, debug_span, trace};

/// Bounds in seconds: a step in memory is below a tenth of a millisecond, the time-outs of the stores are seconds.
const BOUNDS: [f64; 13] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    store: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    store: &'static str,
    operation: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    store: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RotationLabels {
    outcome: &'static str,
}

pub(super) struct StoreMetrics {
    durations: Family<CallLabels, Histogram>,
    errors: Family<ErrorLabels, Counter>,
    in_flight: Family<StoreLabels, Gauge>,
    rotations: Family<RotationLabels, Counter>,
}

impl StoreMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let durations =
            Family::<CallLabels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        registry.register(
            "store_call_duration_seconds",
            "Time that a call of a store takes, failed ones included",
            durations.clone(),
        );
        let errors = Family::default();
        let help = "Calls of a store that failed, by kind (unavailable: it passes by itself; broken: it does not)";
        registry.register("store_errors", help, Family::clone(&errors));
        let in_flight = Family::default();
        registry.register(
            "store_calls_in_flight",
            "Calls that a store has not answered yet",
            Family::clone(&in_flight),
        );
        let rotations = Family::<RotationLabels, Counter>::default();
        // A counter that appears with its first event seems never to have grown.
        for outcome in rotations::OUTCOMES {
            drop(rotations.get_or_create(&RotationLabels { outcome }));
        }
        registry.register(
            "rotations",
            "Steps of the white list for a refresh token, by outcome",
            rotations.clone(),
        );
        Self {
            durations,
            errors,
            in_flight,
            rotations,
        }
    }
}

/// A store behind one of its ports.
pub struct Measured<P: ?Sized> {
    next: Arc<P>,
    store: &'static str,
    in_flight: Gauge,
    metrics: Arc<Metrics>,
}

impl<P: ?Sized> Measured<P> {
    /// Measures calls of `next`, which `metrics` names `store`.
    pub fn new(next: Arc<P>, store: &'static str, metrics: &Arc<Metrics>) -> Self {
        let in_flight = metrics
            .stores
            .in_flight
            .get_or_create(&StoreLabels { store })
            .clone();
        Self {
            next,
            store,
            in_flight,
            metrics: Arc::clone(metrics),
        }
    }
}

impl<P: ?Sized + Send + Sync> Decorator for Measured<P> {
    type Port = P;

    async fn call<'a, T: Send + 'static>(
        &'a self,
        operation: &'static str,
        work: impl FnOnce(&'a P) -> PortFuture<'a, T> + Send + 'a,
    ) -> Result<T, StoreError> {
        let work = work(&self.next);
        let (store, metrics) = (self.store, &self.metrics.stores);
        let span = debug_span!(target: "revolve::store", "store", store, operation);
        let (began, _in_flight) = (Instant::now(), InFlightGuard::new(&self.in_flight));
        // A disabled span would still cost at each poll.
        let result = if span.is_disabled() {
            work.await
        } else {
            work.instrument(span.clone()).await
        };
        let took = began.elapsed();
        metrics
            .durations
            .get_or_create(&CallLabels { store, operation })
            .observe(took.as_secs_f64());
        if let Err(error) = &result {
            let kind = match error.kind() {
                StoreErrorKind::Unavailable => "unavailable",
                StoreErrorKind::Broken => "broken",
            };
            metrics
                .errors
                .get_or_create(&ErrorLabels {
                    store,
                    operation,
                    kind,
                })
                .inc();
        }
        if let Some(rotated) =
            <dyn Any>::downcast_ref::<Result<RotationOutcome, StoreError>>(&result)
        {
            let outcome = rotations::name(rotated);
            metrics
                .rotations
                .get_or_create(&RotationLabels { outcome })
                .inc();
        }
        trace!(target: "revolve::store", parent: &span, ?took, failed = result.is_err(), "called");
        result
    }
}
