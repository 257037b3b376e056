//! Requests: how many, how they came out, how long they took.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::time::Duration;

/// Bounds in seconds: a refresh takes about a millisecond, a hash some tens, and more than a few seconds is a fault.
const BOUNDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// What is counted of requests.
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    in_flight: Gauge,
}

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let requests = Family::default();
        let help = "Requests by the template of their route, method, status (499: the client hung up) and the code of the problem";
        registry.register("http_requests", help, Family::clone(&requests));
        let durations =
            Family::<RouteLabels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
        registry.register(
            "http_request_duration_seconds",
            "Time from the head of a request to the head of its answer",
            durations.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "http_requests_in_flight",
            "Requests that have no answer yet",
            in_flight.clone(),
        );
        Self {
            requests,
            durations,
            in_flight,
        }
    }

    /// A request has come. It is in flight until the result is dropped.
    pub fn begin(&self) -> InFlightGuard {
        InFlightGuard::new(&self.in_flight)
    }

    /// It was answered. The route MUST be a template, the code one of ours.
    pub fn count(
        &self,
        route: &str,
        method: &'static str,
        status: u16,
        code: Option<&'static str>,
        took: Duration,
    ) {
        let (by_route, route) = (
            RouteLabels {
                route: route.to_owned(),
            },
            route.to_owned(),
        );
        self.durations
            .get_or_create(&by_route)
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&RequestLabels {
                route,
                method,
                status,
                code: code.unwrap_or_default(),
            })
            .inc();
    }
}

/// One more, as long as this lives.
pub struct InFlightGuard(Gauge);

impl InFlightGuard {
    pub(super) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
