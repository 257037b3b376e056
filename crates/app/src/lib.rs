//! Revolve, the account service: the one composition root, the command line, and what goes on in the background.
//!
//! [`Application::build`] is the only way to start it on its own, for the binary and for tests alike. [`Service`] is what
//! it serves, for those who mount it in an actix-web server of their own.

mod application;
mod background;
pub mod cli;
mod composition;
pub mod config;
mod data_dir;
mod keys;
mod mount;
mod outbox;
mod reload;
mod webhooks;

pub use application::Application;
pub use composition::load;
pub use mount::{Service, SignedIn, start_telemetry};
pub use reload::Reload;
pub use revolve_http::{ADMIN_BASE, BASE};
pub use revolve_listener::Certificate;

/// What the fuzz targets in `crates/app/fuzz` throw bytes at.
#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    pub use revolve_adapters::passkeys::fuzzing::*;
    pub use revolve_http::fuzzing::*;
}
