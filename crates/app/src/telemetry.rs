//! Log lines on standard error.

use crate::config::{ConfigError, Log, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging; later calls in the same process change nothing.
///
/// # Errors
/// [`ConfigError`] if the level is not a filter.
pub fn start(log: &Log) -> Result<(), ConfigError> {
    let filter = filter(&log.level)?;
    let lines = fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // Another test in this process was first.
    drop(started);
    Ok(())
}

/// The operator's filter, but for what libraries would say of secrets: tokio-postgres writes the parameters of its
/// statements, hashes and addresses among them, HTTP and Redis clients what they send and receive.
fn filter(level: &str) -> Result<EnvFilter, ConfigError> {
    const NO_MORE_THAN: [&str; 5] = ["tokio_postgres=info", "redis=info", "actix_http=info", "actix_web=info", "mio=info"];
    let mut filter = EnvFilter::try_new(level).map_err(|error| ConfigError::new(format!("  log.level: {error}")))?;
    for directive in NO_MORE_THAN {
        let parsed = directive.parse().map_err(|error| ConfigError::new(format!("  log.level: {directive}: {error}")))?;
        filter = filter.add_directive(parsed);
    }
    Ok(filter)
}
