//! The service without a server: for [`Application`](crate::Application), and for servers that mount it beside routes of their own.

mod in_flight;
mod service;
mod signed_in;

pub(crate) use in_flight::count;
pub use service::Service;
pub use signed_in::SignedIn;

use crate::{
    composition::settings,
    config::{Config, ConfigError},
};
use revolve_observe::telemetry::{self, Telemetry};

/// Starts logging, and traces if there is somewhere to send them; later calls in the same process change nothing.
///
/// # Errors
/// [`ConfigError`] if the level is not a filter, or traces can't be sent where they should go.
pub fn start_telemetry(config: &Config) -> Result<Telemetry, ConfigError> {
    telemetry::start(settings::telemetry(&config.log, &config.traces))
        .map_err(|error| ConfigError::new(error.to_string()))
}
