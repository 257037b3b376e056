//! What the process says of itself while it runs: log lines on standard error, panics among them, and, with the feature
//! `otel`, traces. What no line may ever hold is kept out in `filter`, whatever the operator's level is.

mod filter;
mod json;
#[cfg(feature = "otel")]
pub(crate) mod otel;
#[cfg(test)]
pub(crate) mod page;
mod panics;

pub(crate) use panics::panics;

use crate::config::{Config, ConfigError, LogFormat};
use std::{io::IsTerminal, sync::OnceLock};
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

type Level = reload::Handle<EnvFilter, Registry>;

static LEVEL: OnceLock<Level> = OnceLock::new();

/// Ends what telemetry does in the background: keep it until the very end.
#[must_use = "spans that wait to be sent are lost without it"]
#[derive(Debug, Default)]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<otel::Traces>,
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
/// [`ConfigError`] if the level is not a filter, or traces can't be sent where they should go.
pub fn start(config: &Config) -> Result<Telemetry, ConfigError> {
    let (level, handle) = reload::Layer::new(filter::parse(&config.log.level)?);
    let lines = match config.log.format {
        LogFormat::Text => fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => json::Lines::new(std::io::stderr).boxed(),
    };
    let registry = Registry::default().with(lines.with_filter(filter::discreet(level)));
    #[cfg(feature = "otel")]
    let (registry, traces) = {
        let (layer, traces) = otel::start(&config.traces)?.unzip();
        (registry.with(layer), traces)
    };
    #[cfg(not(feature = "otel"))]
    if config.traces.endpoint.is_some() {
        return Err(ConfigError::new(
            "traces.endpoint: this binary was built without the feature `otel`",
        ));
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

/// Whether the text is a filter.
pub(crate) fn is_level(level: &str) -> bool {
    filter::parse(level).is_ok()
}

/// Logs by another filter from now on.
///
/// # Errors
/// [`ConfigError`] if it is not a filter; then the old one stays.
pub fn set_level(level: &str) -> Result<(), ConfigError> {
    let parsed = filter::parse(level)?;
    match LEVEL.get().map(|handle| handle.reload(parsed)) {
        None | Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(ConfigError::new(format!(
            "log.level: it can't be changed: {error}"
        ))),
    }
}
