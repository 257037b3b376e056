//! Revolve, the account service: HTTP API, configuration and the one composition root.
//!
//! [`Application::build`] is the only way to start it on its own, for the binary and for tests alike. [`Service`] is what
//! it serves, for those who mount it in an actix-web server of their own.

mod application;
mod background;
pub mod cli;
mod composition;
pub mod config;
mod embedded_keys;
mod events;
mod feed;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod http;
pub mod keys;
mod metrics;
mod pools;
mod reload;
mod server;
mod service;
pub mod telemetry;

pub use application::Application;
pub use http::{BASE, SignedIn};
pub use reload::Reload;
pub use server::Certificate;
pub use service::Service;
