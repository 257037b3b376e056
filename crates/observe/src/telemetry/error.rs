//! Why logging or tracing can't begin, after the key of the configuration that is wrong.

/// Why logging or tracing can't begin. It never quotes a value: a secret may have been pasted in the wrong place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The filter can't be read.
    #[error(
        "log.level: this is no filter; write a level, or targets with levels, such as info,revolve=debug"
    )]
    Level,
    /// The filter can't be replaced.
    #[error("log.level: it can't be changed")]
    Reload(#[source] tracing_subscriber::reload::Error),
    /// The exporter refuses the endpoint.
    #[cfg(feature = "otel")]
    #[error("traces.endpoint: {0}")]
    Traces(#[source] opentelemetry_otlp::ExporterBuildError),
    /// There is no exporter in this binary.
    #[cfg(not(feature = "otel"))]
    #[error("traces.endpoint: this binary was built without the feature `otel`")]
    NotBuilt,
}
