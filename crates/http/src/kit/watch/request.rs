//! A request from its head to its answer: its span, its line in the access log and its metrics.

use super::Watch;
use crate::kit::{problem::ProblemCode, request_id::RequestId};
use actix_web::{
    HttpResponse,
    dev::ServiceRequest,
    http::{Method, StatusCode, header::HeaderMap},
};
use revolve_observe::{
    metrics::{InFlightGuard, Metrics},
    telemetry::TraceParent,
};
use std::{sync::Arc, time::Instant};
use tracing::{
    Span,
    field::{Empty, display},
    info_span,
};

/// The route in logs and metrics of a request that matches none: its path could be any text.
const NO_ROUTE: &str = "unmatched";

/// What orchestrators ask every few seconds is no news while it goes well.
const HEALTH: &str = "/health/";

/// How a request was answered.
#[derive(Clone, Copy)]
pub(super) struct RequestOutcome {
    pub(super) status: StatusCode,
    /// The code of the problem document.
    pub(super) code: Option<&'static str>,
}

impl RequestOutcome {
    pub(super) fn of<B>(answer: &HttpResponse<B>) -> Self {
        Self {
            status: answer.status(),
            code: answer.extensions().get::<ProblemCode>().map(|code| code.0),
        }
    }
}

/// A request under way. It is logged and counted once, also if the client hangs up before the answer.
pub(super) struct WatchedRequest {
    method: &'static str,
    route: String,
    span: Span,
    began: Instant,
    metrics: Arc<Metrics>,
    ended: bool,
    _in_flight: InFlightGuard,
}

impl WatchedRequest {
    pub(super) fn begin(asked: &ServiceRequest, id: RequestId, watch: &Watch) -> Self {
        let method = known(asked.method());
        let route = asked.match_pattern().unwrap_or_else(|| NO_ROUTE.to_owned());
        let parent = trace_parent(asked.headers());
        let address = asked
            .peer_addr()
            .map(|peer| watch.proxies.client(peer.ip(), asked.headers()));
        let metrics = Arc::clone(&watch.metrics);
        let span = span(method, &route, id, address);
        trace(&span, parent.as_ref());
        let in_flight = metrics.http.begin();
        Self {
            method,
            route,
            span,
            began: Instant::now(),
            metrics,
            ended: false,
            _in_flight: in_flight,
        }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It was answered.
    pub(super) fn end(mut self, outcome: RequestOutcome) {
        #[cfg(feature = "otel")]
        revolve_observe::telemetry::otel::describe(
            &self.span,
            self.method,
            &self.route,
            outcome.status.as_u16(),
        );
        self.tell(outcome.status.as_u16(), outcome.code);
    }

    fn tell(&mut self, status: u16, code: Option<&'static str>) {
        self.ended = true;
        let took = self.began.elapsed();
        self.metrics
            .http
            .count(&self.route, self.method, status, code, took);
        // Microseconds are as exact as it gets.
        let duration_ms = (took.as_secs_f64() * 1e6).round() / 1e3;
        macro_rules! line {
            ($level:ident) => { tracing::$level!(target: "revolve::access", parent: &self.span, status, duration_ms, code, "answered") };
        }
        match status {
            500.. => line!(warn),
            _ if self.route.starts_with(HEALTH) => line!(debug),
            _ => line!(info),
        }
    }
}

impl Drop for WatchedRequest {
    fn drop(&mut self) {
        if !self.ended {
            // The status that other servers log, too, for a client that has gone.
            self.tell(499, Some("client_gone"));
        }
    }
}

fn span(
    method: &'static str,
    route: &str,
    id: RequestId,
    address: Option<std::net::IpAddr>,
) -> Span {
    let address = address.map(display);
    macro_rules! span {
        ($($more:tt)*) => {
            info_span!(
                target: "revolve::http", "request", method, route, request_id = %id, address, trace_id = Empty, user = Empty, session = Empty,
                $($more)*
            )
        };
    }
    #[cfg(feature = "otel")]
    return span!(
        otel.name = format_args!("{method} {route}"),
        otel.kind = "server"
    );
    #[cfg(not(feature = "otel"))]
    span!()
}

/// Which trace it belongs to: the client's, or one that begins here if traces are recorded.
fn trace(span: &Span, parent: Option<&TraceParent>) {
    if span.is_disabled() {
        return;
    }
    #[cfg(feature = "otel")]
    if let Some(trace) = revolve_observe::telemetry::otel::join(span, parent) {
        span.record("trace_id", trace);
        return;
    }
    if let Some(parent) = parent {
        span.record("trace_id", display(parent.trace()));
    }
}

/// The method by a name that is ours: a client may send any word.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The `traceparent` header, if there is one and only one.
fn trace_parent(headers: &HeaderMap) -> Option<TraceParent> {
    let mut all = headers.get_all("traceparent");
    let only = all.next().filter(|_| all.next().is_none())?;
    TraceParent::parse(only.as_bytes())
}
