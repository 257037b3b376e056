//! The contract of [`SessionRepository`](revolve_domain::ports::SessionRepository).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod begin;
mod devices;
mod end;
mod revoked;
mod room;

pub use begin::*;
pub use devices::*;
pub use end::*;
pub use revoked::*;
pub use room::*;
