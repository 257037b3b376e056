//! Log lines on standard error, panics among them, and, with the feature `otel`, traces. `filter` keeps lines that could hold
//! secrets out, whatever the operator's level is.

mod chain;
mod error;
mod events;
mod filter;
mod json;
#[cfg(feature = "otel")]
pub mod otel;
mod panics;
mod span;
mod trace_parent;

pub use chain::chain;
pub use error::TelemetryError;
pub use events::LogEvents;
pub use panics::panics;
pub use span::{IdentifyingTokens, identify};
pub use trace_parent::TraceParent;

use std::{io::IsTerminal, sync::OnceLock};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

type FilterHandle = reload::Handle<EnvFilter, Registry>;

static LEVEL: OnceLock<FilterHandle> = OnceLock::new();

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged, how, and where traces go.
#[derive(Clone, Copy, Debug)]
pub struct TelemetrySettings<'a> {
    /// A filter such as `info,revolve=debug`.
    pub level: &'a str,
    /// How lines look.
    pub format: LineFormat,
    /// Where a collector takes spans by OTLP over HTTP; with the feature `otel` the standard `OTEL_…` variables count, too.
    pub traces_endpoint: Option<&'a str>,
}

/// Ends what telemetry does in the background: keep it until the very end.
#[must_use = "spans that wait to be sent are lost without it"]
#[derive(Debug, Default)]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<otel::TraceExporter>,
}

impl Telemetry {
    /// Sends the spans that still wait, for a few seconds at most.
    pub fn stop(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.stop();
        }
    }
}

/// Starts logging, and traces if there is somewhere to send them; later calls in the same process change nothing.
///
/// # Errors
/// [`TelemetryError`] if the level is not a filter, or traces can't be sent where they should go.
pub fn start(settings: TelemetrySettings<'_>) -> Result<Telemetry, TelemetryError> {
    let (lines, handle) = layer(settings.level, settings.format, std::io::stderr)?;
    let registry = Registry::default().with(lines);
    #[cfg(feature = "otel")]
    let (registry, traces) = {
        let (layer, traces) = otel::start(settings.traces_endpoint)?.unzip();
        (registry.with(layer), traces)
    };
    #[cfg(not(feature = "otel"))]
    if settings.traces_endpoint.is_some() {
        return Err(TelemetryError::NotBuilt);
    }
    // Another test in this process may have been first.
    if registry.try_init().is_ok() {
        drop(LEVEL.set(handle));
        panics::report();
    }
    Ok(Telemetry {
        #[cfg(feature = "otel")]
        traces,
    })
}

/// Writes lines to `to` as the service does, and the handle that changes the level.
///
/// # Errors
/// [`TelemetryError::Level`] if the level is not a filter.
pub fn layer<W>(
    level: &str,
    format: LineFormat,
    to: W,
) -> Result<(Box<dyn Layer<Registry> + Send + Sync>, FilterHandle), TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (level, handle) = reload::Layer::new(filter::parse(level)?);
    let lines = match format {
        LineFormat::Text => fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(to)
            .boxed(),
        LineFormat::Json => json::Lines::new(to).boxed(),
    };
    Ok((lines.with_filter(filter::discreet(level)).boxed(), handle))
}

/// Whether `level` is a filter, as [`start`] and [`set_level`] take it.
///
/// # Errors
/// [`TelemetryError::Level`] if it is not.
pub fn check_level(level: &str) -> Result<(), TelemetryError> {
    filter::parse(level).map(drop)
}

/// Logs by another filter from now on.
///
/// # Errors
/// [`TelemetryError`] if it is not a filter; then the old one stays.
pub fn set_level(level: &str) -> Result<(), TelemetryError> {
    let parsed = filter::parse(level)?;
    match LEVEL.get().map(|handle| handle.reload(parsed)) {
        None | Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(TelemetryError::Reload(error)),
    }
}
