//! The contract of [`SessionRepository`](revolve_domain::ports::SessionRepository).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod begin;
mod binding;
mod devices;
mod end;
mod prune;
mod revocation_reads;
mod revoked;
mod room;

pub use begin::*;
pub use binding::*;
pub use devices::*;
pub use end::*;
pub use prune::*;
pub use revocation_reads::*;
pub use revoked::*;
pub use room::*;
