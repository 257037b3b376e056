//! The contract of [`TokenRepository`](revolve_domain::ports::TokenRepository).

#![expect(
    clippy::missing_panics_doc,
    reason = "a contract case panics where the contract is broken"
)]

mod begin;
mod device;
mod end;
mod parallel;
mod retry;
mod rollback;
mod rotate;
mod scene;

pub use begin::*;
pub use device::*;
pub use end::*;
pub use parallel::*;
pub use retry::*;
pub use rollback::*;
pub use rotate::*;
