//! Revolve, the account service: HTTP API, configuration and the one composition root.
//!
//! [`Application::build`] is the only way to start it, for the binary and for tests alike.

mod application;
mod background;
mod composition;
pub mod config;
mod embedded_keys;
mod events;
mod http;
pub mod keys;
mod metrics;
pub mod telemetry;

pub use application::Application;
pub use http::BASE;
