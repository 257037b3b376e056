//! What operators see of the service: log lines, traces, metrics, and decorators of the ports that measure.

pub mod metrics;
pub mod telemetry;
