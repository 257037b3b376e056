//! Log lines on standard error.

use crate::config::{ConfigError, Log, LogFormat};
use std::{io::IsTerminal, sync::OnceLock};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, registry::Registry, reload, util::SubscriberInitExt};

/// How to change the level of what logs.
static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts logging; later calls in the same process change nothing.
///
/// # Errors
/// [`ConfigError`] if the level is not a filter.
pub fn start(log: &Log) -> Result<(), ConfigError> {
    let (level, handle) = reload::Layer::new(filter(&log.level)?);
    let lines = fmt::layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(level);
    let started = match log.format {
        LogFormat::Text => registry.with(lines).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    // Otherwise another test in this process was first.
    if started.is_ok() {
        drop(LEVEL.set(handle));
    }
    Ok(())
}

/// Changes what is logged from now on.
///
/// # Errors
/// [`ConfigError`] if the level is not a filter; the old one stays.
pub fn set_level(level: &str) -> Result<(), ConfigError> {
    let filter = filter(level)?;
    match LEVEL.get().map(|handle| handle.reload(filter)) {
        Some(Err(error)) => Err(ConfigError::new(format!("log.level: {error}"))),
        _ => Ok(()),
    }
}

/// Whether the text is a filter.
pub(crate) fn is_level(level: &str) -> bool {
    EnvFilter::try_new(level).is_ok()
}

/// The operator's filter, but for what libraries would say of secrets: tokio-postgres writes the parameters of its
/// statements, hashes and addresses among them, HTTP and Redis clients what they send and receive.
fn filter(level: &str) -> Result<EnvFilter, ConfigError> {
    const NO_MORE_THAN: [&str; 5] = ["tokio_postgres=info", "redis=info", "actix_http=info", "actix_web=info", "mio=info"];
    let mut filter = EnvFilter::try_new(level).map_err(|error| ConfigError::new(format!("log.level: {error}")))?;
    for directive in NO_MORE_THAN {
        let parsed = directive.parse().map_err(|error| ConfigError::new(format!("log.level: {directive}: {error}")))?;
        filter = filter.add_directive(parsed);
    }
    Ok(filter)
}
