//! Traces for an OpenTelemetry collector (OTLP over HTTP, protobuf). Spans wait in a bounded queue and a thread of its own
//! sends them in batches: a collector that is slow or gone costs spans, never a request. The standard `OTEL_…` variables
//! hold, too: for the sampler, the resource, the batches, the headers.

use super::{TelemetryError, TraceParent};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
        TracerProvider,
    },
};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::{env, time::Duration};
use tracing::{Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

/// How long spans that still wait when the service stops may take to be sent.
const LAST: Duration = Duration::from_secs(3);

/// The way to the collector.
#[derive(Debug)]
pub(super) struct TraceExporter(SdkTracerProvider);

impl TraceExporter {
    pub(super) fn stop(self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// What makes spans of ours into spans of the collector's; nothing if there is no collector.
pub(super) fn start<S>(
    endpoint: Option<&str>,
) -> Result<Option<(impl Layer<S> + use<S>, TraceExporter)>, TelemetryError>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let given = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let by_variable =
        given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") || given("OTEL_EXPORTER_OTLP_ENDPOINT");
    let mut exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary);
    match endpoint {
        Some(url) => exporter = exporter.with_endpoint(url),
        None if by_variable => {}
        None => return Ok(None),
    }
    let exporter = exporter.build().map_err(TelemetryError::Traces)?;
    let mut resource = Resource::builder();
    if !given("OTEL_SERVICE_NAME") {
        resource = resource.with_service_name("revolve");
    }
    let resource = resource
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("revolve"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    // Our own spans and no others: the exporter's HTTP client would be traced sending traces, and who else makes spans
    // does not know what a secret is.
    let ours = Targets::new().with_target("revolve", LevelFilter::DEBUG);
    Ok(Some((layer.with_filter(ours), TraceExporter(provider))))
}

/// Makes the span go on with a trace that began elsewhere, and says which trace it is in now; none if it is not recorded.
pub fn join(span: &Span, parent: Option<&TraceParent>) -> Option<String> {
    if let Some(parent) = parent {
        let (trace, span_id) = (
            TraceId::from_bytes(parent.trace_id),
            SpanId::from_bytes(parent.parent_id),
        );
        let context = SpanContext::new(
            trace,
            span_id,
            TraceFlags::new(parent.flags),
            true,
            TraceState::default(),
        );
        // Without the layer there is nothing to join.
        drop(span.set_parent(Context::new().with_remote_span_context(context)));
    }
    let context = span.context();
    let trace = context.span().span_context().trace_id();
    (trace != TraceId::INVALID).then(|| trace.to_string())
}

/// Adds what collectors look for, by the names of the semantic conventions for HTTP servers.
pub fn describe(span: &Span, method: &'static str, route: &str, status: u16) {
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}
