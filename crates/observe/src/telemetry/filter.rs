//! Which lines are written: those that the operator wants, less those that could hold a secret.

use super::TelemetryError;
use tracing::{Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Registry,
    filter::{FilterExt, filter_fn},
    layer::Filter,
    reload,
};

/// The crates that may log more than `info`. Others don't know what a secret is: database drivers write the parameters of their
/// statements, HTTP libraries the headers and bodies that they send and receive.
const TRUSTED: [&str; 2] = ["revolve", "actix_server"];

/// The operator's filter.
pub(super) fn parse(level: &str) -> Result<EnvFilter, TelemetryError> {
    // The filter itself may be the wrong value pasted in the wrong place: its parser would quote it.
    EnvFilter::try_new(level).map_err(|_| TelemetryError::Level)
}

/// Adds that only our own crates log more than `info`, whatever level the operator sets.
pub(super) fn discreet(level: reload::Layer<EnvFilter, Registry>) -> impl Filter<Registry> {
    filter_fn(may_be_said)
        .with_max_level_hint(LevelFilter::TRACE)
        .and(level)
}

fn may_be_said(meta: &Metadata<'_>) -> bool {
    // A more verbose level is the greater one.
    *meta.level() <= Level::INFO || is_trusted(meta.target())
}

fn is_trusted(target: &str) -> bool {
    // `revolve_adapters` is ours, too; a crate whose name only begins like ours is none of this workspace.
    let module = target.split("::").next().unwrap_or_default();
    TRUSTED.contains(&module) || module.starts_with("revolve_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{LineFormat, layer};
    use revolve_testkit::Captured;
    use tracing::{debug, info, trace};
    use tracing_subscriber::layer::SubscriberExt;

    /// What is written at a level.
    fn written(level: &str, say: impl Fn()) -> String {
        let lines = Captured::default();
        let (layer, _) = layer(level, LineFormat::Text, lines.writer()).unwrap();
        tracing::subscriber::with_default(Registry::default().with(layer), say);
        lines.text()
    }

    #[test]
    fn others_say_no_more_than_info_whatever_the_operator_asks_for() {
        for level in [
            "trace",
            "trace,tokio_postgres=trace",
            "info,tokio_postgres::query=trace,h2=trace,revolve=trace",
        ] {
            let lines = written(level, || {
                info!(target: "tokio_postgres", "other-info");
                debug!(target: "tokio_postgres::query", "other-debug");
                trace!(target: "h2::codec", "other-trace");
                trace!(target: "revolvers", "other-name");
                trace!(target: "revolve::store", "our-trace");
                debug!(target: "revolve_adapters::redis", "our-debug");
            });
            assert!(
                lines.contains("other-info")
                    && lines.contains("our-trace")
                    && lines.contains("our-debug"),
                "{level}: {lines}"
            );
            assert!(
                !lines.contains("other-debug")
                    && !lines.contains("other-trace")
                    && !lines.contains("other-name"),
                "{level}: {lines}"
            );
        }
    }

    #[test]
    fn a_level_that_is_none_is_not_quoted() {
        let error = parse("info,geheim=geheim").unwrap_err().to_string();
        assert!(
            error.contains("log.level") && !error.contains("geheim"),
            "{error}"
        );
    }
}
