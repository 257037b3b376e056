//! Tools to test Revolve and adapters of its ports.
//!
//! - [`contract`]: the suites that every adapter of a port must pass, and random histories that hold a white list to
//!   the pure state machine. Run them against your own adapters.
//! - [`memory`]: reference adapters in memory, with a fake clock, seeded entropy and switchable faults.
//! - [`authenticator`]: a passkey authenticator with the browser before it, which behaves as a test wants it to.
//! - `smtp_sink`, with the feature of that name: a mail server that keeps what it is sent, and fails as it is told.
//! - [`webhook_sink`]: an endpoint for webhooks that keeps what it is sent, and answers as it is told.
//! - [`world`]: the use cases over them, with honest clients that sign in and refresh.
//!
//! For tests only: hashes are not hashes, and keys are constants.

pub mod authenticator;
mod captured;
pub mod contract;
pub mod memory;
#[cfg(feature = "tls")]
mod server_tls;
#[cfg(feature = "smtp_sink")]
pub mod smtp_sink;
mod untold;
pub mod webhook_sink;
pub mod world;

pub use captured::Captured;
pub use untold::untold;
pub use world::World;
